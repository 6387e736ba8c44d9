<?php

/** The add-on's page, and what the HighLevel tab of a customer's page does. */

use Cartbridge\Connection;
use Cartbridge\Json;
use Cartbridge\Notes;
use Cartbridge\Outbox;
use Cartbridge\Page;
use Cartbridge\Problem;
use Cartbridge\Sender;
use Cartbridge\Staff;
use Cartbridge\State;
use Cartbridge\View;
use Tygh\Registry;

/** @var string $mode the part after the dot in `dispatch`, set by the core */
defined('BOOTSTRAP') or die('Access denied');

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $user_id = (int) ($_REQUEST['cartbridge_user_id'] ?? 0);
    // The third part of `dispatch`: the note that a button belongs to.
    $note_id = (int) Registry::get('runtime.action');
    $written = '';
    $back = $user_id > 0 ? 'profiles.update?user_id=' . $user_id . '&user_type=C&selected_section=cartbridge' : 'cartbridge.manage';
    try {
        Staff::mayReach($user_id);
        switch ($mode) {
            case 'connect':
                $connection = Page::connect((string) ($_REQUEST['code'] ?? ''));
                fn_set_notification('N', __('notice'), __('cartbridge.connected', ['[url]' => htmlspecialchars($connection->url(), ENT_QUOTES, 'UTF-8')]));
                break;
            case 'disconnect':
                Connection::forget();
                fn_set_notification('N', __('notice'), __('cartbridge.disconnected'));
                break;
            case 'settings':
                State::configure((array) ($_REQUEST['settings'] ?? []));
                fn_set_notification('N', __('notice'), __('cartbridge.saved'));
                break;
            case 'test':
                fn_set_notification('N', __('notice'), __('cartbridge.test_sent', ['[id]' => Page::test()]));
                break;
            case 'send':
                $done = (new Sender())->run(20, true);
                fn_set_notification($done['failed'] > 0 ? 'W' : 'N', __('notice'), __('cartbridge.sent_now', [
                    '[sent]' => (string) $done['sent'],
                    '[reason]' => htmlspecialchars($done['reason'], ENT_QUOTES, 'UTF-8'),
                ]));
                break;
            case 'resend':
                $ids = array_values(array_filter((array) ($_REQUEST['event_ids'] ?? []), 'is_string'));
                fn_set_notification('N', __('notice'), __('cartbridge.resend_count', ['[count]' => (string) Outbox::resend($ids)]));
                break;
            case 'resend_since':
                $count = Page::resendLast($_REQUEST['hours'] ?? '');
                fn_set_notification('N', __('notice'), __('cartbridge.resend_count', ['[count]' => (string) $count]));
                break;
            case 'forget_turned_away':
                State::set('turned_away', '0');
                State::set('last_record_error', '');
                break;
            case 'note_add':
                $written = (string) ($_REQUEST['cartbridge_body'] ?? '');
                $author = fn_get_user_name((int) Tygh::$app['session']['auth']['user_id']);
                Staff::addNote($user_id, $written, is_string($author) ? $author : '');
                break;
            case 'note_update':
                $bodies = (array) ($_REQUEST['cartbridge_bodies'] ?? []);
                $written = is_string($bodies[$note_id] ?? null) ? $bodies[$note_id] : '';
                Staff::updateNote($note_id, $user_id, $written);
                break;
            case 'note_delete':
                Staff::deleteNote($note_id, $user_id);
                break;
            case 'tag_add':
                Staff::changeTags($user_id, [(string) ($_REQUEST['cartbridge_tag'] ?? '')], []);
                break;
            case 'tag_remove':
                Staff::changeTags($user_id, [], array_values((array) ($_REQUEST['cartbridge_tags'] ?? [])));
                break;
        }
    } catch (\Throwable $error) {
        $reason = $error->getMessage();
        if (!$error instanceof Problem) {
            // Such as a note that is longer than the database's server takes at once.
            error_log('cartbridge: ' . $mode . ' failed: ' . Json::excerpt($reason));
            $reason = 'the store failed at this; its error log says more';
        }
        fn_set_notification('E', __('error'), htmlspecialchars($reason, ENT_QUOTES, 'UTF-8'));
        if ($written !== '') {
            Tygh::$app['session']['cartbridge_draft'] = ['user_id' => $user_id, 'note_id' => $note_id, 'body' => $written];
        }
    }

    return [CONTROLLER_STATUS_REDIRECT, $back];
}

if ($mode === 'manage') {
    Tygh::$app['view']->assign('cartbridge', Page::data());
} elseif ($mode === 'customer') {
    // The tab asks for this by itself, so that a bridge that does not answer keeps nobody waiting for the page.
    $user_id = (int) ($_REQUEST['user_id'] ?? 0);
    try {
        Staff::mayReach($user_id);
    } catch (Problem $problem) {
        return [CONTROLLER_STATUS_DENIED];
    }
    // How often the page has asked again because the bridge was still asking HighLevel.
    $again = min(9, max(0, (int) ($_REQUEST['again'] ?? 0)));
    $known = View::fetch($user_id, null, !empty($_REQUEST['now']) || $again > 0);
    Tygh::$app['view']->assign([
        'cartbridge_user_id' => $user_id,
        'cartbridge_known' => $known,
        'cartbridge_view' => View::show($known['view'], Notes::externalIds($user_id)),
        'cartbridge_again' => $again,
    ]);
    Tygh::$app['view']->display('addons/cartbridge/views/cartbridge/customer.tpl');
    exit;
}
