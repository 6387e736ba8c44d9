<?php

namespace Cartbridge;

use Tygh\Registry;

defined('BOOTSTRAP') or die('Access denied');

/** What the store says of itself in each event. */
final class Store
{
    /**
     * @param array<string, mixed> $data of the event: a customer's or an order's own storefront goes before the request's
     *
     * @return array<string, mixed>
     */
    public static function describe(array $data = []): array
    {
        $company_id = 0;
        foreach (['user', 'order'] as $part) {
            if (isset($data[$part]) && is_array($data[$part]) && !empty($data[$part]['company_id'])) {
                $company_id = (int) $data[$part]['company_id'];
            }
        }

        return [
            'url' => self::url(),
            'company_id' => $company_id ?: (int) Registry::get('runtime.company_id'),
            'storefront_id' => (int) (isset($data['order']['storefront_id']) ? $data['order']['storefront_id'] : 0),
            'version' => self::version(),
            'edition' => self::constant('PRODUCT_EDITION'),
            'addon' => Version::ADDON,
        ];
    }

    /**
     * Reads as one who may see all of the store. CS-Cart's own functions show a storefront, or a vendor, no other's customers and orders;
     * cron runs in some storefront, and the events are of all of them.
     *
     * @return mixed what is read
     */
    public static function whole(callable $read)
    {
        $company_id = Registry::get('runtime.company_id');
        if (empty($company_id)) {
            return $read();
        }
        Registry::set('runtime.company_id', 0);
        try {
            return $read();
        } finally {
            Registry::set('runtime.company_id', $company_id);
        }
    }

    /** CS-Cart's version, such as `4.18.2`. */
    public static function version(): string
    {
        return self::constant('PRODUCT_VERSION');
    }

    /** The store's address, without a slash at its end; HTTPS where the store has it. */
    public static function url(): string
    {
        $https = (string) Registry::get('config.https_host');
        $path = (string) Registry::get('config.https_path');
        if ($https !== '' && self::isSecure()) {
            return 'https://' . $https . rtrim($path, '/');
        }

        return 'http://' . (string) Registry::get('config.http_host') . rtrim((string) Registry::get('config.http_path'), '/');
    }

    private static function isSecure(): bool
    {
        return defined('HTTPS')
            || in_array((string) Registry::get('settings.Security.secure_storefront'), ['Y', 'full', 'F'], true)
            || in_array((string) Registry::get('settings.Security.secure_admin'), ['Y', 'full', 'F'], true);
    }

    private static function constant(string $name): string
    {
        return defined($name) ? (string) constant($name) : '';
    }
}
