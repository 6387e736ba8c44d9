<?php

use Cartbridge\Carts;
use Cartbridge\Outbox;
use Cartbridge\Recorder;
use Cartbridge\State;

test('a new customer is told of once, with addresses, groups and his own fields, and without what lets anyone in', static function (): void {
    db_query("INSERT INTO ?:usergroups (usergroup_id, type) VALUES (3, 'C')");
    $id = customer();
    $events = told();
    same(['customer.created'], types($events));
    $event = $events[0];
    same((string) $id, (string) $event['data']['user']['user_id']);
    same('ada@example.com', $event['data']['user']['email']);
    same('London', $event['data']['user']['b_city']);
    same(['38' => 'Wholesale'], $event['data']['user']['fields']);
    same(false, $event['data']['guest']);
    same('https://shop.example.com', $event['store']['url']);
    same('4.18.2', $event['store']['version']);
    holds(preg_match('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/', $event['timestamp']) === 1, 'the time is UTC in ISO 8601');
    holds(strpos((string) json_encode($event), 'hash') === false, 'no password and no API key is in the event');
});

test('a change of a customer with his address is one event, with the newest state', static function (): void {
    $id = customer();
    forget_events();
    fn_update_user($id, ['user_id' => $id, 'firstname' => 'Augusta', 'b_city' => 'Ockham']);
    fn_update_user($id, ['user_id' => $id, 'lastname' => 'King']);
    $events = told();
    same(['customer.updated'], types($events));
    same(['Augusta', 'King', 'Ockham'], [$events[0]['data']['user']['firstname'], $events[0]['data']['user']['lastname'], $events[0]['data']['user']['b_city']]);
});

test('two requests make two events', static function (): void {
    $id = customer();
    forget_events();
    fn_update_user($id, ['firstname' => 'One']);
    Recorder::nextRequest();
    fn_update_user($id, ['firstname' => 'Two']);
    same(['One', 'Two'], array_map(static function (array $event): string {
        return $event['data']['user']['firstname'];
    }, told()));
});

test('a deleted customer is told of with his e-mail', static function (): void {
    $id = customer();
    forget_events();
    fn_delete_user($id);
    $events = told();
    same(['customer.deleted'], types($events));
    same(['user_id' => $id, 'email' => 'ada@example.com'], $events[0]['data']['user']);
});

test('staff and vendors are no customers', static function (): void {
    $id = (int) fn_update_user(0, ['email' => 'root@example.com', 'user_type' => 'A'])[0];
    fn_update_user($id, ['firstname' => 'Root']);
    fn_delete_user($id);
    same([], told());
});

test('a usergroup makes an update with the names of the groups', static function (): void {
    db_query("INSERT INTO ?:usergroups (usergroup_id, type) VALUES (3, 'C')");
    db_query("INSERT INTO ?:usergroup_descriptions (usergroup_id, lang_code, usergroup) VALUES (3, 'en', 'Wholesale')");
    $id = customer();
    forget_events();
    fn_change_usergroup_status('A', $id, 3);
    $events = told();
    same(['customer.updated'], types($events));
    same([['id' => 3, 'name' => 'Wholesale', 'status' => 'A']], $events[0]['data']['usergroups']);
});

test('an order is told of when it is placed, with its products and categories, and no payment data', static function (): void {
    $id = customer();
    forget_events();
    db_query('INSERT INTO ?:products_categories (product_id, category_id) VALUES (7, 12), (7, 15)');
    $cart = ['total' => '19.90', 'notes' => 'Ring twice', 'products' => [1001 => ['product_id' => 7, 'product_code' => 'T1', 'price' => '9.95', 'amount' => 2, 'product' => 'Tea']], 'user_data' => ['email' => 'ada@example.com']];
    $auth = ['user_id' => $id];
    fn_place_order($cart, $auth);
    $events = told();
    same(['order.created'], types($events));
    $order = $events[0]['data']['order'];
    same(['O', '19.90', 'USD', 'Ring twice'], [$order['status'], $order['total'], $order['currency'], $order['notes']]);
    same([['product_id' => 7, 'product' => 'Tea', 'product_code' => 'T1', 'amount' => '2', 'price' => '9.95', 'category_ids' => [12, 15]]], $order['products']);
    holds(strpos((string) json_encode($events), '4111') === false, 'no card number is in the event');
    same('customer:' . $id, db_get_field('SELECT lane FROM ?:cartbridge_outbox'));
});

