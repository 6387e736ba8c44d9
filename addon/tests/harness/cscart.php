<?php

/**
 * As much of CS-Cart as the add-on calls: names, arguments and the order of the hooks are those of the core, the bodies are not.
 */

namespace Tygh {
    final class Registry
    {
        /** @var array<string, mixed> */
        private static $values = [
            'config.table_prefix' => 'cscart_',
            'config.http_host' => 'shop.example.com',
            'config.http_path' => '',
            'config.https_host' => 'shop.example.com',
            'config.https_path' => '',
            'settings.Security.secure_storefront' => 'Y',
        ];

        public static function get($key)
        {
            return self::$values[$key] ?? ($key === 'runtime.company_id' ? (int) getenv('ADDON_COMPANY') : null);
        }

        public static function set($key, $value)
        {
            self::$values[$key] = $value;
        }
    }
}

namespace {
    define('BOOTSTRAP', true);
    define('AREA', 'A');
    define('TIME', time());
    define('CART_LANGUAGE', 'en');
    define('CART_PRIMARY_CURRENCY', 'USD');
    define('PRODUCT_VERSION', (string) (getenv('ADDON_CORE') ?: '4.18.2'));
    // Since when these two hooks are there: 4.13.2 says CS-Cart's documentation of the one; for the other it is the harness's choice.
    define('HARNESS_OLD_CORE', version_compare(PRODUCT_VERSION, '4.13.2', '<'));
    define('PRODUCT_EDITION', (string) (getenv('ADDON_EDITION') ?: 'ULTIMATE'));

    require __DIR__ . '/database.php';

    final class HarnessHooks
    {
        /** @var array<string, true> */
        public static $registered = [];
    }

    function fn_register_hooks(...$hooks)
    {
        foreach ($hooks as $hook) {
            if (!function_exists('fn_cartbridge_' . $hook)) {
                throw new LogicException('no handler for the hook ' . $hook);
            }
            HarnessHooks::$registered[$hook] = true;
        }
    }

    /** The core hands all arguments by reference. */
    function fn_set_hook($hook, &...$args)
    {
        if (isset(HarnessHooks::$registered[$hook])) {
            call_user_func_array('fn_cartbridge_' . $hook, $args);
        }
    }

    function fn_allowed_for($edition)
    {
        return strpos($edition, PRODUCT_EDITION) === 0;
    }

    /** In CS-Cart a storefront that is chosen, or that cron runs in, has no other's customers and orders. */
    function harness_hidden(array $row): bool
    {
        $company_id = (int) Tygh\Registry::get('runtime.company_id');

        return $company_id !== 0 && fn_allowed_for('ULTIMATE') && (int) $row['company_id'] !== $company_id;
    }

    function fn_get_user_info($user_id, $get_profile = true, $profile_id = null)
    {
        if (getenv('ADDON_DIES_READING') === (string) $user_id) {
            posix_kill(getmypid(), SIGKILL);
        }
        $user = db_get_row('SELECT * FROM ?:users WHERE user_id = ?i', $user_id);
        if (!$user || harness_hidden($user)) {
            return [];
        }
        $profile = $get_profile ? db_get_row("SELECT * FROM ?:user_profiles WHERE user_id = ?i AND profile_type = 'P'", $user_id) : [];
        $user['usergroups'] = [];
        $user['fields'] = [38 => 'Wholesale'];

        return $user + $profile;
    }

    function fn_get_order_info($order_id, $native_language = false, $format_info = true)
    {
        if (isset($GLOBALS['harness_unreadable']) && $GLOBALS['harness_unreadable'] === (int) $order_id) {
            throw new RuntimeException('another add-on fails at this order');
        }
        $order = db_get_row('SELECT * FROM ?:orders WHERE order_id = ?i', $order_id);
        if (!$order || harness_hidden($order)) {
            return false;
        }
        $order['products'] = [];
        foreach (db_get_array('SELECT * FROM ?:order_details WHERE order_id = ?i', $order_id) as $row) {
            $order['products'][$row['item_id']] = $row;
        }
        $order['payment_info'] = ['card_number' => '4111111111111111'];

        return $order;
    }

    /** @return array{0: int, 1: int} */
    function fn_update_user($user_id, $user_data, &$auth = null, $ship_to_another = false, $notify_user = false)
    {
        $columns = array_flip(['status', 'user_type', 'company_id', 'firstname', 'lastname', 'company', 'email', 'phone', 'lang_code', 'timestamp']);
        $current = $user_id ? db_get_row('SELECT * FROM ?:users WHERE user_id = ?i', $user_id) : [];
        $action = $user_id ? 'update' : 'add';
        $own = array_intersect_key($user_data, $columns);
        if ($user_id) {
            $own && db_query('UPDATE ?:users SET ?u WHERE user_id = ?i', $own, $user_id);
        } else {
            $user_id = db_query('INSERT INTO ?:users ?e', $own + ['timestamp' => time()]);
        }
        $user_data['user_id'] = $user_id;
        $user_data['profile_id'] = fn_update_user_profile($user_id, $user_data, $action);
        fn_set_hook('update_profile', $action, $user_data, $current);

        return [$user_id, $user_data['profile_id']];
    }

