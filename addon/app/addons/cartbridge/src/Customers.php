<?php

namespace Cartbridge;

use Tygh\Registry;

defined('BOOTSTRAP') or die('Access denied');

/** Customers as the events show them: the columns of CS-Cart's users and addresses, and nothing that lets anyone in. */
final class Customers
{
    private const COLUMNS = [
        'user_id', 'user_type', 'status', 'email', 'firstname', 'lastname', 'phone', 'company', 'company_id', 'lang_code', 'birthday',
        'timestamp', 'last_login', 'tax_exempt', 'url', 'fax', 'purchase_timestamp_from', 'purchase_timestamp_to', 'profile_id', 'profile_name',
    ];
    private const ADDRESS = [
        'firstname', 'lastname', 'address', 'address_2', 'city', 'county', 'state', 'state_descr', 'country', 'country_descr', 'zipcode',
        'phone', 'address_type',
    ];

    /**
     * The data of a customer's event.
     *
     * @return array<string, mixed>|null null: nobody has this id, or he is no customer (staff, a vendor)
     */
    public static function data(int $user_id): ?array
    {
        if ($user_id <= 0) {
            return null;
        }
        $info = Store::whole(static function () use ($user_id) {
            return fn_get_user_info($user_id, true);
        });
        if (!is_array($info) || empty($info['user_id']) || ($info['user_type'] ?? '') !== 'C') {
            return null;
        }
        $user = self::pick($info);
        $user['fields'] = isset($info['fields']) && is_array($info['fields']) ? (object) $info['fields'] : new \stdClass();

        return self::whole($user, self::usergroups($user_id), Tags::of($user_id), false);
    }

    /**
     * The data of a customer who ordered without registering: what his order says of him.
     *
     * @param array<string, mixed> $order
     *
     * @return array<string, mixed>|null null: no e-mail, so nobody that could be known again
     */
    public static function guest(array $order): ?array
    {
        if (trim((string) ($order['email'] ?? '')) === '') {
            return null;
        }
        $user = self::pick($order);
        $user['user_id'] = 0;
        $user['user_type'] = 'C';
        $user['status'] = 'A';
        unset($user['profile_id'], $user['profile_name'], $user['tax_exempt']);
        $user['fields'] = isset($order['fields']) && is_array($order['fields']) ? (object) $order['fields'] : new \stdClass();

        return self::whole($user, [], [], true);
    }

    /** Whose events these are among. */
    public static function lane(int $user_id, string $email): string
    {
        return $user_id > 0 ? 'customer:' . $user_id : 'guest:' . strtolower(trim($email));
    }

    public static function isCustomer(int $user_id): bool
    {
        return db_get_field('SELECT user_type FROM ?:users WHERE user_id = ?i', $user_id) === 'C';
    }

    /** Whether there is such a user at all, of whatever type and storefront. */
    public static function exists(int $user_id): bool
    {
        return (int) db_get_field('SELECT user_id FROM ?:users WHERE user_id = ?i', $user_id) > 0;
    }

    /** Deletes what the add-on itself has of a customer who was deleted; what is to be told of him stays. */
    public static function forget(int $user_id): void
    {
        foreach (['notes', 'tags', 'views'] as $table) {
            db_query('DELETE FROM ?:cartbridge_' . $table . ' WHERE user_id = ?i', $user_id);
        }
    }

    /** Of two customers with one e-mail, in different storefronts, the one of the storefront in which this happens. */
    public static function idByEmail(string $email): int
    {
        return (int) db_get_field(
            'SELECT user_id FROM ?:users WHERE email = ?s AND user_type = ?s ORDER BY company_id <> ?i, user_id LIMIT 1',
            trim($email),
            'C',
            (int) Registry::get('runtime.company_id')
        );
    }

    /** @return array<int, array{id: int, name: string, status: string}> */
    public static function usergroups(int $user_id): array
    {
        $groups = [];
        $rows = db_get_array(
            'SELECT l.usergroup_id, l.status, d.usergroup FROM ?:usergroup_links l'
            . ' LEFT JOIN ?:usergroup_descriptions d ON d.usergroup_id = l.usergroup_id AND d.lang_code = ?s'
            . ' WHERE l.user_id = ?i AND l.status <> ?s ORDER BY l.usergroup_id',
            defined('CART_LANGUAGE') ? CART_LANGUAGE : 'en',
            $user_id,
            'F'
        );
        foreach ($rows as $row) {
            $groups[] = ['id' => (int) $row['usergroup_id'], 'name' => (string) $row['usergroup'], 'status' => (string) $row['status']];
        }

        return $groups;
    }

    /**
     * @param array<string, mixed> $source
     *
     * @return array<string, mixed>
     */
    private static function pick(array $source): array
    {
        $user = [];
        foreach (self::COLUMNS as $column) {
            if (isset($source[$column]) && is_scalar($source[$column])) {
                $user[$column] = $source[$column];
            }
        }
        foreach (['b_', 's_'] as $kind) {
            foreach (self::ADDRESS as $column) {
                if (isset($source[$kind . $column]) && is_scalar($source[$kind . $column])) {
                    $user[$kind . $column] = $source[$kind . $column];
                }
            }
        }

        return $user;
    }

    /**
     * The groups, tags and `guest` stand in the user and beside him: readers look in either place.
     *
     * @param array<string, mixed>                                      $user
     * @param array<int, array{id: int, name: string, status: string}> $usergroups
     * @param array<int, string>                                        $tags
     *
     * @return array<string, mixed>
     */
    private static function whole(array $user, array $usergroups, array $tags, bool $guest): array
    {
        $beside = ['usergroups' => $usergroups, 'tags' => $tags, 'guest' => $guest];

        return ['user' => $user + $beside] + $beside;
    }
}
