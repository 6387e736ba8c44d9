<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * The events that the bridge is still to be told: a table of the store's own database, written in the request in which a thing
 * happens. A row leaves the state `P` (pending) only when the bridge has answered 2xx (`S`, sent) or when it has refused the
 * row itself, and nothing else, for 7 days (`R`, refused: shown in the administration, to be sent again by hand).
 */
final class Outbox
{
    /** How long a row that the bridge refuses is repeated. */
    public const REFUSED_AFTER = 604800;

    /** How far the rows are counted for the administration: a million of them are not gone through for a page. */
    public const COUNTED = 10000;
    /** For how long it is believed that the outbox is full, in seconds, unless a sender makes room. */
    private const BELIEVED = 60;
    /** How many rows one statement changes or deletes: a shopper who writes his row meanwhile must not wait for it. */
    private const BATCH = 500;
    /** How many delivered rows one run drops, in batches. */
    private const DROPPED = 10000;

    /** Types of which only the newest counts, since each says the whole state. */
    private const WHOLE_STATE = ['customer.updated', 'customer.tags_changed', 'order.updated', 'vendor.updated'];

    /** @var array<string, string> event ids of this request, by type and object: a second change of the same thing takes the first's row */
    private static $own = [];

    /**
     * Writes an event.
     *
     * @param string               $type   such as `customer.updated`
     * @param string               $lane   whom it is about; the events of one lane are sent in order
     * @param string               $object what it is about: a second state of the same object within a request replaces the first
     * @param array<string, mixed> $data   what the bridge is told
     * @param bool                 $once   whether this can happen to the object only once: then a second such event is none
     *
     * @return bool false: the outbox is full, the event is not in it (and counted)
     */
    public static function put(string $type, string $lane, string $object, array $data, bool $once = false): bool
    {
        $lane = self::lane($lane);
        $body = Json::encode(['type' => $type, 'timestamp' => gmdate('Y-m-d\TH:i:s\Z'), 'store' => Store::describe($data), 'data' => (object) $data]);
        $own = $type . ' ' . $object;
        if (isset(self::$own[$own]) && in_array($type, self::WHOLE_STATE, true) && self::rewrite(self::$own[$own], $lane, $body)) {
            return true;
        }
        $older = 0;
        if (self::isFull()) {
            $older = self::olderState($type, $lane);
            if ($older === 0) {
                self::turnAway($type);

                return false;
            }
        }
        $event_id = 'msg_' . ($once ? substr(hash('sha256', State::get('cron_key') . ' ' . $own), 0, 32) : bin2hex(random_bytes(16)));
        db_query(
            $once ? 'INSERT IGNORE INTO ?:cartbridge_outbox ?e' : 'INSERT INTO ?:cartbridge_outbox ?e',
            ['event_id' => $event_id, 'type' => $type, 'lane' => $lane, 'body' => $body, 'created_at' => time()]
        );
        self::$own[$own] = $event_id;
        if ($older > 0) {
            // Only now: a request that is killed in between has told too much and not too little.
            db_query('DELETE FROM ?:cartbridge_outbox WHERE event_no = ?i AND state = ?s', $older, 'P');
        }

        return true;
    }

    /** The newer body for a row of this request, if no sender took it yet and nothing of its lane stands behind it. */
    private static function rewrite(string $event_id, string $lane, string $body): bool
    {
        $row = db_get_row('SELECT event_no, attempts, state FROM ?:cartbridge_outbox WHERE event_id = ?s', $event_id);
        if (empty($row) || $row['state'] !== 'P' || (int) $row['attempts'] > 0) {
            return false;
        }
        $behind = db_get_field('SELECT event_no FROM ?:cartbridge_outbox WHERE state = ?s AND lane = ?s AND event_no > ?i LIMIT 1', 'P', $lane, $row['event_no']);
        if (!empty($behind)) {
            return false;
        }
        db_query('UPDATE ?:cartbridge_outbox SET body = ?s WHERE event_id = ?s AND state = ?s AND attempts = 0', $body, $event_id, 'P');
        // A sender may have been quicker: then it has the older body.
        $now = db_get_row('SELECT body, attempts FROM ?:cartbridge_outbox WHERE event_id = ?s', $event_id);

        return !empty($now) && (int) $now['attempts'] === 0 && $now['body'] === $body;
    }

    /** ASCII of a bounded length; an address that is neither is told apart by its hash. */
    private static function lane(string $lane): string
    {
        if (strlen($lane) <= 150 && preg_match('/^[\x21-\x7e]+$/D', $lane) === 1) {
            return $lane;
        }

        return substr((string) preg_replace('/[^\x21-\x7e]/', '', $lane), 0, 80) . '#' . sha1($lane);
    }

