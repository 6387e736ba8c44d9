<?php

use Cartbridge\Connection;
use Cartbridge\Notes;
use Cartbridge\Page;
use Cartbridge\Recorder;
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
    State::configure(['max_pending' => '2000', 'send_after_response' => 'N', 'cart_minutes' => '0']);
    same(['2000', 'N', 0], [State::get('max_pending'), State::get('send_after_response'), State::number('cart_minutes')]);
    foreach ([['max_pending' => '999'], ['keep_sent_days' => 'x'], ['cart_minutes' => '-1'], ['max_pending' => '5000', 'keep_sent_days' => ['x']]] as $settings) {
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
    Recorder::nextRequest();
    Staff::updateNote($note_id, $id, "Prefers mail\n");
    Staff::updateNote($note_id, $id, 'Prefers the phone');
    Staff::deleteNote($note_id, $id);
    $events = told();
    same(['note.created', 'customer.tags_changed', 'note.updated', 'note.deleted'], types($events), 'a note that says the same is not told of');
    same([$note_id, 'Prefers the phone', 'Rosan'], [$events[2]['data']['note']['note_id'], $events[2]['data']['note']['body'], $events[2]['data']['note']['author']]);
    same(['vip customer'], $events[1]['data']['tags']);
    same([$note_id, $id, 'Prefers mail', 'Rosan'], [$events[0]['data']['note']['note_id'], $events[0]['data']['note']['user_id'], $events[0]['data']['note']['body'], $events[0]['data']['note']['author']]);
    foreach ([['', 'the note is empty'], [str_repeat('x', 900000), 'the note is too long']] as list($body, $message)) {
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
    same(['vip customer'], told()[4]['data']['tags'], 'an event of the customer has his tags');
});

test('a note of 70,000 characters is taken and told, also of emoji', static function (): void {
    $id = customer();
    foreach (["\u{1F4DE}", 'x', "\u{E4}"] as $character) {
        forget_events();
        $note_id = Staff::addNote($id, str_repeat($character, 70000), 'Rosan');
        same(str_repeat($character, 70000), Notes::find($note_id)['body']);
        $body = (string) db_get_field('SELECT body FROM ?:cartbridge_outbox');
        holds(strlen($body) < 1048576, 'the event is within the 1 MiB that the bridge takes: ' . strlen($body));
        same(str_repeat($character, 70000), json_decode($body, true)['data']['note']['body']);
    }
});

test('a note that came from HighLevel is changed there and not here', static function (): void {
    $id = customer();
    $note_id = Notes::save(0, $id, 'Called', 'Rosan', 'ghl_1');
    forget_events();
    foreach ([static function () use ($note_id, $id): void {
        Staff::updateNote($note_id, $id, 'Other');
    }, static function () use ($note_id, $id): void {
        Staff::deleteNote($note_id, $id);
    }] as $do) {
        holds(strpos(refused($do), '409 this note was written in HighLevel') === 0, 'it says where');
    }
    same(['Called', []], [Notes::find($note_id)['body'], told()]);
});

/** What the bridge answers about a customer with everything. */
function seen_in_highlevel(array $changed = []): string
{
    $answer = $changed + ['customer' => 'customer:1', 'contact_id' => 'abc123', 'contact_url' => 'https://crm.example.com/v2/location/loc9/contacts/detail/abc123', 'tags' => [], 'fetched_at' => '2026-11-24T12:00:00Z', 'refreshing' => false, 'view' => [
        'contact' => ['id' => 'abc123', 'locationId' => 'loc9', 'firstName' => 'Ada', 'lastName' => 'Byron', 'email' => 'ada@example.com', 'tags' => ['vip']],
        'tasks' => [
            ['title' => 'Done', 'dueDate' => '2020-01-01T00:00:00Z', 'completed' => true],
            ['title' => 'Later', 'dueDate' => '2999-01-01T00:00:00Z', 'completed' => false],
            ['title' => 'Late', 'dueDate' => '2020-01-01T00:00:00Z', 'completed' => false],
        ],
        'welcome_task' => null,
        'notes' => [
            ['id' => 'n1', 'body' => '<p>Fond of tea &amp; cake</p>', 'dateAdded' => '2026-11-01T00:00:00Z'],
            ['id' => 'n2', 'body' => 'Ours', 'storeNoteId' => '7'],
            ['id' => 'n3', 'body' => 'Shared'],
        ],
        'appointments' => null,
        'missing' => ['appointments' => 'needs scope calendars/events.readonly'],
    ]];

    return (string) json_encode(['status' => 200, 'body' => json_encode($answer)]);
}

