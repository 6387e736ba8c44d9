<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** What cron does every minute. */
final class Job
{
    /** @return array{sent: int, failed: int, reason: string} */
    public static function run(int $seconds, ?Transport $transport = null): array
    {
        State::set('last_cron_at', (string) time());
        Recorder::get()->sweep();
        $done = (new Sender($transport))->run($seconds);
        if (Marks::count('owed', 1) > 0) {
            Recorder::get()->payOwed();
        }
        Outbox::prune();
        Changes::prune();
        Endpoint::forgetOld();

        return $done;
    }
}