    /**
     * Three look-ups say that there is room, most of the time. Only where they do not the rows are counted, and what was
     * counted is kept: a shopper must not wait for the same count again.
     */
    public static function isFull(): bool
    {
        // One question: a shopper waits for its answer.
        $known = db_get_row(
            'SELECT (SELECT value FROM ?:cartbridge_state WHERE name = ?s) AS most,'
            . ' (SELECT MIN(event_no) FROM ?:cartbridge_outbox WHERE state = ?s) AS oldest,'
            . ' (SELECT MAX(event_no) FROM ?:cartbridge_outbox WHERE state = ?s) AS newest',
            'max_pending',
            'P',
            'P'
        );
        $max = (int) ($known['most'] ?: State::DEFAULTS['max_pending']);
        $oldest = (int) $known['oldest'];
        $newest = (int) $known['newest'];
        if ($oldest === 0 || $newest - $oldest + 1 < $max) {
            return false;
        }
        list($count, $counted_to, $counted_at) = array_map('intval', explode(' ', State::get('counted') . ' 0 0 0'));
        $age = time() - $counted_at;
        if ($age >= 0 && $age < self::BELIEVED) {
            if ($count >= $max) {
                return true;
            }
            // No more can have come since than this.
            if ($count + $newest - $counted_to < $max) {
                return false;
            }
        }
        $count = self::pending($max);
        State::set('counted', $count . ' ' . $newest . ' ' . time());

        return $count >= $max;
    }

    /** A sender has made room: what was counted is not so any more. */
    public static function hasRoomAgain(): void
    {
        if (State::get('counted') !== '') {
            State::set('counted', '');
        }
    }

    /** The row whose place the newest state of the same thing may take in a full outbox; 0: there is none. */
    private static function olderState(string $type, string $lane): int
    {
        // In a lane there may be several orders.
        if (!in_array($type, self::WHOLE_STATE, true) || $type === 'order.updated') {
            return 0;
        }
        // The last row of the lane only: what stands behind it would otherwise be told before it.
        $last = db_get_row('SELECT event_no, type FROM ?:cartbridge_outbox WHERE state = ?s AND lane = ?s ORDER BY event_no DESC LIMIT 1', 'P', $lane);

        return !empty($last) && $last['type'] === $type ? (int) $last['event_no'] : 0;
    }

    private static function turnAway(string $type): void
    {
        State::add('turned_away', 1);
        State::set('turned_away_at', (string) time());
        State::set('turned_away_type', $type);
    }

    /** How many wait; no more than `$at_most` are counted. */
    public static function pending(int $at_most = 1000000000): int
    {
        return self::count('P', $at_most);
    }

    private static function count(string $state, int $at_most): int
    {
        return (int) db_get_field(
            'SELECT COUNT(*) FROM (SELECT event_no FROM ?:cartbridge_outbox WHERE state = ?s LIMIT ?i) AS counted',
            $state,
            $at_most
        );
    }

    /**
     * The next rows that wait, oldest first, without their bodies: all of it stands in one index. (The state is asked for as a range,
     * or a server whose statistics are old looks up the state alone and reads all that wait in front.)
     *
     * @return array<int, array<string, string>>
     */
    public static function pendingAfter(int $event_no, int $limit): array
    {
        return db_get_array(
            'SELECT event_no, lane, next_attempt_at FROM ?:cartbridge_outbox WHERE state >= ?s AND state <= ?s AND event_no > ?i ORDER BY event_no LIMIT ?i',
            'P',
            'P',
            $event_no,
            $limit
        );
    }

    /**
     * Takes a row that waits, to be tried: from now on its body stays as it is, so that what is delivered is what stands in the row.
     *
     * @return array<string, string>|null null: it does not wait any more
     */
    public static function take(int $event_no): ?array
    {
        db_query('UPDATE ?:cartbridge_outbox SET attempts = attempts + 1 WHERE event_no = ?i AND state = ?s', $event_no, 'P');
        $row = db_get_row(
            'SELECT event_no, event_id, type, lane, body, attempts, refused_since FROM ?:cartbridge_outbox WHERE event_no = ?i AND state = ?s',
            $event_no,
            'P'
        );

        return empty($row) ? null : $row;
    }

    public static function sent(string $event_no, int $status): void
    {
        db_query(
            'UPDATE ?:cartbridge_outbox SET state = ?s, sent_at = ?i, last_status = ?i, last_error = ?s WHERE event_no = ?i',
            'S',
            time(),
            $status,
            '',
            $event_no
        );
    }

    /**
     * @param array<string, string> $row
     *
     * @return bool whether it is given up
     */
    public static function failed(array $row, Answer $answer, int $next_attempt_at): bool
    {
        $refused_since = 0;
        $state = 'P';
        if ($answer->isRefusalOfRow()) {
            $refused_since = (int) $row['refused_since'] ?: time();
            $state = time() - $refused_since >= self::REFUSED_AFTER ? 'R' : 'P';
        }
        db_query(
            'UPDATE ?:cartbridge_outbox SET state = ?s, refused_since = ?i, next_attempt_at = ?i, last_status = ?i, last_error = ?s WHERE event_no = ?i',
            $state,
            $refused_since,
            $next_attempt_at,
            $answer->status(),
            $answer->text(),
            $row['event_no']
        );

        return $state === 'R';
    }

