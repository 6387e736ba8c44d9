<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Orders as the events show them; no payment data. */
final class Orders
{
    private const COLUMNS = [
        'order_id', 'parent_order_id', 'company_id', 'storefront_id', 'user_id', 'email', 'phone', 'firstname', 'lastname', 'company', 'status',
        'total', 'subtotal', 'discount', 'subtotal_discount', 'shipping_cost', 'timestamp', 'updated_at', 'notes', 'details', 'lang_code', 'tax_exempt',
    ];

    /** How long an order or a cart may get, as JSON: its event stays below the bridge's 1 MiB. */
    private const LONGEST = 900000;

    /** A status of an order that is not placed yet (payment under way). */
    public const INCOMPLETE = 'N';

    /**
     * @return array<string, mixed>|null null: there is no such order, or it is only the parent that a split order leaves behind
     */
    public static function read(int $order_id): ?array
    {
        if ($order_id <= 0) {
            return null;
        }
        $info = Store::whole(static function () use ($order_id) {
            return fn_get_order_info($order_id, false, false);
        });
        if (!is_array($info) || empty($info['order_id']) || ($info['is_parent_order'] ?? 'N') === 'Y') {
            return null;
        }

        return $info;
    }

    /**
     * @param array<string, mixed> $info
     *
     * @return array<string, mixed>
     */
    public static function data(array $info, ?string $previous_status = null): array
    {
        $order = [];
        foreach (self::COLUMNS as $column) {
            if (isset($info[$column]) && is_scalar($info[$column])) {
                $order[$column] = $info[$column];
            }
        }
        foreach ($info as $column => $value) {
            if (preg_match('/^[bs]_[a-z_0-9]+$/D', (string) $column) === 1 && is_scalar($value)) {
                $order[$column] = $value;
            }
        }
        if ($previous_status !== null) {
            $order['previous_status'] = $previous_status;
        }
        $order['currency'] = (string) ($info['secondary_currency'] ?? (defined('CART_PRIMARY_CURRENCY') ? CART_PRIMARY_CURRENCY : ''));
        $order['fields'] = isset($info['fields']) && is_array($info['fields']) ? (object) $info['fields'] : new \stdClass();
        $order['products'] = self::products(isset($info['products']) && is_array($info['products']) ? $info['products'] : []);

        return ['order' => self::fit($order)];
    }

    /**
     * Leaves out products of an order, or a cart, that has too many of them for one event; `products_left_out` says how many. The bridge would
     * refuse it otherwise, and all that comes after it from this customer would wait.
     *
     * @param array<string, mixed> $order
     *
     * @return array<string, mixed>
     */
    public static function fit(array $order): array
    {
        $all = count($order['products']);
        while ($order['products'] !== [] && strlen(Json::encode($order)) > self::LONGEST) {
            $order['products'] = array_slice($order['products'], 0, intdiv(count($order['products']), 2));
            $order['products_left_out'] = $all - count($order['products']);
        }

        return $order;
    }

    /**
     * @param array<array-key, mixed> $rows
     *
     * @return array<int, array<string, mixed>>
     */
    private static function products(array $rows): array
    {
        $rows = array_filter($rows, 'is_array');
        $ids = array_values(array_filter(array_map('intval', array_column($rows, 'product_id'))));
        $categories = [];
        if ($ids !== []) {
            foreach (db_get_array('SELECT product_id, category_id FROM ?:products_categories WHERE product_id IN (?n) ORDER BY category_id', $ids) as $link) {
                $categories[(int) $link['product_id']][] = (int) $link['category_id'];
            }
        }
        $products = [];
        foreach ($rows as $row) {
            $id = (int) ($row['product_id'] ?? 0);
            $products[] = [
                'product_id' => $id,
                'product' => (string) ($row['product'] ?? ''),
                'product_code' => (string) ($row['product_code'] ?? ''),
                'amount' => $row['amount'] ?? 0,
                'price' => $row['price'] ?? 0,
                'category_ids' => $categories[$id] ?? [],
            ];
        }

        return $products;
    }
}
