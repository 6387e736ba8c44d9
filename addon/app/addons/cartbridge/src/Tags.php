<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Tags of customers, shared with HighLevel: lower-cased, as HighLevel does. */
final class Tags
{
    private const LONGEST = 100;

    /** @return array<int, string> in order */
    public static function of(int $user_id): array
    {
        $tags = [];
        foreach (db_get_fields('SELECT tag FROM ?:cartbridge_tags WHERE user_id = ?i', $user_id) as $stored) {
            $tags[] = Json::text((string) $stored);
        }
        sort($tags);

        return $tags;
    }

    /**
     * Adds and removes. What is there already, or not there, is no error.
     *
     * @param array<array-key, mixed> $add
     * @param array<array-key, mixed> $remove
     *
     * @return array<int, string> all that the customer has now
     *
     * @throws Problem that names the tag
     */
    public static function change(int $user_id, array $add, array $remove): array
    {
        $add = array_map([self::class, 'clean'], $add);
        $remove = array_map([self::class, 'clean'], $remove);
        if (!Customers::isCustomer($user_id)) {
            throw new Problem('no customer has the id ' . $user_id, 404);
        }
        foreach ($remove as $tag) {
            db_query('DELETE FROM ?:cartbridge_tags WHERE user_id = ?i AND tag_hash = ?s', $user_id, sha1($tag));
        }
        foreach ($add as $tag) {
            db_query(
                'REPLACE INTO ?:cartbridge_tags ?e',
                ['user_id' => $user_id, 'tag_hash' => sha1($tag), 'tag' => Json::encode($tag), 'created_at' => time()]
            );
        }

        return self::of($user_id);
    }

    /** @param mixed $tag */
    private static function clean($tag): string
    {
        if (!is_string($tag)) {
            throw new Problem('a tag is a text');
        }
        $tag = trim((string) preg_replace('/\s+/u', ' ', $tag));
        $tag = function_exists('mb_strtolower') ? mb_strtolower($tag, 'UTF-8') : strtolower($tag);
        if ($tag === '' || strlen($tag) > self::LONGEST || strpos($tag, ',') !== false) {
            throw new Problem('a tag has 1 to ' . self::LONGEST . ' bytes and no comma; this one is "' . Json::excerpt($tag, 120) . '"');
        }

        return $tag;
    }
}
