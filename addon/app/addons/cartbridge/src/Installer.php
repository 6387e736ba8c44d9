<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** What the installation does beside the tables of addon.xml: privileges and the key of the cron address. */
final class Installer
{
    /** Each privilege, and whether it only looks. */
    private const PRIVILEGES = ['view_cartbridge' => 'Y', 'manage_cartbridge' => 'N', 'view_cartbridge_customers' => 'Y', 'manage_cartbridge_customers' => 'N'];

    public static function install(): void
    {
        foreach (self::PRIVILEGES as $privilege => $is_view) {
            db_query('REPLACE INTO ?:privileges ?e', [
                'privilege' => $privilege,
                'is_default' => 'Y',
                'section_id' => 'addons',
                'group_id' => 'cartbridge',
                'is_view' => $is_view,
            ]);
        }
        if (State::get('cron_key') === '') {
            State::set('cron_key', bin2hex(random_bytes(16)));
        }
    }

    public static function uninstall(): void
    {
        $privileges = array_keys(self::PRIVILEGES);
        db_query('DELETE FROM ?:privileges WHERE privilege IN (?a)', $privileges);
        db_query('DELETE FROM ?:usergroup_privileges WHERE privilege IN (?a)', $privileges);
    }
}
