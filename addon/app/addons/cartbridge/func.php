<?php

/**
 * The handlers of CS-Cart's hooks. Each hands on what it is given and does nothing else, so that all that can go wrong is
 * caught in one place: Recorder. The names and arguments are those of CS-Cart's core (4.10 to 4.20) and of its own add-ons.
 */

use Cartbridge\Installer;
use Cartbridge\Recorder;

defined('BOOTSTRAP') or die('Access denied');

require_once __DIR__ . '/autoload.php';

/** After a customer was made or changed. */
function fn_cartbridge_update_profile($action, $user_data, $current_user_data = [])
{
    Recorder::get()->customerSaved((string) $action, (array) $user_data);
}

/** After an address was saved; on its own, too, where the store keeps several for a customer. */
function fn_cartbridge_update_user_profile_post($user_id, $user_data, $action = '')
{
    Recorder::get()->addressSaved((int) $user_id, (string) $action);
}

/** Before a customer is deleted: the e-mail is still there. */
function fn_cartbridge_delete_user($user_id, $user_data = [])
{
    Recorder::get()->customerAboutToBeDeleted((int) $user_id);
}

/** After a customer was deleted. */
function fn_cartbridge_post_delete_user($user_id, $user_data = [], $result = true)
{
    Recorder::get()->customerDeleted((int) $user_id, (bool) $result);
}

/** After a customer entered or left a usergroup. */
function fn_cartbridge_change_usergroup_status_post($status, $user_id, $usergroup_id, $force_notification = [], $result = true)
{
    Recorder::get()->customerChanged((int) $user_id);
}

/** After an order was placed or edited. (`place_order_post` has its arguments in another order in every few versions.) */
function fn_cartbridge_place_order($order_id, $action = '', $order_status = '', $cart = [], $auth = [])
{
    Recorder::get()->orderSaved((int) $order_id, !empty($cart['order_id']));
}

/** Before an order's status changes. The older cores tell only this. */
function fn_cartbridge_change_order_status($status_to, $status_from, $order_info, $force_notification = [], $order_statuses = [], $place_order = false)
{
    Recorder::get()->orderStatusAboutToChange((int) ($order_info['order_id'] ?? 0), (string) $status_to, (string) $status_from);
}

/** After an order's status changed; from `N` it is the moment the order is placed. */
function fn_cartbridge_change_order_status_post($order_id, $status_to = '', $status_from = '')
{
    Recorder::get()->orderStatusChanged((int) $order_id, (string) $status_to, (string) $status_from);
}

/** After the notes of an order were saved in the administration. */
function fn_cartbridge_update_order_details_post($params, $order_info = [], $edp_data = [], $force_notification = [])
{
    $order_id = $params['order_id'] ?? $order_info['order_id'] ?? 0;
    Recorder::get()->orderSaved((int) $order_id, true);
}

/** Add-on Newsletters: after somebody's mailing lists changed. */
function fn_cartbridge_newsletters_update_subscriptions_post($subscriber_id, $user_list_ids = [], $subscriber = [], $params = [])
{
    Recorder::get()->newsletterChanged((int) $subscriber_id, (array) $user_list_ids, (array) $subscriber);
}

/** Add-on Comments and reviews: after a post was written. */
function fn_cartbridge_add_discussion_post_post($post_data, $send_notifications = true)
{
    Recorder::get()->discussionPosted((array) $post_data);
}

/** Add-on Product reviews: after a review was written. */
function fn_cartbridge_product_reviews_create_post($product_review_data, $product_review_id = 0)
{
    Recorder::get()->productReviewed((array) $product_review_data, (int) $product_review_id);
}

/** Add-on Call requests, newer versions: after a request was stored. */
function fn_cartbridge_create_call_request_post($data, $request_id = 0)
{
    Recorder::get()->callRequested((array) $data, (int) $request_id);
}

/** Add-on Call requests, older versions: after a request was made; its id is not told. */
function fn_cartbridge_call_requests_do_call_request_post($params, $product_data = [], $cart = [], $auth = [], $result = [])
{
    Recorder::get()->callRequested((array) $params, 0);
}

/** After a vendor (Multi-Vendor) was made or changed. */
function fn_cartbridge_update_company($company_data, $company_id = 0, $lang_code = '', $action = '')
{
    Recorder::get()->vendorSaved((int) $company_id, (string) $action);
}

/** After a vendor was approved, suspended or disabled, which is no change of his data to the core. */
function fn_cartbridge_change_company_status_before_mail($company_id, $status_to = '')
{
    Recorder::get()->vendorSaved((int) $company_id, 'update');
}

function fn_cartbridge_install()
{
    Installer::install();
}

function fn_cartbridge_uninstall()
{
    Installer::uninstall();
}
