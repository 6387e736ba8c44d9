<?php

use Cartbridge\Answer;
use Cartbridge\Connection;
use Cartbridge\Job;
use Cartbridge\Outbox;
use Cartbridge\Page;
use Cartbridge\Recorder;
use Cartbridge\Sender;
use Cartbridge\State;
use Cartbridge\StreamTransport;

test('events reach the bridge signed as Standard Webhooks says, and stay until then', static function (): void {
    $bridge = new FakeBridge();
    customer();
    same(1, Outbox::pending());
    same(['sent' => 1, 'failed' => 0, 'reason' => 'nothing is due'], (new Sender())->run(10));
    $request = $bridge->requests()[0];
    same('/webhooks/cscart/my-shop', $request['path']);
    same('application/json', $request['headers']['content-type']);
    same(db_get_field('SELECT event_id FROM ?:cartbridge_outbox'), $request['headers']['webhook-id']);
    same([0, 202], [Outbox::pending(), (int) db_get_field('SELECT last_status FROM ?:cartbridge_outbox')]);
});

test('without the extension curl events reach the bridge as well', static function (): void {
    $bridge = new FakeBridge();
    customer();
    same(1, (new Sender(new StreamTransport()))->run(10)['sent']);
    $bridge->behave('{"status":429,"headers":{"Retry-After":"120"}}');
    customer('b@x.com');
    (new Sender(new StreamTransport()))->run(10);
    holds(abs(State::number('paused_until') - time() - 120) <= 2, 'Retry-After is kept to');
    $bridge->stop();
    let_pass();
    holds(strpos((new Sender(new StreamTransport()))->run(10)['reason'], 'the bridge cannot be reached') === 0, 'a refused connection is told as such');
});

