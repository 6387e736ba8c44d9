<?php

/**
 * The status of a customer in the list of customers is changed by the core's controller without any hook, and it ends the
 * request itself. So the event is written at the request's end, when the new status is in the table.
 */

use Cartbridge\Recorder;

/** @var string $mode the part after the dot in `dispatch`, set by the core */
defined('BOOTSTRAP') or die('Access denied');

// Whatever the method: the older cores take this by GET.
if (in_array($mode, ['update_status', 'm_activate', 'm_disable', 'm_update_statuses'], true)) {
    $cartbridge_ids = array_map('intval', (array) ($_REQUEST['user_ids'] ?? $_REQUEST['id'] ?? []));
    register_shutdown_function(static function () use ($cartbridge_ids): void {
        foreach ($cartbridge_ids as $cartbridge_id) {
            Recorder::get()->customerChanged($cartbridge_id);
        }
    });
}
