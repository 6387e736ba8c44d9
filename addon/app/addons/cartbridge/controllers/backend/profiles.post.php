<?php

/** The HighLevel tab on a customer's page: only from what is stored here. */

use Cartbridge\Notes;
use Cartbridge\Staff;
use Cartbridge\Tags;
use Cartbridge\View;
use Tygh\Registry;

/** @var string $mode the part after the dot in `dispatch`, set by the core */
defined('BOOTSTRAP') or die('Access denied');

if ($mode === 'update' && $_SERVER['REQUEST_METHOD'] === 'GET') {
    $cartbridge_user = Tygh::$app['view']->getTemplateVars('user_data');
    $cartbridge_allowed = fn_check_view_permissions('cartbridge.customer', 'GET') && !(fn_allowed_for('MULTIVENDOR') && Registry::get('runtime.company_id'));
    if ($cartbridge_allowed && is_array($cartbridge_user) && ($cartbridge_user['user_type'] ?? '') === 'C' && !empty($cartbridge_user['user_id'])) {
        $cartbridge_user_id = (int) $cartbridge_user['user_id'];
        $cartbridge_known = View::cached($cartbridge_user_id);
        $cartbridge_notes = Notes::of($cartbridge_user_id);
        // What somebody has written and what was refused is not lost.
        $cartbridge_draft = Tygh::$app['session']['cartbridge_draft'] ?? null;
        unset(Tygh::$app['session']['cartbridge_draft']);
        Registry::set('navigation.tabs.cartbridge', ['title' => __('cartbridge.highlevel'), 'js' => true]);
        Tygh::$app['view']->assign([
            'cartbridge_user_id' => $cartbridge_user_id,
            'cartbridge_known' => $cartbridge_known,
            'cartbridge_view' => View::show($cartbridge_known['view'], Notes::externalIds($cartbridge_user_id)),
            'cartbridge_again' => 0,
            'cartbridge_notes' => $cartbridge_notes,
            'cartbridge_older_notes' => Notes::count($cartbridge_user_id) - count($cartbridge_notes),
            'cartbridge_tags' => Tags::of($cartbridge_user_id),
            'cartbridge_draft' => Staff::draftFor($cartbridge_draft, $cartbridge_user_id),
        ]);
    }
}
