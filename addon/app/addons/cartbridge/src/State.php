<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Single values that the add-on keeps: its connection, its settings, when it last sent. */
final class State
{
    /** What holds where nothing was chosen. */
    public const DEFAULTS = [
        'send_after_response' => 'Y',
        'max_pending' => '100000',
        'keep_sent_days' => '7',
        'cart_minutes' => '60',
    ];

    public static function get(string $name): string
    {
        $value = db_get_field('SELECT value FROM ?:cartbridge_state WHERE name = ?s', $name);

        return is_string($value) && $value !== '' ? $value : (self::DEFAULTS[$name] ?? '');
    }

    public static function number(string $name): int
    {
        return (int) self::get($name);
    }

    public static function set(string $name, string $value): void
    {
        db_query('REPLACE INTO ?:cartbridge_state ?e', ['name' => $name, 'value' => $value]);
    }

    /** Adds to a counter, safe against another request that does so too. */
    public static function add(string $name, int $by): void
    {
        db_query(
            'INSERT INTO ?:cartbridge_state (name, value) VALUES (?s, ?s) ON DUPLICATE KEY UPDATE value = CAST(value AS UNSIGNED) + ?i',
            $name,
            (string) $by,
            $by
        );
    }

    /**
     * Takes settings from a form.
     *
     * @param array<string, mixed> $settings
     *
     * @throws Problem that names the setting and what it may be
     */
    public static function configure(array $settings): void
    {
        $limits = ['max_pending' => [1000, 5000000], 'keep_sent_days' => [1, 90], 'cart_minutes' => [0, 10080]];
        $take = [];
        foreach ($limits as $name => $limit) {
            if (!isset($settings[$name])) {
                continue;
            }
            $text = is_scalar($settings[$name]) ? trim((string) $settings[$name]) : '';
            if (preg_match('/^\d{1,9}$/D', $text) !== 1 || (int) $text < $limit[0] || (int) $text > $limit[1]) {
                throw new Problem('`' . $name . '` is a whole number from ' . $limit[0] . ' to ' . $limit[1]);
            }
            $take[$name] = (string) (int) $text;
        }
        if (isset($settings['send_after_response'])) {
            $take['send_after_response'] = $settings['send_after_response'] === 'Y' ? 'Y' : 'N';
        }
        foreach ($take as $name => $value) {
            self::set($name, $value);
        }
    }
}