test('an order whose payment is under way is told of only when it is placed', static function (): void {
    $cart = ['total' => '5.00', 'status' => 'N', 'user_data' => ['email' => 'ada@example.com']];
    $auth = ['user_id' => customer()];
    forget_events();
    list($order_id) = fn_place_order($cart, $auth);
    same([], told());
    fn_change_order_status($order_id, 'P');
    same(['order.created'], types(told()));
    fn_change_order_status($order_id, 'C');
    $events = told();
    same(['order.created', 'order.status_changed'], types($events));
    same(['C', 'P'], [$events[1]['data']['order']['status'], $events[1]['data']['order']['previous_status']]);
    fn_change_order_status($order_id, 'N');
    fn_change_order_status($order_id, 'P');
    same(['order.created', 'order.status_changed', 'order.status_changed'], types(told()), 'a second payment is no second order');
});

test('an edited order is an update', static function (): void {
    $cart = ['total' => '5.00', 'user_data' => ['email' => 'ada@example.com']];
    $auth = ['user_id' => customer()];
    list($order_id) = fn_place_order($cart, $auth);
    forget_events();
    $cart = ['order_id' => $order_id, 'total' => '6.00'];
    fn_place_order($cart, $auth, 'save');
    $events = told();
    same(['order.updated'], types($events));
    same('6.00', $events[0]['data']['order']['total']);
    Recorder::nextRequest();
    $params = ['order_id' => $order_id];
    fn_set_hook('update_order_details_post', $params);
    same(['order.updated', 'order.updated'], types(told()));
});

test('the parent that a split order leaves behind is no order', static function (): void {
    $cart = ['total' => '5.00', 'status' => 'T', 'is_parent_order' => 'Y', 'user_data' => ['email' => 'ada@example.com']];
    $auth = ['user_id' => 0];
    fn_place_order($cart, $auth);
    same([], told());
});

test('a guest is a customer from his first order on, known by his e-mail', static function (): void {
    $auth = ['user_id' => 0];
    foreach (['Gus', 'Gustav'] as $name) {
        $cart = ['total' => '5.00', 'user_data' => ['email' => ' Gus@Example.com', 'firstname' => $name]];
        fn_place_order($cart, $auth);
        Recorder::nextRequest();
    }
    $events = told();
    same(['customer.created', 'order.created', 'customer.updated', 'order.created'], types($events));
    same([true, 0, 'Gus'], [$events[0]['data']['guest'], $events[0]['data']['user']['user_id'], $events[0]['data']['user']['firstname']]);
    same(['guest:gus@example.com'], db_get_fields('SELECT DISTINCT lane FROM ?:cartbridge_outbox'));
});

test('a cart left behind is told of once, and again only after it was touched again', static function (): void {
    $id = customer();
    forget_events();
    db_query('INSERT INTO ?:user_session_products ?e', ['user_id' => $id, 'timestamp' => time() - 7200, 'type' => 'C', 'user_type' => 'R', 'item_id' => 1, 'product_id' => 7, 'amount' => 2, 'price' => '9.95']);
    db_query('INSERT INTO ?:user_session_products ?e', ['user_id' => 999, 'timestamp' => time() - 7200, 'type' => 'C', 'user_type' => 'U', 'item_id' => 1, 'product_id' => 7]);
    same([1, 0], [Carts::tell(), Carts::tell()]);
    $events = told();
    same(['cart.abandoned'], types($events));
    same(['ada@example.com', 19.9, 7], [$events[0]['data']['cart']['email'], $events[0]['data']['cart']['total'], $events[0]['data']['cart']['products'][0]['product_id']]);
    db_query('UPDATE ?:user_session_products SET timestamp = ?i', time() - 4000);
    same(1, Carts::tell());
    db_query('UPDATE ?:user_session_products SET timestamp = ?i', time() - 60);
    same(0, Carts::tell(), 'a minute is no time');
    State::set('cart_minutes', '0');
    same(0, Carts::tell(), 'off');
});

