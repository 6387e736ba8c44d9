<?php

namespace Cartbridge;

/**
 * The events that the bridge is still to be told: a table of the store's own database, written in the request in which a thing
 * happens. A row leaves the state `P` (pending) only when the bridge has answered 2xx (`S`, sent) or when it has refused the
 * row itself, and nothing else, for 7 days (`R`, refused: shown in the administration, to be sent again by hand).
 */
final class Outbox
{
    /** How long a row that the bridge refuses is repeated. */
    public const REFUSED_AFTER = 604800;

    /** Types of which only the newest counts, since each says the whole state. */
    private const WHOLE_STATE = ['customer.updated', 'customer.viewed', 'customer.tags_changed', 'order.updated', 'vendor.updated'];

    /** @var array<string, string> event ids of this request, by type and object: a second change of the same thing takes the first's row */
    private static $own = [];

    /**
     * Writes an event.
     *
     * @param string               $type   such as `customer.updated`
     * @param string               $lane   whom it is about; the events of one lane are sent in order
     * @param string               $object what it is about: a second state of the same object within a request replaces the first
     * @param array<string, mixed> $data   what the bridge is told
     *
     * @return bool false: the outbox is full, the event is not in it (and counted)
     */
    public static function put(string $type, string $lane, string $object, array $data): bool
    {
        $lane = self::lane($lane);
        $body = Json::encode(['type' => $type, 'timestamp' => gmdate('Y-m-d\TH:i:s\Z'), 'store' => Store::describe($data), 'data' => (object) $data]);
        $own = $type . ' ' . $object;
        if (isset(self::$own[$own]) && in_array($type, self::WHOLE_STATE, true) && self::rewrite(self::$own[$own], $lane, $body)) {
            return true;
        }
        if (self::isFull() && !self::makeRoom($type, $lane)) {
            self::turnAway($type);

            return false;
        }
        $event_id = 'msg_' . bin2hex(random_bytes(16));
        db_query(
            'INSERT INTO ?:cartbridge_outbox ?e',
            ['event_id' => $event_id, 'type' => $type, 'lane' => $lane, 'body' => $body, 'created_at' => time()]
        );
        self::$own[$own] = $event_id;

        return true;
    }

    /** The newer body for a row of this request, if it was not tried yet and nothing of its lane stands behind it. */
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

