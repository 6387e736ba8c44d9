<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * Which customers changed, in order, for a bridge that asks. Rows are only added, since a row that is replaced can make two shoppers'
 * requests wait for each other, and the database then gives one of them up; of several of one customer the newest counts.
 */
final class Changes
{
    private const BATCH = 1000;

    public static function add(int $user_id, bool $deleted): void
    {
        db_query('INSERT INTO ?:cartbridge_changes ?e', ['user_id' => $user_id, 'deleted' => $deleted ? 'Y' : 'N', 'changed_at' => time()]);
    }

    /** @return array<int, array<string, string>> the newest of each customer, in order */
    public static function after(int $change_no, int $limit): array
    {
        return db_get_array(
            'SELECT c.change_no, c.user_id, c.deleted, c.changed_at FROM ?:cartbridge_changes c WHERE c.change_no > ?i'
            . ' AND NOT EXISTS (SELECT 1 FROM ?:cartbridge_changes n WHERE n.user_id = c.user_id AND n.change_no > c.change_no)'
            . ' ORDER BY c.change_no LIMIT ?i',
            $change_no,
            $limit
        );
    }

    /** Drops what a newer change of the same customer has made useless, of the changes since the last time. */
    public static function prune(): void
    {
        $since = State::number('changes_pruned_to');
        $recent = db_get_fields('SELECT change_no FROM ?:cartbridge_changes WHERE change_no > ?i ORDER BY change_no LIMIT ?i', $since, self::BATCH);
        if ($recent === []) {
            return;
        }
        $until = (int) end($recent);
        $useless = db_get_fields(
            'SELECT o.change_no FROM ?:cartbridge_changes n INNER JOIN ?:cartbridge_changes o ON o.user_id = n.user_id AND o.change_no < n.change_no'
            . ' WHERE n.change_no > ?i AND n.change_no <= ?i',
            $since,
            $until
        );
        if ($useless !== []) {
            db_query('DELETE FROM ?:cartbridge_changes WHERE change_no IN (?n)', $useless);
        }
        State::set('changes_pruned_to', (string) $until);
    }
}