test('newsletters, reviews and call requests are told of as the customer\'s', static function (): void {
    $id = customer();
    forget_events();
    db_query('INSERT INTO ?:subscribers ?e', ['subscriber_id' => 5, 'email' => 'ada@example.com']);
    list($subscriber, $lists, $none, $data, $empty) = [5, [1, 2], [], ['email' => 'ada@example.com'], []];
    fn_set_hook('newsletters_update_subscriptions_post', $subscriber, $lists, $data, $empty);
    fn_set_hook('newsletters_update_subscriptions_post', $subscriber, $none, $empty, $empty);
    db_query("INSERT INTO ?:discussion (thread_id, object_id, object_type) VALUES (3, 7, 'P'), (4, 9, 'O')");
    $post = ['post_id' => 11, 'thread_id' => 3, 'user_id' => $id, 'message' => 'Fine tea', 'rating_value' => 5, 'name' => 'Ada'];
    fn_set_hook('add_discussion_post_post', $post);
    $post['thread_id'] = 4;
    fn_set_hook('add_discussion_post_post', $post);
    list($review, $review_id) = [['user_id' => $id, 'product_id' => 7, 'rating_value' => 4, 'advantages' => 'Strong', 'comment' => 'Good'], 12];
    fn_set_hook('product_reviews_create_post', $review, $review_id);
    list($request, $request_id) = [['user_id' => $id, 'phone' => '+1555', 'name' => 'Ada'], 13];
    fn_set_hook('create_call_request_post', $request, $request_id);
    fn_set_hook('call_requests_do_call_request_post', $request);
    $events = told();
    same(['newsletter.subscribed', 'newsletter.unsubscribed', 'review.created', 'review.created', 'call_request.created'], types($events));
    same([1, 2], $events[0]['data']['newsletter']['list_ids']);
    same('ada@example.com', $events[1]['data']['newsletter']['email']);
    same(["Fine tea", "Strong\n\nGood"], [$events[2]['data']['review']['message'], $events[3]['data']['review']['message']]);
    same(13, $events[4]['data']['call_request']['request_id']);
    same(['customer:' . $id], db_get_fields('SELECT DISTINCT lane FROM ?:cartbridge_outbox'));
});

test('a storefront of CS-Cart is no vendor', static function (): void {
    db_query("INSERT INTO ?:companies (company_id, company) VALUES (2, 'Second storefront')");
    list($data, $id, $lang, $action) = [[], 2, 'en', 'add'];
    fn_set_hook('update_company', $data, $id, $lang, $action);
    same([], told());
});

test('a text with an emoji, broken UTF-8 or a question mark and colon arrives as it is', static function (): void {
    $id = customer();
    forget_events();
    Cartbridge\Staff::addNote($id, "Likes tea \u{1F375} and ?:users ?s", "Zo\u{eb}");
    Outbox::put('ping', 'store', 'ping', ['text' => "broken \xff here"]);
    $events = told();
    same("Likes tea \u{1F375} and ?:users ?s", $events[0]['data']['note']['body']);
    same("Zo\u{eb}", $events[0]['data']['note']['author']);
    same("broken \u{fffd} here", $events[1]['data']['text']);
});

test('a failure to record reaches neither shopper nor clerk, and is shown in the administration', static function (): void {
    ini_set('error_log', '/dev/null');
    db_query('RENAME TABLE ?:cartbridge_outbox TO ?:cartbridge_away');
    try {
        $id = customer();
        same('ada@example.com', db_get_field('SELECT email FROM ?:users WHERE user_id = ?i', $id));
    } finally {
        db_query('RENAME TABLE ?:cartbridge_away TO ?:cartbridge_outbox');
    }
    holds(strpos(Cartbridge\Page::data()['record_error'], 'cartbridge_outbox') !== false, 'the page says what failed');
});

test('a full outbox says so, and makes up for what it turned away when there is room', static function (): void {
    State::set('max_pending', '3');
    $ids = array_map('customer', ['a@x.com', 'b@x.com', 'c@x.com', 'd@x.com', 'e@x.com']);
    same(3, Outbox::pending());
    same([2, 2], [Cartbridge\Page::data()['turned_away'], Cartbridge\Page::data()['owed']]);
    $auth = ['user_id' => $ids[0]];
    $cart = ['total' => '5.00', 'user_data' => ['email' => 'a@x.com']];
    fn_place_order($cart, $auth);
    Recorder::nextRequest();
    fn_delete_user($ids[4]);
    same(3, Outbox::pending(), 'the cap holds');
    holds(strpos(refused(static function () use ($ids): void {
        Cartbridge\Staff::addNote($ids[0], 'Lost?', 'Staff');
    }), '503 the outbox is full') === 0, 'a clerk is told');
    same(0, (int) db_get_field('SELECT COUNT(*) FROM ?:cartbridge_notes'), 'a note that cannot be told is not kept');

    $bridge = new FakeBridge();
    Cartbridge\Job::run(10);
    Cartbridge\Job::run(10);
    same(0, Cartbridge\Page::data()['owed']);
    $events = $bridge->events();
    same(['customer.created', 'customer.created', 'customer.created', 'customer.updated', 'customer.deleted', 'order.created'], types($events));
    same('d@x.com', $events[3]['data']['user']['email']);
    same('e@x.com', $events[4]['data']['user']['email']);
});

