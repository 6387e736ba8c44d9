<?php

use Cartbridge\Connection;
use Cartbridge\Page;
use Cartbridge\Staff;
use Cartbridge\State;
use Cartbridge\Tags;
use Cartbridge\View;

test('one code connects the store; white space around and in it does not matter', static function (): void {
    $code = code(['url' => 'https://bridge.example.com/']);
    $connection = Page::connect("  " . substr($code, 0, 30) . "\n" . substr($code, 30) . " ");
    same(['https://bridge.example.com/webhooks/cscart/my-shop', false], [$connection->webhookUrl(), $connection->isInClear()]);
    same('https://bridge.example.com', Page::data()['url']);
    holds(strpos((string) json_encode(Page::data()), 'whsec_') === false, 'the page does not show the secret');
});

test('a code that is wrong is refused with what to do, and what was connected stays', static function (): void {
    Page::connect(code(['url' => 'https://old.example.com']));
    $wrong = [
        '' => 'the code is empty',
        'whsec_abc' => 'the code does not begin with cb1_',
        'cb2_abc' => 'a newer code may need a newer add-on',
        'cb1_***' => 'the code is damaged',
        substr(code([]), 0, 40) => 'the code is damaged or not complete',
        code(['url' => '']) => 'the code lacks `url`',
        code(['secret' => 5]) => 'the code lacks `secret`',
        code(['secret' => 'hunter2']) => 'begins with whsec_',
        code(['secret' => 'whsec_aHVudGVyMg==']) => 'has at least 16 bytes',
        code(['url' => 'ftp://x.example.com']) => 'the address in the code',
        code(['url' => 'https://user:pw@x.example.com']) => 'the address in the code',
        code(['connection' => '../x']) => 'the name of the connection',
        code(['key' => "a\r\nX-Evil: 1"]) => 'the API key in the code',
    ];
    foreach ($wrong as $code => $message) {
        $refusal = refused(static function () use ($code): void {
            Page::connect((string) $code);
        });
        holds(strpos($refusal, $message) !== false, '"' . $refusal . '" says "' . $message . '"');
        holds(strpos($refusal, 'hunter2') === false, 'the secret is not repeated');
    }
    same('https://old.example.com', Page::data()['url']);
});

test('plain HTTP to another machine is warned of', static function (): void {
    same(true, Connection::fromCode(code(['url' => 'http://bridge.example.com']))->isInClear());
    same(false, Connection::fromCode(code(['url' => 'http://127.0.0.1:8080']))->isInClear());
});

test('settings outside their limits are refused by name and nothing is taken', static function (): void {
    State::configure(['max_pending' => '2000', 'send_after_response' => 'N', 'cart_minutes' => '0', 'highlevel_url' => 'https://crm.example.com/']);
    same(['2000', 'N', 0, 'https://crm.example.com'], [State::get('max_pending'), State::get('send_after_response'), State::number('cart_minutes'), State::get('highlevel_url')]);
    foreach ([['max_pending' => '999'], ['keep_sent_days' => 'x'], ['cart_minutes' => '-1'], ['highlevel_url' => 'javascript:alert(1)'], ['max_pending' => '5000', 'keep_sent_days' => ['x']]] as $settings) {
        holds(strpos(refused(static function () use ($settings): void {
            State::configure($settings);
        }), '`' . array_keys($settings)[count($settings) - 1] . '`') !== false, 'the setting is named');
    }
    same('2000', State::get('max_pending'));
});

test('staff notes and tags are told to the bridge, both or neither', static function (): void {
    $id = customer();
    forget_events();
    $note_id = Staff::addNote($id, 'Prefers mail', 'Rosan');
    Staff::changeTags($id, ['  VIP  Customer '], []);
    Staff::changeTags($id, ['vip customer'], []);
    Staff::deleteNote($note_id, $id);
    $events = told();
    same(['note.created', 'customer.tags_changed', 'note.deleted'], types($events));
    same(['vip customer'], $events[1]['data']['tags']);
    same([$note_id, $id, 'Prefers mail', 'Rosan'], [$events[0]['data']['note']['note_id'], $events[0]['data']['note']['user_id'], $events[0]['data']['note']['body'], $events[0]['data']['note']['author']]);
    foreach ([['', '1 to 60000'], [str_repeat('x', 60001), '1 to 60000']] as list($body, $message)) {
        holds(strpos(refused(static function () use ($id, $body): void {
            Staff::addNote($id, $body, 'Rosan');
        }), $message) !== false, $message);
    }
    holds(strpos(refused(static function () use ($id): void {
        Staff::changeTags($id, ['a,b'], []);
    }), 'no comma') !== false, 'a comma is refused');
    holds(strpos(refused(static function (): void {
        Staff::addNote(4711, 'Nobody', 'Rosan');
    }), '404 no customer') === 0, 'nobody has no notes');
    same(['vip customer'], Tags::of($id));
    fn_update_user($id, ['firstname' => 'New']);
    same(['vip customer'], told()[3]['data']['tags'], 'an event of the customer has his tags');
});

