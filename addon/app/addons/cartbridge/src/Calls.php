<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * The calls themselves. What they write is not told back as an event of its own: the bridge knows it. Only a usergroup, which
 * the store's own function changes, makes a `customer.updated`.
 */
final class Calls
{
    /**
     * @param array<array-key, mixed> $call
     *
     * @return array<string, mixed>
     *
     * @throws Problem
     */
    public static function act(array $call): array
    {
        $action = $call['action'] ?? '';
        switch ($action) {
            case 'ping':
                return ['store' => Store::describe(), 'time' => time()];
            case 'customer.get':
                return self::customer($call);
            case 'customers.changed':
                return self::changed($call);
            case 'note.put':
                return self::putNote($call);
            case 'note.delete':
                return self::deleteNote($call);
            case 'notes.list':
                return ['notes' => array_map([Notes::class, 'show'], Notes::of(self::userId($call)))];
            case 'tags.change':
                return ['tags' => Tags::change(self::userId($call), self::listOf($call, 'add'), self::listOf($call, 'remove'))];
            case 'usergroups.change':
                return self::changeUsergroups($call);
        }
        throw new Problem('`action` is one of ping, customer.get, customers.changed, note.put, note.delete, notes.list, tags.change, usergroups.change');
    }

    /**
     * @param array<array-key, mixed> $call
     *
     * @return array<string, mixed>
     */
    private static function customer(array $call): array
    {
        $user_id = self::userId($call);
        $data = Customers::data($user_id);
        if ($data === null) {
            throw new Problem('no customer has the id ' . $user_id, 404);
        }

        return $data;
    }

    /**
     * Customers in the order of their last change. `since` is the `next` of the page before, 0 at the beginning. The list begins
     * with the add-on's installation: who has not changed since is not in it.
     *
     * @param array<array-key, mixed> $call
     *
     * @return array<string, mixed>
     */
    private static function changed(array $call): array
    {
        $since = self::whole($call, 'since', 0);
        $limit = min(max(self::whole($call, 'limit', 100), 1), 100);
        $rows = Changes::after($since, $limit);
        $items = [];
        $next = $since;
        foreach ($rows as $row) {
            $next = (int) $row['change_no'];
            $data = $row['deleted'] === 'Y' ? null : Customers::data((int) $row['user_id']);
            $items[] = [
                'user_id' => (int) $row['user_id'],
                'deleted' => $data === null,
                'changed_at' => gmdate('Y-m-d\TH:i:s\Z', (int) $row['changed_at']),
                'user' => $data === null ? null : $data['user'],
            ];
        }

        return ['items' => $items, 'next' => $next, 'more' => count($rows) === $limit];
    }

    /**
     * @param array<array-key, mixed> $call
     *
     * @return array<string, mixed>
     */
    private static function putNote(array $call): array
    {
        $external_id = self::text($call, 'external_id');
        $note_id = self::whole($call, 'note_id', 0) ?: Notes::idOf($external_id);
        $at = self::text($call, 'created_at');
        $created_at = $at === '' ? 0 : strtotime($at);
        if ($created_at === false) {
            throw new Problem('`created_at` is a time such as 2026-11-24T12:00:00Z');
        }

        return ['note_id' => Notes::save($note_id, self::userId($call), self::text($call, 'body'), self::text($call, 'author'), $external_id, $created_at)];
    }

    /**
     * @param array<array-key, mixed> $call
     *
     * @return array<string, mixed>
     */
    private static function deleteNote(array $call): array
    {
        $note_id = self::whole($call, 'note_id', 0) ?: Notes::idOf(self::text($call, 'external_id'));
        Notes::delete($note_id);

        return ['deleted' => true];
    }

    /**
     * @param array<array-key, mixed> $call
     *
     * @return array<string, mixed>
     */
    private static function changeUsergroups(array $call): array
    {
        $user_id = self::userId($call);
        if (!Customers::isCustomer($user_id)) {
            throw new Problem('no customer has the id ' . $user_id, 404);
        }
        foreach (['add' => 'A', 'remove' => 'F'] as $list => $status) {
            foreach (self::listOf($call, $list) as $id) {
                $group = is_int($id) || (is_string($id) && ctype_digit($id)) ? (int) $id : 0;
                // 1 and 2 are everybody and everybody registered.
                if ($group < 3 || db_get_field('SELECT type FROM ?:usergroups WHERE usergroup_id = ?i', $group) !== 'C') {
                    throw new Problem('`' . $list . '`: no usergroup of customers has the id ' . Json::excerpt(is_scalar($id) ? (string) $id : '?', 20), 404);
                }
                $link = db_get_row('SELECT status FROM ?:usergroup_links WHERE user_id = ?i AND usergroup_id = ?i', $user_id, $group);
                if (empty($link) ? $status === 'F' : $link['status'] === $status) {
                    continue;
                }
                fn_change_usergroup_status($status, $user_id, $group);
            }
        }

        return ['usergroups' => Customers::usergroups($user_id)];
    }

    /** @param array<array-key, mixed> $call */
    private static function userId(array $call): int
    {
        $id = self::whole($call, 'user_id', 0);
        if ($id === 0) {
            throw new Problem('`user_id` is missing: the id of a registered customer');
        }

        return $id;
    }

    /** @param array<array-key, mixed> $call */
    private static function whole(array $call, string $name, int $default): int
    {
        $value = $call[$name] ?? $default;
        if ((is_string($value) && preg_match('/^\d{1,18}$/D', $value) === 1) || (is_int($value) && $value >= 0)) {
            return (int) $value;
        }
        throw new Problem('`' . $name . '` is a whole number');
    }

    /** @param array<array-key, mixed> $call */
    private static function text(array $call, string $name): string
    {
        $value = $call[$name] ?? '';
        if (!is_string($value)) {
            throw new Problem('`' . $name . '` is a text');
        }

        return $value;
    }

    /**
     * @param array<array-key, mixed> $call
     *
     * @return array<array-key, mixed>
     */
    private static function listOf(array $call, string $name): array
    {
        $value = $call[$name] ?? [];
        if (!is_array($value) || count($value) > 100) {
            throw new Problem('`' . $name . '` is a list of at most 100');
        }

        return $value;
    }
}
