<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Staff notes on customers, shared with HighLevel. */
final class Notes
{
    /** The longest note as it is stored and sent, in JSON of ASCII; its event stays below the bridge's 1 MiB. */
    private const LONGEST = 900000;

    /** How much of a customer's notes is read at once, as it is stored: a page must not need more memory than PHP gives it. */
    private const AT_ONCE = 2000000;

    /**
     * Newest first; of very many and long ones only the newest.
     *
     * @return array<int, array{note_id: int, user_id: int, external_id: string, body: string, author: string, created_at: int, updated_at: int}>
     */
    public static function of(int $user_id): array
    {
        $ids = [];
        $bytes = 0;
        foreach (db_get_array('SELECT note_id, LENGTH(body) AS bytes FROM ?:cartbridge_notes WHERE user_id = ?i ORDER BY created_at DESC, note_id DESC LIMIT 500', $user_id) as $row) {
            $bytes += (int) $row['bytes'];
            if ($ids !== [] && $bytes > self::AT_ONCE) {
                break;
            }
            $ids[] = (int) $row['note_id'];
        }
        if ($ids === []) {
            return [];
        }

        return array_map([self::class, 'read'], db_get_array('SELECT * FROM ?:cartbridge_notes WHERE note_id IN (?n) ORDER BY created_at DESC, note_id DESC', $ids));
    }

    public static function count(int $user_id): int
    {
        return (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_notes WHERE user_id = ?i', $user_id);
    }

    /** @return array{note_id: int, user_id: int, external_id: string, body: string, author: string, created_at: int, updated_at: int}|null */
    public static function find(int $note_id): ?array
    {
        $row = db_get_row('SELECT * FROM ?:cartbridge_notes WHERE note_id = ?i', $note_id);

        return empty($row) ? null : self::read($row);
    }

    public static function idOf(string $external_id): int
    {
        return $external_id === '' ? 0 : (int) db_get_field('SELECT note_id FROM ?:cartbridge_notes WHERE external_id = ?s', $external_id);
    }

    /**
     * Writes a note; `note_id` 0 makes a new one.
     *
     * @throws Problem
     */
    public static function save(int $note_id, int $user_id, string $body, string $author, string $external_id = '', int $created_at = 0): int
    {
        $body = trim($body);
        $stored = Json::encode($body);
        if ($body === '') {
            throw new Problem('the note is empty: write something');
        }
        if (strlen($stored) > self::LONGEST) {
            throw new Problem('the note is too long: at most ' . self::LONGEST . ' bytes as it is sent, and this one has ' . strlen($stored) . '. Make two of it');
        }
        if (preg_match('/^[\x21-\x7e]{0,128}$/D', $external_id) !== 1) {
            throw new Problem('`external_id` has at most 128 characters, and no white space');
        }
        if (!Customers::isCustomer($user_id)) {
            throw new Problem('no customer has the id ' . $user_id, 404);
        }
        $columns = ['body' => $stored, 'author' => Json::encode(substr($author, 0, 150)), 'updated_at' => time()];
        if ($note_id > 0) {
            $note = self::find($note_id);
            if ($note === null || $note['user_id'] !== $user_id) {
                throw new Problem('the customer ' . $user_id . ' has no note ' . $note_id, 404);
            }
            if ($external_id !== '') {
                $columns['external_id'] = $external_id;
            }
            db_query('UPDATE ?:cartbridge_notes SET ?u WHERE note_id = ?i', $columns, $note_id);

            return $note_id;
        }
        $columns += ['user_id' => $user_id, 'created_at' => $created_at > 0 ? $created_at : time()];
        if ($external_id !== '') {
            $columns['external_id'] = $external_id;
        }

        return (int) db_query('INSERT INTO ?:cartbridge_notes ?e', $columns);
    }

    /** @return array<int, string> the ids that a customer's notes have in HighLevel, of those that came from there */
    public static function externalIds(int $user_id): array
    {
        return db_get_fields('SELECT external_id FROM ?:cartbridge_notes WHERE user_id = ?i AND external_id IS NOT NULL', $user_id);
    }

    public static function delete(int $note_id): void
    {
        db_query('DELETE FROM ?:cartbridge_notes WHERE note_id = ?i', $note_id);
    }

    /**
     * As an event and the signed calls show it.
     *
     * @param array{note_id: int, user_id: int, external_id: string, body: string, author: string, created_at: int, updated_at: int} $note
     *
     * @return array<string, mixed>
     */
    public static function show(array $note): array
    {
        foreach (['created_at', 'updated_at'] as $name) {
            $note[$name] = gmdate('Y-m-d\TH:i:s\Z', $note[$name]);
        }

        return $note;
    }

    /**
     * @param array<string, mixed> $row
     *
     * @return array{note_id: int, user_id: int, external_id: string, body: string, author: string, created_at: int, updated_at: int}
     */
    private static function read(array $row): array
    {
        return [
            'note_id' => (int) $row['note_id'],
            'user_id' => (int) $row['user_id'],
            'external_id' => (string) $row['external_id'],
            'body' => Json::text((string) $row['body']),
            'author' => Json::text((string) $row['author']),
            'created_at' => (int) $row['created_at'],
            'updated_at' => (int) $row['updated_at'],
        ];
    }
}