test('a full outbox takes the newest state of a customer in the place of an older one', static function (): void {
    $id = customer();
    fn_update_user($id, ['firstname' => 'One']);
    State::set('max_pending', '2');
    Recorder::nextRequest();
    fn_update_user($id, ['firstname' => 'Two']);
    same(['customer.created', 'customer.updated'], types(told()));
    same('Two', told()[1]['data']['user']['firstname']);
    same(0, State::number('turned_away'));
});

test('in Multi-Vendor a vendor is told of when he is made and when he changes', static function (): void {
    db_query("INSERT INTO ?:companies (company_id, company, email) VALUES (2, 'Tea Ltd', 'tea@example.com')");
    elsewhere_in(['ADDON_EDITION' => 'MULTIVENDOR'], 'save-vendor', '2');
    $events = told();
    same(['vendor.created', 'vendor.updated'], types($events));
    same(['MULTIVENDOR', 'Tea Ltd', '2'], [$events[0]['store']['edition'], $events[0]['data']['vendor']['company'], $events[0]['data']['vendor']['company_id']]);
});

test('an older core, which only announces a change of status, has its orders told of all the same, when it came to pass', static function (): void {
    $id = customer();
    forget_events();
    same('', elsewhere_in(['ADDON_CORE' => '4.10.4'], 'order-in-an-old-core', (string) $id));
    $events = told();
    same(['order.created', 'order.status_changed'], types($events));
    same(['O', 'P', 'O'], [$events[0]['data']['order']['status'], $events[1]['data']['order']['status'], $events[1]['data']['order']['previous_status']]);
});

test('an older core without a hook for usergroups has their changes told of by cron', static function (): void {
    db_query("INSERT INTO ?:usergroups (usergroup_id, type) VALUES (3, 'C')");
    $id = customer();
    forget_events();
    $old = ['ADDON_CORE' => '4.10.4'];
    elsewhere_in($old, 'cron');
    elsewhere_in($old, 'usergroup-in-an-old-core', (string) $id);
    same([], told());
    elsewhere_in($old, 'cron');
    elsewhere_in($old, 'cron');
    $events = told();
    same(['customer.updated'], types($events));
    same(3, $events[0]['data']['usergroups'][0]['id']);
});

test('an order that found no room stays a new one, whatever becomes of it until there is room', static function (): void {
    $id = customer();
    State::set('max_pending', '1');
    $auth = ['user_id' => $id];
    $cart = ['total' => '5.00', 'user_data' => ['email' => 'ada@example.com']];
    list($order_id) = fn_place_order($cart, $auth);
    Recorder::nextRequest();
    fn_change_order_status($order_id, 'P');
    State::set('max_pending', '1000');
    Recorder::nextRequest();
    Recorder::get()->payOwed();
    $events = told();
    same(['customer.created', 'order.created'], types($events));
    same('P', $events[1]['data']['order']['status']);
});

test('what could not be recorded is told of as soon as it can be', static function (): void {
    ini_set('error_log', '/dev/null');
    $id = customer();
    $gone = customer('gone@example.com');
    forget_events();
    db_query('RENAME TABLE ?:cartbridge_outbox TO ?:cartbridge_away');
    try {
        fn_update_user($id, ['firstname' => 'Augusta']);
        fn_delete_user($gone);
        $cart = ['total' => '5.00', 'user_data' => ['email' => 'ada@example.com']];
        $auth = ['user_id' => $id];
        list($order_id) = fn_place_order($cart, $auth);
        fn_change_order_status($order_id, 'P');
    } finally {
        db_query('RENAME TABLE ?:cartbridge_away TO ?:cartbridge_outbox');
    }
    Recorder::nextRequest();
    $bridge = new FakeBridge();
    Cartbridge\Job::run(10);
    Cartbridge\Job::run(10);
    $events = $bridge->events();
    usort($events, static function (array $a, array $b): int {
        return $a['type'] <=> $b['type'];
    });
    same(['customer.deleted', 'customer.updated', 'order.created'], types($events));
    same(['gone@example.com', 'Augusta', 'P'], [$events[0]['data']['user']['email'], $events[1]['data']['user']['firstname'], $events[2]['data']['order']['status']]);
    Recorder::nextRequest();
    fn_change_order_status($order_id, 'N');
    fn_change_order_status($order_id, 'P');
    same(['order.status_changed'], types(told()), 'nor is it a new order once more');
});