        return true;
    }

    /** ASCII of a bounded length; an address that is neither is told apart by its hash. */
    private static function lane(string $lane): string
    {
        if (strlen($lane) <= 150 && preg_match('/^[\x21-\x7e]+$/D', $lane) === 1) {
            return $lane;
        }

        return substr((string) preg_replace('/[^\x21-\x7e]/', '', $lane), 0, 80) . '#' . sha1($lane);
    }

    /** Two look-ups in the index say that there is room; only if they do not, the rows are counted. */
    private static function isFull(): bool
    {
        $max = State::number('max_pending');
        $oldest = (int) db_get_field('SELECT MIN(event_no) FROM ?:cartbridge_outbox WHERE state = ?s', 'P');
        $newest = (int) db_get_field('SELECT MAX(event_no) FROM ?:cartbridge_outbox WHERE state = ?s', 'P');
        if ($oldest === 0 || $newest - $oldest + 1 < $max) {
            return false;
        }

        return self::pending() >= $max;
    }

    /** A full outbox still takes the newest state of a thing in the place of an older one. */
    private static function makeRoom(string $type, string $lane): bool
    {
        if (!in_array($type, self::WHOLE_STATE, true)) {
            return false;
        }
        // The last row of the lane only: what stands behind it would otherwise be told before it.
        $last = db_get_row('SELECT event_no, type, attempts FROM ?:cartbridge_outbox WHERE state = ?s AND lane = ?s ORDER BY event_no DESC LIMIT 1', 'P', $lane);
        if (empty($last) || $last['type'] !== $type || $type === 'order.updated') {
            return false;
        }
        db_query('DELETE FROM ?:cartbridge_outbox WHERE event_no = ?i AND state = ?s', $last['event_no'], 'P');

        return true;
    }

    private static function turnAway(string $type): void
    {
        State::add('turned_away', 1);
        State::set('turned_away_at', (string) time());
        State::set('turned_away_type', $type);
    }

    public static function pending(): int
    {
        return (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_outbox WHERE state = ?s', 'P');
    }

    /**
     * The front rows of the lanes that may be tried now, oldest first.
     *
     * @return array<int, array<string, string>>
     */
    public static function due(int $limit): array
    {
        return db_get_array(
            'SELECT o.event_no, o.event_id, o.type, o.lane, o.body, o.attempts, o.refused_since FROM ?:cartbridge_outbox o'
            . ' INNER JOIN (SELECT MIN(event_no) AS front FROM ?:cartbridge_outbox WHERE state = ?s GROUP BY lane) f ON f.front = o.event_no'
            . ' WHERE o.next_attempt_at <= ?i ORDER BY o.event_no LIMIT ?i',
            'P',
            time(),
            $limit
        );
    }

    public static function sent(string $event_no, int $status): void
    {
        db_query(
            'UPDATE ?:cartbridge_outbox SET state = ?s, sent_at = ?i, attempts = attempts + 1, last_status = ?i, last_error = ?s WHERE event_no = ?i',
            'S',
            time(),
            $status,
            '',
            $event_no
        );
    }

    /** @param array<string, string> $row */
    public static function failed(array $row, Answer $answer, int $next_attempt_at): void
    {
        $refused_since = 0;
        $state = 'P';
        if ($answer->isRefusalOfRow()) {
            $refused_since = (int) $row['refused_since'] ?: time();
            $state = time() - $refused_since >= self::REFUSED_AFTER ? 'R' : 'P';
        }
        db_query(
            'UPDATE ?:cartbridge_outbox SET state = ?s, attempts = attempts + 1, refused_since = ?i, next_attempt_at = ?i, last_status = ?i, last_error = ?s WHERE event_no = ?i',
            $state,
            $refused_since,
            $next_attempt_at,
            $answer->status(),
            $answer->text(),
            $row['event_no']
        );
    }

    /**
     * Has rows sent again: those given, or all that are refused.
     *
     * @param array<int, string> $event_ids
     *
     * @return int how many
     */
    public static function resend(array $event_ids = []): int
    {
        $fresh = ['state' => 'P', 'next_attempt_at' => 0, 'refused_since' => 0, 'sent_at' => 0];
        if ($event_ids === []) {
            $event_ids = db_get_fields('SELECT event_id FROM ?:cartbridge_outbox WHERE state = ?s', 'R');
        }
        if ($event_ids === []) {
            return 0;
        }
        db_query('UPDATE ?:cartbridge_outbox SET ?u WHERE event_id IN (?a)', $fresh, $event_ids);

        return (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_outbox WHERE state = ?s AND event_id IN (?a)', 'P', $event_ids);
    }

    /** Lets waiting rows be tried at once: after a new connection, or when a person says so. */
    public static function hurry(): void
    {
        db_query('UPDATE ?:cartbridge_outbox SET next_attempt_at = 0 WHERE state = ?s', 'P');
    }

    /** Drops what was delivered long enough ago. */
    public static function prune(): void
    {
        $before = time() - 86400 * State::number('keep_sent_days');
        db_query('DELETE FROM ?:cartbridge_outbox WHERE state = ?s AND sent_at < ?i LIMIT 5000', 'S', $before);
    }

    /**
     * Age and size, for the administration.
     *
     * @return array{pending: int, refused: int, sent: int, oldest_at: int, bytes: int}
     */
    public static function measure(): array
    {
        $counts = ['P' => 0, 'R' => 0, 'S' => 0];
        foreach (db_get_array('SELECT state, COUNT(*) AS rows_count FROM ?:cartbridge_outbox GROUP BY state') as $row) {
            $counts[$row['state']] = (int) $row['rows_count'];
        }

        return [
            'pending' => $counts['P'],
            'refused' => $counts['R'],
            'sent' => $counts['S'],
            'oldest_at' => (int) db_get_field('SELECT MIN(created_at) FROM ?:cartbridge_outbox WHERE state = ?s', 'P'),
            'bytes' => (int) db_get_field('SELECT SUM(LENGTH(body)) FROM ?:cartbridge_outbox WHERE state = ?s', 'P'),
        ];
    }

    /**
     * What went wrong last, for the administration.
     *
     * @return array<int, array<string, string>>
     */
    public static function troubles(int $limit): array
    {
        return db_get_array(
            'SELECT event_id, type, lane, state, attempts, created_at, next_attempt_at, last_status, last_error FROM ?:cartbridge_outbox'
            . ' WHERE state IN (?a) AND attempts > 0 ORDER BY event_no LIMIT ?i',
            ['P', 'R'],
            $limit
        );
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
