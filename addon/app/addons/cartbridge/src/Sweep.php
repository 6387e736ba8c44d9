<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * Finds new customers and orders of which no hook has told: of a request that was killed between the store's own writing and the add-on's,
 * which are not one transaction in CS-Cart, or of a program that writes into the tables itself. What was there before the
 * first run is left alone, and what is looked at was there five minutes ago, so that no request is overtaken.
 */
final class Sweep
{
    private const APART = 300;
    private const AT_ONCE = 500;
    /** For how long after it was made an order may still be found: its payment may take its time. */
    private const ORDERS_FOR = 172800;

    public static function run(): void
    {
        db_query('INSERT IGNORE INTO ?:cartbridge_state ?e', ['name' => 'sweep', 'value' => Json::encode(self::now([]))]);
        Transaction::run(static function (): void {
            // Of two runs at once the second waits here, and then finds nothing to do.
            $last = Json::decode((string) db_get_field('SELECT value FROM ?:cartbridge_state WHERE name = ?s FOR UPDATE', 'sweep'), 'the sweep');
            if (time() >= $last['at'] && time() < $last['at'] + self::APART) {
                return;
            }
            $users = self::users((int) $last['users_from'], (int) $last['users_to']);
            foreach ($users as $user_id) {
                Recorder::get()->customerFound((int) $user_id);
            }
            $orders = self::orders((int) $last['orders_from']);
            foreach (array_intersect($orders, (array) $last['orders']) as $order_id) {
                Recorder::get()->orderFound((int) $order_id);
            }
            if (count($users) === self::AT_ONCE) {
                // There may be more of them: the next run goes on.
                $next = ['users_from' => (int) end($users)] + $last;
            } else {
                $next = ['users_from' => $last['users_to'], 'orders_from' => self::stillLookedAt((int) $last['orders_from'])] + self::now($orders);
            }
            State::set('sweep', Json::encode($next));
        });
    }

    /**
     * @param array<int, string> $orders that were found for the first time
     *
     * @return array<string, mixed>
     */
    private static function now(array $orders): array
    {
        $newest = (int) db_get_field('SELECT MAX(user_id) FROM ?:users');

        return [
            'at' => time(),
            'users_from' => $newest,
            'users_to' => $newest,
            'orders_from' => (int) db_get_field('SELECT MAX(order_id) FROM ?:orders'),
            'orders' => $orders,
        ];
    }

    /** @return array<int, string> customers of whom nothing was ever told */
    private static function users(int $after, int $until): array
    {
        return db_get_fields(
            'SELECT u.user_id FROM ?:users u LEFT JOIN ?:cartbridge_changes c ON c.user_id = u.user_id'
            . ' WHERE u.user_id > ?i AND u.user_id <= ?i AND u.user_type = ?s AND c.user_id IS NULL ORDER BY u.user_id LIMIT ?i',
            $after,
            $until,
            'C',
            self::AT_ONCE
        );
    }

    /** @return array<int, string> orders that are placed and were not told of */
    private static function orders(int $after): array
    {
        return db_get_fields(
            'SELECT o.order_id FROM ?:orders o LEFT JOIN ?:cartbridge_marks m ON m.kind = ?s AND m.object_id = CONVERT(CONCAT(o.order_id) USING ascii)'
            . ' WHERE o.order_id > ?i AND o.timestamp > ?i AND o.status <> ?s AND o.is_parent_order <> ?s AND m.object_id IS NULL ORDER BY o.order_id LIMIT ?i',
            'order',
            $after,
            time() - self::ORDERS_FOR,
            Orders::INCOMPLETE,
            'Y',
            self::AT_ONCE
        );
    }

    /** The number before the first order that is new enough, so that not all of them are gone through for ever. */
    private static function stillLookedAt(int $after): int
    {
        $first = (int) db_get_field('SELECT order_id FROM ?:orders WHERE order_id > ?i AND timestamp > ?i ORDER BY order_id LIMIT 1', $after, time() - self::ORDERS_FOR);

        return $first > 0 ? $first - 1 : $after;
    }
}