    function fn_update_user_profile($user_id, $user_data, $action = '')
    {
        $address = array_intersect_key($user_data, array_flip(['b_firstname', 'b_address', 'b_city', 'b_country', 's_city']));
        $address['profile_update_timestamp'] = time();
        if ($action === 'add') {
            $profile_id = db_query('INSERT INTO ?:user_profiles ?e', $address + ['user_id' => $user_id, 'profile_type' => 'P']);
        } else {
            $profile_id = db_get_field("SELECT profile_id FROM ?:user_profiles WHERE user_id = ?i AND profile_type = 'P'", $user_id);
            db_query('UPDATE ?:user_profiles SET ?u WHERE profile_id = ?i', $address, $profile_id);
        }
        fn_set_hook('update_user_profile_post', $user_id, $user_data, $action);

        return $profile_id;
    }

    function fn_delete_user($user_id)
    {
        $user_data = db_get_row('SELECT user_id, is_root, company_id FROM ?:users WHERE user_id = ?i', $user_id);
        if (!$user_data) {
            return false;
        }
        fn_set_hook('delete_user', $user_id, $user_data);
        $result = db_query('DELETE FROM ?:users WHERE user_id = ?i', $user_id);
        db_query('DELETE FROM ?:user_profiles WHERE user_id = ?i', $user_id);
        fn_set_hook('post_delete_user', $user_id, $user_data, $result);

        return $result;
    }

    function fn_change_usergroup_status($status, $user_id, $usergroup_id, $force_notification = [])
    {
        $result = db_query('REPLACE INTO ?:usergroup_links ?e', ['user_id' => $user_id, 'usergroup_id' => $usergroup_id, 'status' => $status]);
        HARNESS_OLD_CORE || fn_set_hook('change_usergroup_status_post', $status, $user_id, $usergroup_id, $force_notification, $result);

        return $result;
    }

    /** Inserts with the status `N`, tells, and then sets the status, as the core does. */
    function fn_place_order(&$cart, &$auth, $action = '')
    {
        $order = array_intersect_key($cart['user_data'] ?? [], array_flip(['firstname', 'lastname', 'email', 'phone', 'b_city']));
        $order += ['user_id' => $auth['user_id'], 'total' => $cart['total'], 'notes' => $cart['notes'] ?? '', 'details' => '', 'is_parent_order' => $cart['is_parent_order'] ?? 'N', 'timestamp' => time()];
        if (empty($cart['order_id'])) {
            $order_id = db_query('INSERT INTO ?:orders ?e', $order + ['status' => 'N']);
            foreach ($cart['products'] ?? [] as $item_id => $product) {
                db_query('INSERT INTO ?:order_details ?e', $product + ['item_id' => $item_id, 'order_id' => $order_id]);
            }
        } else {
            $order_id = $cart['order_id'];
            db_query('UPDATE ?:orders SET ?u WHERE order_id = ?i', ['total' => $cart['total'], 'updated_at' => time()], $order_id);
        }
        $order_status = $cart['status'] ?? 'O';
        fn_set_hook('place_order', $order_id, $action, $order_status, $cart, $auth);
        if (empty($cart['order_id']) && $order_status !== 'N') {
            fn_change_order_status($order_id, $order_status, '', [], true);
        }

        return [$order_id, true];
    }

    function fn_change_order_status($order_id, $status_to, $status_from = '', $force_notification = [], $place_order = false)
    {
        $order_info = fn_get_order_info($order_id);
        $status_from = $status_from ?: $order_info['status'];
        if ($status_from === $status_to) {
            return false;
        }
        $order_statuses = [];
        $asked = $status_to;
        fn_set_hook('change_order_status', $status_to, $status_from, $order_info, $force_notification, $order_statuses, $place_order);
        if (isset($GLOBALS['harness_forbidden']) && $GLOBALS['harness_forbidden'] === $asked) {
            return false;
        }
        db_query('UPDATE ?:orders SET status = ?s, updated_at = ?i WHERE order_id = ?i', $status_to, time(), $order_id);
        $edp_data = [];
        HARNESS_OLD_CORE || fn_set_hook('change_order_status_post', $order_id, $status_to, $status_from, $force_notification, $place_order, $order_info, $edp_data);

        return true;
    }
}
