<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Finds carts that registered customers left behind. (A guest's cart has no e-mail to know him by.) */
final class Carts
{
    /** Older ones are no news. */
    private const OLDEST = 259200;

    /** @return int how many were told */
    public static function tell(): int
    {
        $minutes = State::number('cart_minutes');
        if ($minutes === 0 || Outbox::isFull()) {
            return 0;
        }
        $now = time();
        // Those that were told already are left out here: else the oldest 500 would hide the rest.
        $carts = db_get_array(
            'SELECT c.user_id, c.touched_at FROM (SELECT p.user_id, MAX(p.timestamp) AS touched_at FROM ?:user_session_products p'
            . ' INNER JOIN ?:users u ON u.user_id = p.user_id AND u.user_type = ?s'
            . ' WHERE p.type = ?s AND p.user_type = ?s AND p.timestamp >= ?i GROUP BY p.user_id HAVING touched_at <= ?i) AS c'
            . ' LEFT JOIN ?:cartbridge_marks m ON m.kind = ?s AND m.object_id = CONVERT(CONCAT(c.user_id, ?s, c.touched_at) USING ascii)'
            . ' WHERE m.object_id IS NULL ORDER BY c.touched_at LIMIT 500',
            'C',
            'C',
            'R',
            $now - self::OLDEST,
            $now - 60 * $minutes,
            'cart',
            ':'
        );
        $told = 0;
        foreach ($carts as $cart) {
            $told += (int) Transaction::run(static function () use ($cart): bool {
                $id = $cart['user_id'] . ':' . $cart['touched_at'];
                $data = self::data((int) $cart['user_id'], (int) $cart['touched_at']);

                // The mark first: of two runs at once the second waits here.
                if ($data === null || !Marks::once('cart', $id)) {
                    return false;
                }
                if (Outbox::put('cart.abandoned', Customers::lane((int) $cart['user_id'], ''), 'cart:' . $id, $data)) {
                    return true;
                }
                Marks::drop('cart', $id);

                return false;
            });
        }
        db_query('DELETE FROM ?:cartbridge_marks WHERE kind = ?s AND created_at < ?i', 'cart', $now - 2 * self::OLDEST);

        return $told;
    }

    /** @return array<string, mixed>|null */
    private static function data(int $user_id, int $touched_at): ?array
    {
        $customer = Customers::data($user_id);
        if ($customer === null) {
            return null;
        }
        $products = [];
        $total = 0.0;
        $rows = db_get_array(
            'SELECT p.product_id, p.amount, p.price, d.product FROM ?:user_session_products p'
            . ' LEFT JOIN ?:product_descriptions d ON d.product_id = p.product_id AND d.lang_code = ?s'
            . ' WHERE p.user_id = ?i AND p.type = ?s AND p.user_type = ?s ORDER BY p.product_id',
            defined('CART_LANGUAGE') ? CART_LANGUAGE : 'en',
            $user_id,
            'C',
            'R'
        );
        foreach ($rows as $row) {
            $products[] = ['product_id' => (int) $row['product_id'], 'product' => (string) $row['product'], 'amount' => $row['amount'], 'price' => $row['price']];
            $total += (float) $row['amount'] * (float) $row['price'];
        }

        return ['cart' => Orders::fit([
            'user_id' => $user_id,
            'email' => $customer['user']['email'] ?? '',
            'timestamp' => $touched_at,
            'total' => round($total, 2),
            'currency' => defined('CART_PRIMARY_CURRENCY') ? CART_PRIMARY_CURRENCY : '',
            'products' => $products,
        ])];
    }
}
