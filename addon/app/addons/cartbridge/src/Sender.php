<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * Brings the outbox to the bridge: one event a request. It walks what waits from the oldest on; where a row has to wait, the rest of
 * its lane is passed over, so that the events of one customer arrive in order. Only one sender runs at a time. A sender that dies loses nothing: the row is
 * still pending and is sent again under the same id, which the bridge knows.
 */
final class Sender
{
    /** The first wait after a failure and the longest, in seconds. */
    private const FIRST_WAIT = 10;
    private const LONGEST_WAIT = 3600;
    private const AT_ONCE = 200;
    /** A row that failed so often is passed over for a while: perhaps it alone is what cannot be taken. */
    private const PATIENCE = 3;
    /** A clock that is further off than this is told of, in seconds; the bridge allows 300. */
    private const CLOCK_OFF = 120;
    private const TIMEOUT = 15;

    /** @var Transport */
    private $transport;
    /** @var int when it was last written down that something was delivered: once a second, not with each row */
    private $noted_at = 0;

    public function __construct(?Transport $transport = null)
    {
        $this->transport = $transport ?? self::transport();
    }

    public static function transport(): Transport
    {
        return function_exists('curl_init') ? new CurlTransport() : new StreamTransport();
    }

    /**
     * Sends until nothing is due, the bridge cannot take more, or the time is over.
     *
     * @param bool $forced also while the bridge is being left alone after a failure
     *
     * @return array{sent: int, failed: int, reason: string} `reason`: why it stopped, in words
     */
    public function run(int $seconds, bool $forced = false): array
    {
        $connection = Connection::load();
        if ($connection === null) {
            return self::result(0, 0, 'the store is not connected with a bridge');
        }
        if ($forced) {
            State::set('paused_until', '0');
            Outbox::hurry();
        } elseif (self::pausedUntil() > 0) {
            return self::result(0, 0, 'the bridge is left alone until ' . gmdate('H:i:s', self::pausedUntil()) . ' UTC');
        }
        if (!self::lock()) {
            return self::result(0, 0, 'another sender is at work');
        }
        try {
            return $this->send($connection, microtime(true) + $seconds);
        } finally {
            db_query('DO RELEASE_LOCK(?s)', self::lockName());
        }
    }

    /** Until when the bridge is left alone; 0: it is not. A pause that was made by a clock that was set back since does not count. */
    public static function pausedUntil(): int
    {
        $until = State::number('paused_until');

        return $until > time() && State::number('paused_at') <= time() ? $until : 0;
    }

    /**
     * Tries one row at once, whatever else waits and whoever else sends: for the test button.
     *
     * @return Answer|null null: it is delivered already
     */
    public function now(Connection $connection, int $event_no): ?Answer
    {
        $row = Outbox::take($event_no);
        if ($row === null) {
            return null;
        }
        $answer = $this->post($connection, $row['event_id'], $row['body']);
        if ($answer->isSuccess()) {
            Outbox::sent($row['event_no'], $answer->status());
            State::set('paused_until', '0');
            $this->succeeded();
        } else {
            Outbox::failed($row, $answer, 0);
        }

        return $answer;
    }

    /** @return array{sent: int, failed: int, reason: string} */
    private function send(Connection $connection, float $until): array
    {
        $sent = 0;
        $failed = 0;
        $after = 0;
        /** @var array<string, bool> $held lanes whose front row has to wait: what stands behind it waits, too */
        $held = [];
        State::set('last_run_at', (string) time());
        try {
            while (true) {
                $rows = Outbox::pendingAfter($after, self::AT_ONCE);
                if ($rows === []) {
                    return self::result($sent, $failed, 'nothing is due');
                }
                foreach ($rows as $seen) {
                    if (microtime(true) >= $until) {
                        return self::result($sent, $failed, 'the time is over');
                    }
                    $after = (int) $seen['event_no'];
                    $lane = $seen['lane'];
                    if (isset($held[$lane]) || self::hasToWait((int) $seen['next_attempt_at'])) {
                        $held[$lane] = true;
                        continue;
                    }
                    $row = Outbox::take($after);
                    if ($row === null) {
                        continue;
                    }
                    $answer = $this->post($connection, $row['event_id'], $row['body']);
                    if ($answer->isSuccess()) {
                        Outbox::sent($row['event_no'], $answer->status());
                        $this->succeeded();
                        $sent++;
                        continue;
                    }
                    $failed++;
                    if ($answer->isRefusalOfRow()) {
                        $given_up = Outbox::failed($row, $answer, time() + self::wait((int) $row['attempts'] - 1));
                        if (!$given_up) {
                            $held[$lane] = true;
                        }
                        continue;
                    }
                    // Not the row's fault, it seems: nothing else would fare better now. But where it is the same row each time, the
                    // next run begins with another one, so that one customer cannot hold up all of them.
                    $pause = $this->pause($answer);
                    $passed_over = !$answer->isAboutConnection() && (int) $row['attempts'] >= self::PATIENCE;
                    Outbox::failed($row, $answer, $passed_over ? time() + min($pause, self::LONGEST_WAIT) + self::wait((int) $row['attempts']) : 0);

                    return self::result($sent, $failed, self::explain($answer));
                }
            }
        } finally {
            if ($sent > 0) {
                Outbox::hasRoomAgain();
            }
        }
    }