test('the tab shows what the bridge knows, from a cache, and links to HighLevel', static function (): void {
    $bridge = new FakeBridge();
    $id = customer();
    forget_events();
    same([null, true], [View::cached($id)['view'], View::cached($id)['stale']]);
    $answer = ['customer' => 'customer:' . $id, 'contact_id' => 'abc123', 'tags' => [], 'fetched_at' => null, 'view' => [
        'contact' => ['id' => 'abc123', 'locationId' => 'loc9', 'firstName' => 'Ada', 'lastName' => 'Byron', 'email' => 'ada@example.com', 'tags' => ['vip']],
        'tasks' => [['title' => 'Call', 'dueDate' => '2026-12-01T00:00:00Z', 'completed' => false]], 'welcome_task' => null,
    ]];
    $bridge->behave((string) json_encode(['status' => 200, 'body' => json_encode($answer)]));
    $shown = View::show(View::fetch($id)['view']);
    same([true, 'Ada Byron', ['vip'], 'Call', ''], [$shown['linked'], $shown['contact']['name'], $shown['tags'], $shown['tasks'][0]['title'], $shown['tasks'][0]['completed']]);
    same('https://app.gohighlevel.com/v2/location/loc9/contacts/detail/abc123', $shown['url']);
    $request = $bridge->requests()[0];
    same(['GET', '/api/connections/my-shop/customers/' . $id, 'Bearer cbk_read'], [$request['method'], $request['path'], $request['headers']['authorization']]);
    same(['customer.viewed'], types(told()), 'the bridge is told to look anew');
    View::fetch($id);
    same(1, count($bridge->requests()), 'within a minute it is not asked again');
});

test('the tab keeps showing the last state while the bridge is down, and asks it at most once a minute', static function (): void {
    $bridge = new FakeBridge();
    $ids = [customer('a@x.com'), customer('b@x.com')];
    $bridge->behave((string) json_encode(['status' => 200, 'body' => '{"contact_id":"abc","view":null}']));
    View::fetch($ids[0]);
    db_query('UPDATE ?:cartbridge_views SET tried_at = 0');
    $bridge->behave('500');
    $known = View::fetch($ids[0]);
    same('abc', $known['view']['contact_id']);
    holds(strpos($known['error'], 'the bridge answered 500') === 0, 'and says so');
    View::fetch($ids[1]);
    same(2, count($bridge->requests()), 'other customers do not ask it either');
    $bridge->behave('401');
    holds(strpos(View::fetch($ids[0], null, true)['error'], 'the API key') !== false, 'a wrong key is told as such');
});

test('the installation adds its privileges and a key for cron, once', static function (): void {
    $key = State::get('cron_key');
    Cartbridge\Installer::install();
    same([32, $key], [strlen($key), State::get('cron_key')]);
    same(['manage_cartbridge', 'manage_cartbridge_customers', 'view_cartbridge', 'view_cartbridge_customers'], db_get_fields('SELECT privilege FROM ?:privileges ORDER BY privilege'));
});

test('each text of the add-on stands in the English language file', static function (): void {
    $root = dirname(ADDON_ROOT, 3);
    $po = (string) file_get_contents($root . '/var/langs/en/addons/cartbridge.po');
    $missing = [];
    $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($root, FilesystemIterator::SKIP_DOTS));
    foreach ($files as $file) {
        if (!in_array($file->getExtension(), ['php', 'tpl'], true) || strpos($file->getPathname(), '/tests/') !== false) {
            continue;
        }
        preg_match_all('/__\(["\']cartbridge\.([a-z_]+)["\']|\'(?:cartbridge)\.(menu_title)\'/', (string) file_get_contents($file->getPathname()), $found);
        foreach (array_filter(array_merge($found[1], $found[2])) as $name) {
            if (strpos($po, 'msgctxt "Languages::cartbridge.' . $name . '"') === false) {
                $missing[] = $name;
            }
        }
    }
    foreach (array_merge(array_keys(State::DEFAULTS), ['contact_name', 'contact_email', 'contact_phone', 'contact_company', 'contact_source']) as $name) {
        if (strpos($po, 'msgctxt "Languages::cartbridge.' . $name . '"') === false) {
            $missing[] = $name;
        }
    }
    same([], $missing);
});