test('cron that is killed while it makes up for what found no room loses none of it', static function (): void {
    $ids = [customer('a@x.com')];
    State::set('max_pending', '1');
    $ids[] = customer('b@x.com');
    State::set('max_pending', '1000');
    elsewhere_in(['ADDON_DIES_READING' => (string) $ids[1]], 'cron');
    same(['customer.created'], types(told()));
    elsewhere('cron');
    same(['customer.created', 'customer.updated'], types(told()));
});

test('one thing that cannot be made up for keeps nothing else waiting', static function (): void {
    ini_set('error_log', '/dev/null');
    Cartbridge\Marks::put('owed', 'order:4', 'created');
    $id = customer();
    forget_events();
    Cartbridge\Marks::put('owed', 'customer:' . $id, '""');
    db_query('UPDATE ?:cartbridge_marks SET created_at = 1 WHERE object_id = ?s', 'order:4');
    $GLOBALS['harness_unreadable'] = 4;
    Recorder::get()->payOwed();
    same(['customer.updated'], types(told()));
    same([['order:4'], 'created'], [array_column(Cartbridge\Marks::oldest('owed', 9), 'object_id'), Cartbridge\Marks::value('owed', 'order:4')]);
});

test('in CS-Cart with several storefronts cron tells of the customers, carts and orders of all of them', static function (): void {
    State::set('max_pending', '1');
    $made = ['user_type' => 'C', 'company_id' => 2, 'firstname' => 'Ada'];
    fn_update_user(0, $made + ['email' => 'first@example.com']);
    $id = (int) fn_update_user(0, $made + ['email' => 'second@example.com'])[0];
    $cart = ['total' => '5.00', 'user_data' => ['email' => 'second@example.com']];
    $auth = ['user_id' => $id];
    list($order_id) = fn_place_order($cart, $auth);
    db_query('UPDATE ?:orders SET company_id = 2 WHERE order_id = ?i', $order_id);
    db_query('INSERT INTO ?:user_session_products ?e', ['user_id' => $id, 'timestamp' => time() - 7200, 'type' => 'C', 'user_type' => 'R', 'item_id' => 1, 'product_id' => 7]);
    State::set('max_pending', '1000');
    Recorder::nextRequest();
    Tygh\Registry::set('runtime.company_id', 1);
    $bridge = new FakeBridge();
    Cartbridge\Job::run(10);
    Cartbridge\Job::run(10);
    $types = types($bridge->events());
    sort($types);
    same(['cart.abandoned', 'customer.created', 'customer.updated', 'order.created'], $types);
    same(1, Tygh\Registry::get('runtime.company_id'), 'and the storefront is what it was');
});

test('a customer who became staff while he was owed is not told of as deleted', static function (): void {
    $id = customer();
    forget_events();
    Cartbridge\Marks::put('owed', 'customer:' . $id, '""');
    db_query("UPDATE ?:users SET user_type = 'A' WHERE user_id = ?i", $id);
    Recorder::get()->payOwed();
    same([], told());
});

test('a vendor who is approved is told of with his new status', static function (): void {
    db_query("INSERT INTO ?:companies (company_id, company, status) VALUES (2, 'Tea Ltd', 'N')");
    elsewhere_in(['ADDON_EDITION' => 'MULTIVENDOR'], 'approve-vendor', '2');
    $events = told();
    same(['vendor.updated'], types($events));
    same('A', $events[0]['data']['vendor']['status']);
});