test('the known signature of the Standard Webhooks libraries comes out', static function (): void {
    // Test vector of standardwebhooks (libraries/python/tests/test_webhooks.py).
    $secret = Cartbridge\Secret::parse('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    same('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=', $secret->sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, '{"test": 2432232314}'));
});

test('a request that is killed right after the change has left its event behind', static function (): void {
    elsewhere('register-and-die');
    same('killed@example.com', db_get_field('SELECT email FROM ?:users'));
    same(['customer.created'], types(told()));
});

test('a request that is killed within its transaction leaves neither the change nor its event', static function (): void {
    elsewhere('register-in-a-transaction-and-die');
    same([0, 0], [(int) db_get_field('SELECT COUNT(*) FROM ?:users'), Outbox::pending()]);
});

test('a sender that is killed before the post loses nothing', static function (): void {
    $bridge = new FakeBridge();
    customer();
    elsewhere('send-and-die-before-the-post');
    same([1, []], [Outbox::pending(), $bridge->events()]);
    same(1, (new Sender())->run(10)['sent'], 'its lock died with it');
});

test('a sender that is killed after the post sends the event again under the same id', static function (): void {
    $bridge = new FakeBridge();
    customer();
    $bridge->behave('hang');
    $sender = start([PHP_BINARY, __DIR__ . '/harness/process.php', 'send']);
    wait_for(static function () use ($bridge): bool {
        return count($bridge->requests()) === 1;
    }, 'the event arrives');
    proc_terminate($sender, 9);
    proc_close($sender);
    same(1, Outbox::pending());
    $first = $bridge->requests()[0];
    $bridge->stop();

    $bridge = new FakeBridge();
    wait_for(static function (): bool {
        return (new Sender())->run(10)['reason'] !== 'another sender is at work';
    }, 'the lock of the dead sender is gone');
    $second = $bridge->requests()[0];
    same([$first['headers']['webhook-id'], $first['body']], [$second['headers']['webhook-id'], $second['body']]);
    same(0, Outbox::pending());
});

test('a duplicate that the bridge knows counts as delivered', static function (): void {
    $bridge = new FakeBridge();
    customer();
    (new Sender())->run(10);
    same(1, Outbox::resend(db_get_fields('SELECT event_id FROM ?:cartbridge_outbox')));
    same(1, (new Sender())->run(10)['sent']);
    same(200, (int) db_get_field('SELECT last_status FROM ?:cartbridge_outbox'));
    same(2, count($bridge->requests()));
});

test('two senders never run at once', static function (): void {
    $bridge = new FakeBridge();
    customer();
    $bridge->behave('hang');
    $sender = start([PHP_BINARY, __DIR__ . '/harness/process.php', 'send']);
    wait_for(static function () use ($bridge): bool {
        return count($bridge->requests()) === 1;
    }, 'the event arrives');
    same('another sender is at work', (new Sender())->run(10)['reason']);
    proc_terminate($sender, 9);
    proc_close($sender);
});

test('the bridge may be down for a day: nothing is lost, the order of each customer is kept', static function (): void {
    Connection::fromCode(code(['url' => 'http://127.0.0.1:' . free_port()]))->save();
    $ids = [customer('a@x.com'), customer('b@x.com')];
    for ($hour = 1; $hour <= 24; $hour++) {
        fn_update_user($ids[$hour % 2], ['firstname' => 'Hour ' . $hour]);
        Recorder::nextRequest();
        let_pass();
        same(0, Job::run(5)['sent']);
    }
    same(26, Outbox::pending());
    $wait = State::number('paused_until') - time();
    holds($wait > 2600 && $wait <= 3600, 'the wait has grown to an hour at most, and is ' . $wait);
    db_query('UPDATE ?:cartbridge_outbox SET created_at = created_at - 864000');
    let_pass();
    Job::run(5);
    same(26, Outbox::pending(), 'ten days do not make an event that was never refused be given up');

    $bridge = new FakeBridge();
    let_pass();
    same(26, Job::run(20)['sent']);
    $by_customer = [];
    foreach ($bridge->events() as $event) {
        $by_customer[(int) $event['data']['user']['user_id']][] = $event['data']['user']['firstname'];
    }
    same(array_merge(['Ada'], array_map(static function (int $hour): string {
        return 'Hour ' . $hour;
    }, range(2, 24, 2))), $by_customer[$ids[0]]);
    same(13, count($by_customer[$ids[1]]));
});

test('an event that the bridge refuses holds up its customer only, and is given up after 7 days, to be sent again by hand', static function (): void {
    $bridge = new FakeBridge();
    $bridge->behave('400');
    $id = customer('a@x.com');
    fn_update_user($id, ['firstname' => 'Later']);
    (new Sender())->run(10);
    same(['400', 'as the test asked for'], array_values(db_get_row('SELECT last_status, last_error FROM ?:cartbridge_outbox ORDER BY event_no LIMIT 1')));
    $bridge->behave('202');
    customer('b@x.com');
    same(1, (new Sender())->run(10)['sent'], 'the other customer is not held up');
    same(['customer.created', 'customer.updated'], types(told()), 'the refused one and the one behind it wait');

    $bridge->behave('400');
    db_query('UPDATE ?:cartbridge_outbox SET refused_since = ?i, next_attempt_at = 0 WHERE state = ?s AND type = ?s', time() - 604800, 'P', 'customer.created');
    (new Sender())->run(10);
    same(1, Outbox::measure()['refused']);
    $bridge->behave('202');
    let_pass();
    (new Sender())->run(10);
    same(['customer.updated'], types(array_values(array_filter(told('S'), static function (array $event): bool {
        return $event['data']['user']['email'] === 'a@x.com';
    }))), 'what stood behind it goes on');
    same(1, Outbox::resend());
    same(1, (new Sender())->run(10)['sent']);
    same(0, Outbox::measure()['refused']);
});

test('a bridge that is busy, broken or does not know us is left alone, with a reason', static function (): void {
    $bridge = new FakeBridge();
    customer('a@x.com');
    customer('b@x.com');
    foreach (['500' => 'the bridge answered 500', '503' => 'the bridge is busy', '401' => 'the bridge does not accept the signature', '404' => 'the bridge does not know this connection', '302' => 'something else than the bridge answers at its address'] as $status => $reason) {
        $bridge->behave((string) $status);
        let_pass();
        $before = count($bridge->requests());
        $done = (new Sender())->run(10);
        holds(strpos($done['reason'], $reason) === 0, $status . ' is told as "' . $reason . '" and not as "' . $done['reason'] . '"');
        same(1, count($bridge->requests()) - $before, 'one attempt, then a pause');
        holds(strpos((new Sender())->run(10)['reason'], 'the bridge is left alone') === 0, 'it is left alone');
    }
    same(2, Outbox::pending());
    $bridge->behave('{"status":429,"headers":{"Retry-After":"77"}}');
    let_pass();
    (new Sender())->run(10);
    holds(abs(State::number('paused_until') - time() - 77) <= 2, 'Retry-After is kept to');
    $bridge->behave('202');
    same(2, (new Sender())->run(10, true)['sent'], 'a person may press on');
    same('', State::get('last_failure'));
});

test('a run ends when its time is over', static function (): void {
    $bridge = new FakeBridge();
    customer('a@x.com');
    same(['sent' => 0, 'failed' => 0, 'reason' => 'the time is over'], (new Sender())->run(0));
    same([], $bridge->requests());
});

test('what was delivered is kept for its days and then dropped; what waits is never dropped', static function (): void {
    new FakeBridge();
    customer('a@x.com');
    (new Sender())->run(10);
    customer('b@x.com');
    db_query('UPDATE ?:cartbridge_outbox SET sent_at = ?i WHERE state = ?s', time() - 6 * 86400, 'S');
    db_query('UPDATE ?:cartbridge_outbox SET created_at = 1');
    Outbox::prune();
    same([1, 1], [Outbox::measure()['sent'], Outbox::measure()['pending']]);
    db_query('UPDATE ?:cartbridge_outbox SET sent_at = ?i WHERE state = ?s', time() - 8 * 86400, 'S');
    Outbox::prune();
    same([0, 1], [Outbox::measure()['sent'], Outbox::measure()['pending']]);
});

test('an event that happens while its row is being tried gets a row of its own', static function (): void {
    $bridge = new FakeBridge();
    $bridge->behave('500');
    $id = customer();
    forget_events();
    fn_update_user($id, ['firstname' => 'One']);
    (new Sender())->run(10);
    fn_update_user($id, ['firstname' => 'Two']);
    same(2, Outbox::pending());
});

test('the test button sends at once and says what came of it', static function (): void {
    holds(strpos(refused([Page::class, 'test']), '400 the store is not connected') === 0, 'first connect');
    $bridge = new FakeBridge();
    $id = Page::test();
    same([['ping'], $id], [types($bridge->events()), $bridge->requests()[0]['headers']['webhook-id']]);
    $bridge->behave('401');
    holds(strpos(refused([Page::class, 'test']), '401: as the test asked for') !== false, 'the bridge\'s own words are shown');
});

test('under PHP-FPM an event is sent right after the shopper has his page, unless that is switched off', static function (): void {
    $bridge = new FakeBridge();
    same("page\nresponse ended with 1 waiting\n", elsewhere('register-under-fpm'));
    same(['customer.created'], types($bridge->events()));
    same(0, Outbox::pending());
    State::set('send_after_response', 'N');
    same("page\n", elsewhere('register-under-fpm'));
    same(1, Outbox::pending());
});

test('under PHP-FPM a bridge that failed is not asked anew with each page', static function (): void {
    $bridge = new FakeBridge();
    $bridge->behave('{"status":503}');
    elsewhere('register-under-fpm');
    same(1, count($bridge->requests()));
    elsewhere('register-under-fpm');
    same(1, count($bridge->requests()), 'after a failure it is left alone');
    same(2, Outbox::pending());
});

test('a store whose clock is wrong is told by how much, and sends on when it is right', static function (): void {
    $bridge = new FakeBridge();
    customer();
    $bridge->behave('401');
    foreach ([[600, '10 minutes ahead of'], [-5400, '90 minutes behind']] as list($ahead, $words)) {
        $GLOBALS['harness_clock_ahead'] = $ahead;
        foreach ([null, new StreamTransport()] as $transport) {
            $reason = (new Sender($transport))->run(10, true)['reason'];
            holds(strpos($reason, "this server's clock is " . $words . " the bridge's") === 0, $words . ' is in: ' . $reason);
        }
        holds(strpos(Page::data()['failure']['reason'], $words) !== false, 'the page says so');
    }
    unset($GLOBALS['harness_clock_ahead']);
    holds(strpos((new Sender())->run(10, true)['reason'], 'the bridge does not accept the signature') === 0, 'a clock that is right is not blamed');
    $bridge->behave('202');
    same(1, (new Sender())->run(10, true)['sent']);
});

test('installed anew over a full outbox, the add-on keeps every row, its connection and its settings, and sends on', static function (): void {
    $bridge = new FakeBridge();
    State::set('max_pending', '3');
    foreach (['a@x.com', 'b@x.com', 'c@x.com', 'd@x.com'] as $email) {
        customer($email);
    }
    $before = [db_get_array('SELECT * FROM ?:cartbridge_outbox'), db_get_array('SELECT * FROM ?:cartbridge_state ORDER BY name')];
    same(3, count($before[0]));
    foreach (simplexml_load_file(ADDON_ROOT . '/addon.xml')->queries->item as $item) {
        if ((string) $item['for'] === 'install') {
            db_query(trim((string) $item));
        }
    }
    fn_cartbridge_install();
    same($before, [db_get_array('SELECT * FROM ?:cartbridge_outbox'), db_get_array('SELECT * FROM ?:cartbridge_state ORDER BY name')]);
    same(3, (new Sender())->run(10)['sent']);
    same(3, count($bridge->events()));
});

test('what was delivered in the last hours is sent again for a bridge that has lost it, in the old order', static function (): void {
    $bridge = new FakeBridge();
    $id = customer('a@x.com');
    fn_update_user($id, ['firstname' => 'Augusta']);
    (new Sender())->run(10);
    db_query('UPDATE ?:cartbridge_outbox SET sent_at = sent_at - 7200 WHERE type = ?s', 'customer.created');
    same(1, Page::resendLast('1'));
    same(2, Page::resendLast(3) + 1);
    same(2, Outbox::pending());
    $bridge->stop();
    $bridge = new FakeBridge();
    same(2, (new Sender())->run(10)['sent']);
    same(['customer.created', 'customer.updated'], types($bridge->events()));
    foreach (['0', '-1', '169', 'x', ['1'], '1.5'] as $hours) {
        holds(strpos(refused(static function () use ($hours): void {
            Page::resendLast($hours);
        }), '400 the hours are a whole number from 1 to 168') === 0, json_encode($hours) . ' is refused');
    }
});

test('a change that comes while a sender has the row in its hands gets a row of its own', static function (): void {
    new FakeBridge();
    $id = customer();
    forget_events();
    fn_update_user($id, ['firstname' => 'One']);
    $bridge = bridge_that(static function (string $body) use ($id): Answer {
        if (strpos($body, '"One"') !== false) {
            // Still the same request of the store, which another process' sender has overtaken.
            fn_update_user($id, ['firstname' => 'Two']);
        }
        return new Answer(202, '{"id":"01"}');
    });
    same(2, (new Sender($bridge))->run(10)['sent']);
    same(['One', 'Two'], array_map(static function (string $body): string {
        return json_decode($body, true)['data']['user']['firstname'];
    }, $bridge->bodies));
});

test('a page that something else answers in the bridge\'s place is no receipt, whatever its status', static function (): void {
    new FakeBridge();
    customer();
    foreach ([200, 202] as $status) {
        foreach (["<!DOCTYPE html><title>Domain for sale</title>", "\xEF\xBB\xBF\n <html><body>Log in</body></html>"] as $page) {
            $done = (new Sender(bridge_that(static function () use ($status, $page): Answer {
                return new Answer($status, $page);
            })))->run(10, true);
            same([0, 1, 1], [$done['sent'], $done['failed'], Outbox::pending()]);
            holds(strpos($done['reason'], 'something else than the bridge answers at its address') === 0, $done['reason']);
        }
    }
    foreach (['', 'ok', '{}'] as $receipt) {
        customer('c' . strlen($receipt) . '@x.com');
        (new Sender(bridge_that(static function () use ($receipt): Answer {
            return new Answer(200, $receipt);
        })))->run(10, true);
        same(0, Outbox::pending(), 'any other 2xx is one');
    }
});

test('an event that the bridge breaks at each time holds up its own customer and no other', static function (): void {
    new FakeBridge();
    foreach ([500, 403, 0] as $status) {
        forget_events();
        $id = customer('poison' . $status . '@x.com');
        fn_update_user($id, ['firstname' => 'Later']);
        Recorder::nextRequest();
        customer('well' . $status . '@x.com');
        $bridge = bridge_that(static function (string $body) use ($status): Answer {
            return strpos($body, 'poison') !== false ? new Answer($status, '') : new Answer(202, '{"id":"01"}');
        });
        for ($run = 1; $run <= 5; $run++) {
            // The pause passes, and no more time than that.
            $pause = State::number('paused_until') - time();
            State::set('paused_until', '0');
            db_query('UPDATE ?:cartbridge_outbox SET next_attempt_at = GREATEST(next_attempt_at, ?i) - ?i WHERE next_attempt_at > 0', $pause, max(0, $pause));
            (new Sender($bridge))->run(10);
        }
        same(['well' . $status . '@x.com'], array_column(array_column(array_column(told('S'), 'data'), 'user'), 'email'));
        same(['customer.created', 'customer.updated'], types(told()), 'both of the other still wait, in order');
    }
});

test('where the whole connection is refused no event is passed over', static function (): void {
    new FakeBridge();
    customer('a@x.com');
    customer('b@x.com');
    foreach ([401, 404, 429, 503] as $status) {
        for ($run = 1; $run <= 5; $run++) {
            let_pass();
            (new Sender(bridge_that(static function () use ($status): Answer {
                return new Answer($status, '{}');
            })))->run(10);
        }
    }
    same(['20', '0'], db_get_fields('SELECT attempts FROM ?:cartbridge_outbox ORDER BY event_no'));
    same(['0', '0'], db_get_fields('SELECT next_attempt_at FROM ?:cartbridge_outbox ORDER BY event_no'));
});

test('a clock that was a day ahead while the bridge failed keeps nothing waiting for a day', static function (): void {
    $bridge = new FakeBridge();
    customer('refused@x.com');
    customer('b@x.com');
    $GLOBALS['harness_clock_ahead'] = 86400;
    $bridge->behave('400');
    (new Sender())->run(10);
    $bridge->behave('503');
    customer('c@x.com');
    (new Sender())->run(10);
    holds(Page::data()['paused_until'] > 0, 'the bridge is left alone');
    unset($GLOBALS['harness_clock_ahead']);
    $bridge->behave('202');
    same(0, Page::data()['paused_until']);
    same(3, (new Sender())->run(10)['sent']);
});

test('the test button does not wait for what stands before it', static function (): void {
    new FakeBridge();
    customer('a@x.com');
    $bridge = bridge_that(static function (string $body): Answer {
        return strpos($body, '"ping"') !== false ? new Answer(202, '{"id":"01"}') : new Answer(500, '');
    });
    holds(strpos(Page::test($bridge), 'msg_') === 0, 'it is taken');
    same([1, 1], [count($bridge->bodies), Outbox::pending()]);
});

test('an answer that drips is not waited for longer than one that does not come', static function (): void {
    $bridge = new FakeBridge();
    $bridge->behave('drip');
    foreach ([new StreamTransport(), new Cartbridge\CurlTransport()] as $transport) {
        $begun = microtime(true);
        same(0, $transport->send('POST', $bridge->url . '/', [], '{}', 1)->status());
        holds(microtime(true) - $begun < 5, 'it ends in time');
    }
});
