<?php

use Cartbridge\Connection;
use Cartbridge\Endpoint;
use Cartbridge\Notes;
use Cartbridge\Tags;

test('a signed call is answered; a wrong one is refused with a reason', static function (): void {
    same(401, call(['action' => 'ping'])[0], 'nobody is connected');
    Connection::fromCode(code([]))->save();
    same([200, '4.18.2'], [call(['action' => 'ping'])[0], call(['action' => 'ping'])[1]['store']['version']]);
    $refusals = [
        'no signature fits' => ['secret' => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
        'no signature fits the call' => ['signed' => '{"action":"other"}'],
        'no signature' => ['signature' => ''],
        'signed at another time' => ['at' => time() - 400],
        'signed at another time than' => ['at' => time() + 400],
        'webhook-timestamp is not a number' => ['at' => '12x'],
        'webhook-id is missing' => ['id' => ''],
    ];
    foreach ($refusals as $words => $changed) {
        list($status, $answer) = call(['action' => 'ping'], $changed);
        same(401, $status, $words);
        holds(strpos($answer['detail'], $words) !== false, $answer['detail'] . ' says ' . $words);
    }
    same(405, call(['action' => 'ping'], ['method' => 'GET'])[0]);
    same(400, call([], ['body' => 'no json'])[0]);
    same(400, call(['action' => 'rm -rf'])[0]);
    same(413, call([], ['body' => str_repeat('x', 1048577)])[0]);
    same(200, call(['action' => 'ping'], ['at' => time() - 290])[0], 'five minutes are allowed');
});

test('a second signature in the header may be the one that fits', static function (): void {
    Connection::fromCode(code([]))->save();
    $at = time();
    $good = Connection::load()->secret()->sign('call_1', $at, '{"action":"ping"}');
    same(200, Endpoint::answer('POST', ['webhook-id' => 'call_1', 'webhook-timestamp' => (string) $at, 'webhook-signature' => 'v1a,xyz v1,AAAA ' . $good], '{"action":"ping"}')[0]);
});

test('a replayed call acts once and gets the first answer again; another call under its id is refused', static function (): void {
    Connection::fromCode(code([]))->save();
    $id = customer();
    $note = ['action' => 'note.put', 'user_id' => $id, 'body' => 'From HighLevel', 'author' => 'Rosan'];
    $first = call($note, ['id' => 'call_9']);
    same($first, call($note, ['id' => 'call_9']));
    same(1, count(Notes::of($id)));
    same(409, call(['body' => 'Other'] + $note, ['id' => 'call_9'])[0]);
    $wrong = ['action' => 'note.put', 'user_id' => 4711, 'body' => 'Nobody'];
    same(404, call($wrong, ['id' => 'call_10'])[0]);
    same(0, (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_calls WHERE call_hash = ?s', hash('sha256', 'call_10')), 'a refused call may be made again');
    db_query('UPDATE ?:cartbridge_calls SET created_at = created_at - 10000');
    Endpoint::forgetOld();
    same(0, (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_calls'));
});

test('notes of HighLevel are kept, changed and deleted, and not told back', static function (): void {
    Connection::fromCode(code([]))->save();
    $id = customer();
    forget_events();
    $put = ['action' => 'note.put', 'user_id' => $id, 'external_id' => 'ghl_1', 'body' => "Called \u{1F4DE}", 'author' => 'Rosan', 'created_at' => '2026-11-24T12:00:00Z'];
    $note_id = call($put)[1]['note_id'];
    same($note_id, call(['body' => 'Called twice'] + $put)[1]['note_id'], 'the same note by its external id');
    $notes = call(['action' => 'notes.list', 'user_id' => (string) $id])[1]['notes'];
    same([1, 'Called twice', '2026-11-24T12:00:00Z', 'ghl_1'], [count($notes), $notes[0]['body'], $notes[0]['created_at'], $notes[0]['external_id']]);
    same(400, call(['created_at' => 'yesterday-ish'] + $put)[0]);
    same(400, call(['body' => ''] + $put)[0]);
    same(400, call(['user_id' => 'x'] + $put)[0]);
    same(200, call(['action' => 'note.delete', 'external_id' => 'ghl_1'])[0]);
    same([[], []], [Notes::of($id), told()]);
});

test('tags and usergroups are changed by exactly the difference', static function (): void {
    Connection::fromCode(code([]))->save();
    db_query("INSERT INTO ?:usergroups (usergroup_id, type) VALUES (3, 'C'), (4, 'A')");
    db_query("INSERT INTO ?:usergroup_descriptions (usergroup_id, lang_code, usergroup) VALUES (3, 'en', 'Wholesale')");
    $id = customer();
    forget_events();
    same(['tags' => ['new', 'vip']], call(['action' => 'tags.change', 'user_id' => $id, 'add' => ['VIP', 'new']])[1]);
    same(['tags' => ['vip']], call(['action' => 'tags.change', 'user_id' => $id, 'remove' => ['new', 'absent']])[1]);
    same([], told(), 'tags are not told back');
    same([['id' => 3, 'name' => 'Wholesale', 'status' => 'A']], call(['action' => 'usergroups.change', 'user_id' => $id, 'add' => [3]])[1]['usergroups']);
    same(['customer.updated'], types(told()));
    forget_events();
    call(['action' => 'usergroups.change', 'user_id' => $id, 'add' => ['3']]);
    same([], told(), 'what is so already is not done again');
    foreach ([1, 4, 77, '3; DROP'] as $group) {
        same(404, call(['action' => 'usergroups.change', 'user_id' => $id, 'add' => [$group]])[0], (string) $group);
    }
    same([], call(['action' => 'usergroups.change', 'user_id' => $id, 'remove' => [3]])[1]['usergroups']);
    same(400, call(['action' => 'tags.change', 'user_id' => $id, 'add' => 'vip'])[0]);
    same(['vip'], Tags::of($id));
});

test('what changed since a point can be listed to its end', static function (): void {
    Connection::fromCode(code([]))->save();
    $ids = array_map('customer', ['a@x.com', 'b@x.com', 'c@x.com']);
    $page = call(['action' => 'customers.changed', 'limit' => 2])[1];
    same([[$ids[0], $ids[1]], true, 'a@x.com'], [array_column($page['items'], 'user_id'), $page['more'], $page['items'][0]['user']['email']]);
    $page = call(['action' => 'customers.changed', 'since' => $page['next'], 'limit' => 2])[1];
    same([[$ids[2]], false], [array_column($page['items'], 'user_id'), $page['more']]);
    fn_update_user($ids[0], ['firstname' => 'New']);
    fn_delete_user($ids[1]);
    $page = call(['action' => 'customers.changed', 'since' => $page['next']])[1];
    same([[$ids[0], false], [$ids[1], true]], array_map(static function (array $item): array {
        return [$item['user_id'], $item['deleted']];
    }, $page['items']));
    same($ids[0], (int) call(['action' => 'customer.get', 'user_id' => $ids[0]])[1]['user']['user_id']);
    same(404, call(['action' => 'customer.get', 'user_id' => $ids[1]])[0]);
});

test('the bridge is told of the customers of each storefront, whichever answers', static function (): void {
    Connection::fromCode(code([]))->save();
    $id = (int) fn_update_user(0, ['email' => 'ada@example.com', 'user_type' => 'C', 'company_id' => 2])[0];
    Tygh\Registry::set('runtime.company_id', 1);
    same([200, 'ada@example.com'], [call(['action' => 'customer.get', 'user_id' => $id])[0], call(['action' => 'customer.get', 'user_id' => $id])[1]['user']['email']]);
    $item = call(['action' => 'customers.changed'])[1]['items'][0];
    same([false, 'ada@example.com'], [$item['deleted'], $item['user']['email']]);
});

test('of several changes of a customer the list has the newest, and cron drops the others', static function (): void {
    Connection::fromCode(code([]))->save();
    list($a, $b) = [customer('a@x.com'), customer('b@x.com')];
    fn_update_user($a, ['firstname' => 'Augusta']);
    $list = static function (int $since): array {
        return array_column(call(['action' => 'customers.changed', 'since' => $since])[1]['items'], 'user_id');
    };
    same([[$b, $a], [$a]], [$list(0), $list(2)]);
    Cartbridge\Changes::prune();
    same([(string) $b, (string) $a], db_get_fields('SELECT user_id FROM ?:cartbridge_changes ORDER BY change_no'));
    fn_delete_user($b);
    Cartbridge\Changes::prune();
    same([$a, $b], $list(0));
    same(2, (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_changes'));
});