    /** What a row is like that is to be sent again. */
    private const AGAIN = ['state' => 'P', 'next_attempt_at' => 0, 'refused_since' => 0, 'sent_at' => 0, 'attempts' => 0];

    /**
     * Has rows sent again: those given, or all that are refused.
     *
     * @param array<int, string> $event_ids
     *
     * @return int how many
     */
    public static function resend(array $event_ids = []): int
    {
        if ($event_ids === []) {
            return (int) db_query('UPDATE ?:cartbridge_outbox SET ?u WHERE state = ?s', self::AGAIN, 'R');
        }
        db_query('UPDATE ?:cartbridge_outbox SET ?u WHERE event_id IN (?a)', self::AGAIN, $event_ids);

        return (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_outbox WHERE state = ?s AND event_id IN (?a)', 'P', $event_ids);
    }

    /**
     * Has sent again what was delivered since a time and is still kept: for a bridge that was restored from a backup and has lost
     * it. What it still has it knows by its id.
     *
     * @return int how many
     */
    public static function resendSince(int $since): int
    {
        $count = 0;
        do {
            $batch = (int) db_query(
                'UPDATE ?:cartbridge_outbox SET ?u WHERE state = ?s AND sent_at >= ?i LIMIT ?i',
                self::AGAIN,
                'S',
                $since,
                self::BATCH
            );
            $count += $batch;
        } while ($batch === self::BATCH);

        return $count;
    }

    /** Lets waiting rows be tried at once: after a new connection, or when a person says so. Only what was tried has to wait. */
    public static function hurry(): void
    {
        db_query('UPDATE ?:cartbridge_outbox SET next_attempt_at = 0 WHERE state = ?s AND attempts > 0', 'P');
    }

    /**
     * Drops what was delivered long enough ago. The rows are looked up first and deleted by their numbers: a deletion by state and time
     * also locks the place in the index where a shopper's row is to go.
     */
    public static function prune(): void
    {
        $before = time() - 86400 * State::number('keep_sent_days');
        for ($dropped = 0; $dropped < self::DROPPED; $dropped += self::BATCH) {
            $rows = db_get_fields('SELECT event_no FROM ?:cartbridge_outbox WHERE state = ?s AND sent_at < ?i ORDER BY sent_at LIMIT ?i', 'S', $before, self::BATCH);
            if ($rows === []) {
                return;
            }
            // One that is to be sent again since has 0.
            db_query('DELETE FROM ?:cartbridge_outbox WHERE event_no IN (?n) AND sent_at > 0', $rows);
        }
    }

    /**
     * Age and size, for the administration. Each state is counted up to COUNTED; where more wait, `pending_at_most` says how many
     * there can be. `bytes` is reckoned from the oldest rows.
     *
     * @return array{pending: int, pending_at_most: int, refused: int, sent: int, oldest_at: int, bytes: int}
     */
    public static function measure(): array
    {
        $pending = self::count('P', self::COUNTED + 1);
        $oldest = (int) db_get_field('SELECT MIN(event_no) FROM ?:cartbridge_outbox WHERE state = ?s', 'P');
        $newest = (int) db_get_field('SELECT MAX(event_no) FROM ?:cartbridge_outbox WHERE state = ?s', 'P');
        $at_most = $pending > self::COUNTED ? $newest - $oldest + 1 : $pending;
        $length = (float) db_get_field(
            'SELECT AVG(LENGTH(body)) FROM (SELECT body FROM ?:cartbridge_outbox WHERE state = ?s ORDER BY event_no LIMIT 100) AS oldest',
            'P'
        );

        return [
            'pending' => $pending,
            'pending_at_most' => $at_most,
            'refused' => self::count('R', self::COUNTED + 1),
            'sent' => self::count('S', self::COUNTED + 1),
            'oldest_at' => (int) db_get_field('SELECT created_at FROM ?:cartbridge_outbox WHERE event_no = ?i', $oldest),
            'bytes' => (int) round($length * $at_most),
        ];
    }

    /**
     * What went wrong last, for the administration: what was given up, and what was tried most often.
     *
     * @return array<int, array<string, string>>
     */
    public static function troubles(int $limit): array
    {
        $columns = 'event_id, type, lane, state, attempts, created_at, next_attempt_at, last_status, last_error';
        $given_up = db_get_array('SELECT ' . $columns . ' FROM ?:cartbridge_outbox WHERE state = ?s ORDER BY event_no LIMIT ?i', 'R', $limit);
        $tried = db_get_array(
            'SELECT ' . $columns . ' FROM ?:cartbridge_outbox WHERE state = ?s AND attempts > 0 ORDER BY attempts DESC LIMIT ?i',
            'P',
            $limit
        );

        return array_merge($given_up, $tried);
    }

    /** Whether this request wrote something. */
    public static function wroteInThisRequest(): bool
    {
        return self::$own !== [];
    }

    /** A process that lives longer than one request begins the next one. */
    public static function nextRequest(): void
    {
        self::$own = [];
    }
}
