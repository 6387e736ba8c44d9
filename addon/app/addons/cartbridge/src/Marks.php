<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** What was already told, so that it is not told twice, and what is still to be told when there is room again. */
final class Marks
{
    /** Sets a mark; false: it was there. Of two requests at once only one gets true: the one whose token stands in the row. */
    public static function once(string $kind, string $object_id): bool
    {
        $token = bin2hex(random_bytes(8));
        db_query(
            'INSERT IGNORE INTO ?:cartbridge_marks ?e',
            ['kind' => $kind, 'object_id' => $object_id, 'value' => $token, 'created_at' => time()]
        );

        return self::value($kind, $object_id) === $token;
    }

    public static function put(string $kind, string $object_id, string $value): void
    {
        db_query(
            'REPLACE INTO ?:cartbridge_marks ?e',
            ['kind' => $kind, 'object_id' => $object_id, 'value' => $value, 'created_at' => time()]
        );
    }

    public static function value(string $kind, string $object_id): ?string
    {
        $value = db_get_row('SELECT value FROM ?:cartbridge_marks WHERE kind = ?s AND object_id = ?s', $kind, $object_id);

        return isset($value['value']) ? (string) $value['value'] : null;
    }

    public static function drop(string $kind, string $object_id): void
    {
        db_query('DELETE FROM ?:cartbridge_marks WHERE kind = ?s AND object_id = ?s', $kind, $object_id);
    }

    /** @return array<int, array<string, string>> the oldest, with `object_id` and `value` */
    public static function oldest(string $kind, int $limit): array
    {
        return db_get_array('SELECT object_id, value FROM ?:cartbridge_marks WHERE kind = ?s ORDER BY created_at, object_id LIMIT ?i', $kind, $limit);
    }

    /** How many there are; no more than `$at_most` are counted. */
    public static function count(string $kind, int $at_most): int
    {
        return (int) db_get_field('SELECT COUNT(*) FROM (SELECT object_id FROM ?:cartbridge_marks WHERE kind = ?s LIMIT ?i) AS counted', $kind, $at_most);
    }
}
