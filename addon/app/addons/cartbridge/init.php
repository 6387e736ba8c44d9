<?php

defined('BOOTSTRAP') or die('Access denied');

require_once __DIR__ . '/autoload.php';

fn_register_hooks(
    'update_profile',
    'update_user_profile_post',
    'delete_user',
    'post_delete_user',
    'change_usergroup_status_post',
    'place_order',
    'change_order_status',
    'change_order_status_post',
    'update_order_details_post',
    'newsletters_update_subscriptions_post',
    'add_discussion_post_post',
    'product_reviews_create_post',
    'create_call_request_post',
    'call_requests_do_call_request_post',
    'update_company',
    'change_company_status_before_mail'
);
