<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Sends what this request wrote once the shopper has his page; only where PHP can end the response first (PHP-FPM). */
final class AfterResponse
{
    private const SECONDS = 5;

    /** @var bool */
    private static $arranged = false;

    public static function arrange(): void
    {
        if (self::$arranged || !function_exists('fastcgi_finish_request') || !Outbox::wroteInThisRequest() || State::get('send_after_response') !== 'Y') {
            return;
        }
        self::$arranged = true;
        register_shutdown_function([self::class, 'run']);
    }

    /** At the request's end; also after `exit`. */
    public static function run(): void
    {
        try {
            // The session is let go of first: the shopper's next request must not wait for it.
            session_write_close();
            fastcgi_finish_request();
            (new Sender())->run(self::SECONDS);
        } catch (\Throwable $error) {
            error_log('cartbridge: not sent after the response, the next run does it: ' . Json::excerpt($error->getMessage()));
        }
    }
}
