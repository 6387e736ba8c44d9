<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** Several writes of the add-on's own, all or none. Never within a hook: there the store's own transaction may be under way, which a second one would end. */
final class Transaction
{
    /** @return mixed what is done gives back */
    public static function run(callable $do)
    {
        db_query('START TRANSACTION');
        try {
            $result = $do();
            db_query('COMMIT');
        } catch (\Throwable $error) {
            db_query('ROLLBACK');
            throw $error;
        }

        return $result;
    }
}