test('more carts than one run takes are all told of, and a store without the table of carts is served as well', static function (): void {
    db_query("INSERT INTO ?:users (user_id, email) SELECT seq, CONCAT('u', seq, '@x.com') FROM seq_1_to_501");
    db_query('INSERT INTO ?:user_session_products (user_id, timestamp, type, user_type, item_id, product_id) SELECT seq, ?i, ?s, ?s, 1, 7 FROM seq_1_to_501', time() - 7200, 'C', 'R');
    same([500, 1, 0], [Carts::tell(), Carts::tell(), Carts::tell()]);
    same(501, Outbox::pending());

    ini_set('error_log', '/dev/null');
    new FakeBridge();
    db_query('RENAME TABLE ?:user_session_products TO ?:away');
    try {
        same(501, Cartbridge\Job::run(20)['sent']);
    } finally {
        db_query('RENAME TABLE ?:away TO ?:user_session_products');
    }
});

test('of a customer who was deleted the add-on keeps nothing but what is to be told', static function (): void {
    list($id, $other) = [customer(), customer('b@x.com')];
    foreach ([$id, $other] as $user_id) {
        Cartbridge\Staff::addNote($user_id, 'Fond of tea', 'Rosan');
        Cartbridge\Staff::changeTags($user_id, ['vip'], []);
        db_query('REPLACE INTO ?:cartbridge_views ?e', ['user_id' => $user_id, 'view' => '{}']);
    }
    fn_delete_user($id);
    foreach (['notes', 'tags', 'views'] as $table) {
        same([(string) $other], db_get_fields('SELECT user_id FROM ?:cartbridge_' . $table), $table);
    }
    same(1, count(array_keys(types(told()), 'customer.deleted', true)));
});

test('a request that changes a customer waits for no other that does so, and not for what cron cleans up', static function (): void {
    $id = customer();
    meanwhile(static function () use ($id): void {
        Recorder::get()->customerChanged($id);
    }, static function () use ($id): void {
        Recorder::nextRequest();
        Recorder::get()->customerChanged($id);
    });
    same('', State::get('last_record_error'));
    same(['customer.created', 'customer.updated'], types(told()));

    db_query('INSERT INTO ?:cartbridge_outbox (event_id, type, lane, body, state, sent_at) SELECT CONCAT(?s, seq), ?s, ?s, ?s, ?s, IF(seq > 100, ?i, 1) FROM seq_1_to_5000', 'msg_', 'ping', 'store', '{}', 'S', time());
    meanwhile([Outbox::class, 'prune'], static function () use ($id): void {
        Recorder::nextRequest();
        fn_update_user($id, ['firstname' => 'Augusta']);
    });
    same('', State::get('last_record_error'));
    same(2 + 1, Outbox::pending());
});

test('a full outbox in which a newer state cannot be written keeps the older one', static function (): void {
    ini_set('error_log', '/dev/null');
    $id = customer();
    fn_update_user($id, ['firstname' => 'One']);
    State::set('max_pending', '2');
    Recorder::nextRequest();
    db_query("CREATE TRIGGER away BEFORE INSERT ON ?:cartbridge_outbox FOR EACH ROW SIGNAL SQLSTATE '45000'");
    try {
        fn_update_user($id, ['firstname' => 'Two']);
    } finally {
        db_query('DROP TRIGGER away');
    }
    same(['customer.created', 'customer.updated'], types(told()));
});

test('people who are not known do not wait for each other', static function (): void {
    db_query("INSERT INTO ?:discussion (thread_id, object_id, object_type) VALUES (3, 7, 'P')");
    foreach ([11, 12] as $post_id) {
        $post = ['post_id' => $post_id, 'thread_id' => 3, 'message' => 'Fine tea'];
        fn_set_hook('add_discussion_post_post', $post);
        list($request, $request_id) = [['phone' => '+1555' . $post_id], $post_id];
        fn_set_hook('create_call_request_post', $request, $request_id);
    }
    same(4, (int) db_get_field('SELECT COUNT(DISTINCT lane) FROM ?:cartbridge_outbox'));
});

test('of two customers with one e-mail a newsletter is that of the storefront in which it was subscribed to', static function (): void {
    foreach ([1, 2, 3] as $company_id) {
        fn_update_user(0, ['email' => 'ada@example.com', 'user_type' => 'C', 'company_id' => $company_id]);
    }
    forget_events();
    Tygh\Registry::set('runtime.company_id', 2);
    list($subscriber, $lists, $data) = [5, [1], ['email' => 'ada@example.com']];
    fn_set_hook('newsletters_update_subscriptions_post', $subscriber, $lists, $data, $lists);
    same([2, 2], [told()[0]['data']['newsletter']['user_id'], told()[0]['store']['company_id']]);
});