test('the tab shows what the bridge knows, asked for with a signature and kept for a minute', static function (): void {
    $bridge = new FakeBridge();
    $id = customer();
    forget_events();
    same([null, true], [View::cached($id)['view'], View::cached($id)['stale']]);
    $bridge->behave(seen_in_highlevel());
    $known = View::fetch($id);
    $shown = View::show($known['view'], ['n3']);
    same([true, 'Ada Byron', ['vip']], [$shown['linked'], $shown['contact']['name'], $shown['tags']]);
    same([['Late', true, false], ['Later', false, false], ['Done', false, true]], array_map(static function (array $task): array {
        return [$task['title'], $task['overdue'], $task['completed']];
    }, $shown['tasks']));
    same([2, 'Fond of tea & cake'], [$shown['open_tasks'], $shown['notes'][0]['body']]);
    same(1, count($shown['notes']), 'a note that the store has itself is not shown twice');
    same([[], 'needs scope calendars/events.readonly'], [$shown['appointments'], $shown['missing']['appointments']]);
    same('https://crm.example.com/v2/location/loc9/contacts/detail/abc123', $shown['url']);
    same('', View::show(['contact_id' => 'x', 'contact_url' => 'javascript:alert(1)'])['url'], 'a link is a web address');
    same(strtotime('2026-11-24T12:00:00Z'), $known['fetched_at'], 'as old as it is in the bridge');
    $request = $bridge->requests()[0];
    same(['POST', '/addon/my-shop/view', '{"customer":"' . $id . '"}'], [$request['method'], $request['path'], $request['body']]);
    $headers = $request['headers'];
    same(Connection::load()->secret()->sign($headers['webhook-id'], (int) $headers['webhook-timestamp'], $request['body']), $headers['webhook-signature']);
    same(false, isset($headers['authorization']));
    same([], told(), 'nothing goes through the outbox for it');
    View::fetch($id);
    same(1, count($bridge->requests()), 'within a minute it is not asked again');
    View::fetch($id, null, true);
    holds($bridge->requests()[1]['headers']['webhook-id'] !== $headers['webhook-id'], 'each question has its own id');
});

test('while the bridge asks HighLevel anew, the tab asks again after a few seconds', static function (): void {
    $bridge = new FakeBridge();
    $id = customer();
    $bridge->behave(seen_in_highlevel(['refreshing' => true]));
    same([true, false], [View::fetch($id)['refreshing'], View::cached($id)['stale']]);
    $GLOBALS['harness_clock_ahead'] = 4;
    same(true, View::cached($id)['stale']);
    $bridge->behave(seen_in_highlevel());
    same(false, View::fetch($id)['refreshing']);
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
    holds(strpos(View::fetch($ids[0], null, true)['error'], 'the bridge does not accept the signature') === 0, 'a wrong secret is told as such');
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
    foreach (array_merge(array_keys(State::DEFAULTS), ['contact_name', 'contact_email', 'contact_phone', 'contact_company', 'contact_source', 'refused', 'sent']) as $name) {
        if (strpos($po, 'msgctxt "Languages::cartbridge.' . $name . '"') === false) {
            $missing[] = $name;
        }
    }
    same([], $missing);
});

test('a long reason of the bridge fits into what the tab keeps', static function (): void {
    new FakeBridge();
    $id = customer();
    $known = View::fetch($id, bridge_that(static function (): Cartbridge\Answer {
        return new Cartbridge\Answer(401, (string) json_encode(['detail' => str_repeat('no ', 300)]));
    }));
    holds(strpos($known['error'], 'the bridge does not accept the signature') === 0, $known['error']);
});

test('the tab of a customer asks again at once when the clock was set back', static function (): void {
    new FakeBridge();
    $id = customer();
    $down = bridge_that(static function (): Cartbridge\Answer {
        return Cartbridge\Answer::none('down');
    });
    $GLOBALS['harness_clock_ahead'] = 86400;
    View::fetch($id, $down);
    unset($GLOBALS['harness_clock_ahead']);
    View::fetch($id, $down);
    same(2, count($down->bodies));
});