    /** A wait that is longer than any comes from a clock that was wrong. */
    private static function hasToWait(int $next_attempt_at): bool
    {
        return $next_attempt_at > time() && $next_attempt_at <= time() + 2 * self::LONGEST_WAIT;
    }

    private function post(Connection $connection, string $event_id, string $body): Answer
    {
        return $this->transport->send('POST', $connection->webhookUrl(), $connection->sign($event_id, $body), $body, self::TIMEOUT);
    }

    private function succeeded(): void
    {
        if ($this->noted_at !== time()) {
            $this->noted_at = time();
            State::set('last_success_at', (string) $this->noted_at);
        }
        if (State::number('failures') > 0) {
            State::set('failures', '0');
            State::set('last_failure', '');
        }
    }

    /** Leaves the bridge alone for a while, for as long as it asks or for twice as long as the last time; says for how many seconds. */
    private function pause(Answer $answer): int
    {
        $failures = State::number('failures');
        $wait = $answer->retryAfter() > 0 ? $answer->retryAfter() : self::wait($failures);
        State::set('failures', (string) ($failures + 1));
        State::set('paused_at', (string) time());
        State::set('paused_until', (string) (time() + $wait));
        State::set('last_failure', Json::encode(['at' => time(), 'status' => $answer->status(), 'reason' => self::explain($answer)]));

        return $wait;
    }

    /** Doubles from one failure to the next; up to a quarter is taken off by chance, so that many stores do not come back at once. */
    private static function wait(int $failures): int
    {
        $wait = min(self::LONGEST_WAIT, self::FIRST_WAIT * (1 << min($failures, 12)));

        return $wait - random_int(0, intdiv($wait, 4));
    }

    /** What happened and what a person can do. */
    public static function explain(Answer $answer): string
    {
        $words = $answer->text() === '' ? '' : ' (' . ($answer->status() > 0 ? $answer->status() . ': ' : '') . $answer->text() . ')';
        if ($answer->isOfSomethingElse()) {
            return 'something else than the bridge answers at its address' . $words . ': see that the address leads to the bridge, or connect again with a new code';
        }
        switch ($answer->status()) {
            case 0:
                return 'the bridge cannot be reached' . $words . ': see that it runs and that this server may connect to it';
            case 401:
                $ahead = $answer->clockAhead();
                if (abs($ahead) > self::CLOCK_OFF) {
                    return 'this server\'s clock is ' . (int) round(abs($ahead) / 60) . ' minutes ' . ($ahead > 0 ? 'ahead of' : 'behind')
                        . ' the bridge\'s' . $words . ': set both by NTP; what waits is sent then';
                }

                return 'the bridge does not accept the signature' . $words . ': see that this server\'s clock is right, or connect again with a new code';
            case 404:
                return 'the bridge does not know this connection' . $words . ': connect again with a new code';
            case 429:
            case 503:
                return 'the bridge is busy' . $words . ': it is tried again by itself';
        }

        return 'the bridge answered ' . $answer->status() . ($answer->text() === '' ? '' : ' (' . $answer->text() . ')') . ': it is tried again by itself';
    }

    /** The database's own lock: it is gone with the connection of a sender that was killed. */
    private static function lock(): bool
    {
        return (int) db_get_field('SELECT GET_LOCK(?s, 0)', self::lockName()) === 1;
    }

    private static function lockName(): string
    {
        $database = (string) db_get_field('SELECT DATABASE()');

        return 'cartbridge_' . substr(sha1($database . '|' . self::prefix()), 0, 32);
    }

    /** Two stores in one database differ by their prefix. */
    private static function prefix(): string
    {
        return (string) \Tygh\Registry::get('config.table_prefix');
    }

    /** @return array{sent: int, failed: int, reason: string} */
    private static function result(int $sent, int $failed, string $reason): array
    {
        return ['sent' => $sent, 'failed' => $failed, 'reason' => $reason];
    }
}