test('an order with more products than one event can hold is told of with those that fit, and how many do not', static function (): void {
    $id = customer();
    forget_events();
    $products = [];
    for ($item = 1; $item <= 3000; $item++) {
        $products[$item] = ['product_id' => $item, 'product' => str_repeat("\u{0447}", 120), 'amount' => 1, 'price' => '1.00'];
    }
    $cart = ['total' => '3000.00', 'products' => $products, 'user_data' => ['email' => 'ada@example.com']];
    $auth = ['user_id' => $id];
    fn_place_order($cart, $auth);
    $order = told()[0]['data']['order'];
    same(3000, count($order['products']) + $order['products_left_out']);
    holds(count($order['products']) > 500 && strlen((string) db_get_field('SELECT body FROM ?:cartbridge_outbox')) < 1000000, 'as many as fit');
});

test('new customers and orders of which a killed request told nobody are found by cron, once, and nothing from before', static function (): void {
    new FakeBridge();
    $look = static function (int $after) : array {
        $GLOBALS['harness_clock_ahead'] = $after;
        Recorder::nextRequest();
        Cartbridge\Job::run(10);
        return types(told('S'));
    };
    db_query("INSERT INTO ?:users (email) VALUES ('before@example.com')");
    db_query('INSERT INTO ?:orders (user_id, status, email, timestamp) VALUES (1, ?s, ?s, ?i)', 'O', 'before@example.com', time());
    same([], $look(0));
    // As a request leaves it that is killed before the hooks; and one that is not.
    db_query("INSERT INTO ?:users (email, user_type) VALUES ('found@example.com', 'C'), ('staff@example.com', 'A')");
    db_query('INSERT INTO ?:orders (user_id, status, email, timestamp) VALUES (2, ?s, ?s, ?i), (2, ?s, ?s, ?i)', 'P', 'found@example.com', time(), 'N', 'found@example.com', time());
    $auth = ['user_id' => customer('told@example.com')];
    $cart = ['total' => '5.00', 'user_data' => ['email' => 'told@example.com']];
    fn_place_order($cart, $auth);
    $told = ['customer.created', 'order.created'];
    same($told, $look(60));
    same($told, $look(301), 'a request that is under way is not overtaken');
    $events = array_merge($told, $told);
    same($events, $look(602));
    same([['2', 'found@example.com'], ['2', 'P']], [
        [(string) told('S')[2]['data']['user']['user_id'], told('S')[2]['data']['user']['email']],
        [(string) told('S')[3]['data']['order']['order_id'], told('S')[3]['data']['order']['status']],
    ]);
    same($events, $look(903));
    fn_change_order_status(3, 'O');
    same(array_merge($events, ['order.created']), $look(1204));
});

test('an order whose request is killed before the mark that it was told is told of once, and one killed before the event as well', static function (): void {
    new FakeBridge();
    Cartbridge\Job::run(10);
    $auth = ['user_id' => customer()];
    foreach (['mark', 'event'] as $killed_before) {
        forget_events();
        $cart = ['total' => '5.00', 'user_data' => ['email' => 'ada@example.com']];
        list($order_id) = fn_place_order($cart, $auth);
        Cartbridge\Marks::drop('order', (string) $order_id);
        $killed_before === 'event' && forget_events();
        for ($run = 1; $run <= 3; $run++) {
            $GLOBALS['harness_clock_ahead'] = ($GLOBALS['harness_clock_ahead'] ?? 0) + 301;
            Recorder::nextRequest();
            Cartbridge\Job::run(10);
        }
        same(['order.created'], types(told('S')), $killed_before);
    }
});

test('a change of somebody without an id that fails is no deletion', static function (): void {
    ini_set('error_log', '/dev/null');
    db_query('RENAME TABLE ?:cartbridge_tags TO ?:away');
    try {
        Recorder::get()->customerChanged(0);
        Recorder::get()->customerChanged(customer());
    } finally {
        db_query('RENAME TABLE ?:away TO ?:cartbridge_tags');
    }
    Cartbridge\Marks::put('owed', 'guest:', '');
    Recorder::get()->payOwed();
    same(['customer.updated'], types(told()));
});
