<?php

/** The controllers and templates, over HTTP. */

use Cartbridge\Connection;
use Cartbridge\Notes;
use Cartbridge\Outbox;
use Cartbridge\State;
use Cartbridge\Tags;

/** The imitated store as a web server; it ends with the test. */
final class Shop
{
    /** @var string */
    private $url;
    /** @var resource */
    private $process;

    public function __construct()
    {
        $port = free_port();
        $this->url = 'http://127.0.0.1:' . $port;
        $this->process = start([PHP_BINARY, '-S', '127.0.0.1:' . $port, __DIR__ . '/harness/web.php'], null, getenv('ADDON_TMP') . '/web-log');
        wait_for(static function () use ($port): bool {
            $socket = @fsockopen('127.0.0.1', $port);
            return $socket !== false && fclose($socket);
        }, 'the store listens');
    }

    /**
     * @param array<int, string> $headers
     *
     * @return array{0: int, 1: string}
     */
    public function ask(string $method, string $path, string $body = '', array $headers = []): array
    {
        $context = stream_context_create(['http' => ['method' => $method, 'content' => $body, 'header' => $headers, 'ignore_errors' => true, 'timeout' => 20]]);
        $answer = (string) file_get_contents($this->url . $path, false, $context);
        preg_match('#^HTTP/\S+ (\d+)#', $http_response_header[0], $match);

        return [(int) $match[1], $answer];
    }

    /** @param array<string, mixed> $fields */
    public function press(string $button, array $fields = []): string
    {
        return $this->ask('POST', '/admin.php', http_build_query(['dispatch' => [$button => 'Y']] + $fields), ['Content-Type: application/x-www-form-urlencoded'])[1];
    }

    public function stop(): void
    {
        proc_terminate($this->process, 9);
        proc_close($this->process);
    }
}

function with_shop(callable $do): void
{
    @unlink(getenv('ADDON_TMP') . '/web-errors');
    $shop = new Shop();
    try {
        $do($shop);
    } finally {
        $shop->stop();
    }
    same('', (string) @file_get_contents(getenv('ADDON_TMP') . '/web-errors'), 'nothing is in the error log');
}

test('the page in the administration connects, tests, shows and disconnects', static function (): void {
    $bridge = new FakeBridge(false);
    with_shop(static function (Shop $shop) use ($bridge): void {
        holds(strpos($shop->press('cartbridge.connect', ['code' => 'cb1_x']), '"E the code is damaged') === 1, 'a wrong code is refused');
        holds(strpos($shop->ask('GET', '/admin.php?dispatch=cartbridge.manage')[1], 'cb1_...') !== false, 'the page asks for the code');
        holds(strpos($shop->press('cartbridge.connect', ['code' => code(['url' => $bridge->url])]), 'N The store is connected with') !== false, 'it is connected');
        holds(strpos($shop->press('cartbridge.test'), 'N The bridge took the test event msg_') !== false, 'the test is taken');
        $bridge->behave('{"status":400,"body":"{\"detail\":\"<b>no<\\/b>\"}"}');
        customer('<script>@x.com');
        holds(strpos($shop->press('cartbridge.send'), 'W 0 sent') !== false, 'a refusal is told');
        $page = $shop->ask('GET', '/admin.php?dispatch=cartbridge.manage')[1];
        holds(strpos($page, '400 &lt;b&gt;no&lt;/b&gt;') !== false, 'the last error is shown, escaped');
        holds(strpos($page, 'whsec_') === false, 'no secret is shown');
        holds(strpos($page, State::get('cron_key')) !== false, 'the cron address is shown');
        $bridge->behave('202');
        $ids = db_get_fields('SELECT event_id FROM ?:cartbridge_outbox WHERE state = ?s', 'P');
        holds(strpos($shop->press('cartbridge.resend', ['event_ids' => $ids]), '1 events will be sent again') !== false, 'resend');
        holds(strpos($shop->press('cartbridge.send'), 'N 1 sent') !== false, 'and it is sent');
        holds(strpos($shop->press('cartbridge.resend_since', ['hours' => '24']), 'N 2 events will be sent again') !== false, 'what was delivered is sent again');
        holds(strpos($shop->press('cartbridge.resend_since', ['hours' => '169']), 'E the hours are a whole number from 1 to 168') !== false, 'not what is kept no longer');
        $shop->press('cartbridge.settings', ['settings' => ['max_pending' => '1000', 'send_after_response' => 'N']]);
        same(['1000', 'N'], [State::get('max_pending'), State::get('send_after_response')]);
        holds(strpos($shop->press('cartbridge.settings', ['settings' => ['max_pending' => '1']]), 'E `max_pending` is a whole number') !== false, 'a wrong setting is refused');
        State::set('turned_away', '7');
        holds(strpos($shop->ask('GET', '/admin.php?dispatch=cartbridge.manage')[1], '7 new events were turned away') !== false, 'a full outbox is told of');
        $shop->press('cartbridge.forget_turned_away');
        same(0, State::number('turned_away'));
        State::set('last_record_error', 'away');
        holds(strpos($shop->ask('GET', '/admin.php?dispatch=cartbridge.manage')[1], 'dispatch[cartbridge.forget_turned_away]') !== false, 'what failed can be put away');
        $shop->press('cartbridge.forget_turned_away');
        same('', State::get('last_record_error'));
        $shop->press('cartbridge.disconnect');
        same(null, Connection::load());
    });
});

test('the tab of a customer has his notes, tags and contact, and its buttons work', static function (): void {
    $bridge = new FakeBridge();
    with_shop(static function (Shop $shop) use ($bridge): void {
        $id = customer();
        $shop->press('cartbridge.note_add', ['cartbridge_user_id' => $id, 'cartbridge_body' => "<i>Prefers</i>\nmail"]);
        $shop->press('cartbridge.tag_add', ['cartbridge_user_id' => $id, 'cartbridge_tag' => 'VIP & co']);
        holds(strpos($shop->press('cartbridge.note_add', ['cartbridge_user_id' => $id, 'cartbridge_body' => '']), 'E the note is empty') !== false, 'an empty note is refused');
        same([['vip & co'], 'Rosan Deo'], [Tags::of($id), Notes::of($id)[0]['author']]);
        $asked = count($bridge->requests());
        $tab = $shop->ask('GET', '/admin.php?dispatch=profiles.update&user_id=' . $id)[1];
        holds(strpos($tab, '&lt;i&gt;Prefers&lt;/i&gt;<br />') !== false, 'the note is shown, escaped');
        holds(strpos($tab, 'vip &amp; co') !== false && strpos($tab, 'Nothing was fetched') !== false, 'tags and the state are shown');
        same($asked, count($bridge->requests()), 'the page itself asks nobody');
        $bridge->behave((string) json_encode(['status' => 200, 'body' => json_encode(['contact_id' => 'c1', 'contact_url' => 'https://app.example.com/v2/location/l1/contacts/detail/c1', 'refreshing' => true, 'fetched_at' => '2026-11-24T12:00:00Z', 'view' => [
            'contact' => ['id' => 'c1', 'firstName' => '<Ada>', 'tags' => ['vip']],
            'tasks' => [['title' => 'Call <her>', 'completed' => false, 'dueDate' => '2020-01-02T00:00:00Z']],
            'notes' => [['id' => 'n1', 'body' => 'Fond of tea', 'dateAdded' => '2026-11-01T00:00:00Z']],
            'appointments' => [['title' => 'Fitting', 'startTime' => '2026-12-01 10:00:00', 'appointmentStatus' => 'confirmed']],
        ]])]));
        $part = $shop->ask('GET', '/admin.php?dispatch=cartbridge.customer&user_id=' . $id)[1];
        foreach (['&lt;Ada&gt;', 'Call &lt;her&gt;', 'overdue', '2020-01-02', 'Fond of tea', 'Fitting', '2026-12-01 10:00:00', 'href="https://app.example.com/v2/location/l1/contacts/detail/c1"', 'again=1'] as $text) {
            holds(strpos($part, $text) !== false, $text . ' is shown in ' . $part);
        }
        holds(substr_count($part, '<caption>') === 2 && substr_count($part, '<h4>') === 4 && preg_match('/\son[a-z]+="/', $part . $tab) === 0, 'tables have captions, parts have headings, nothing hangs on handlers in the markup');
        holds(strpos($shop->ask('GET', '/admin.php?dispatch=cartbridge.customer&user_id=' . $id . '&again=3')[1], 'again=4') === false, 'it does not ask for ever');

        $note_id = Notes::of($id)[0]['note_id'];
        $shop->press('cartbridge.note_update.' . $note_id, ['cartbridge_user_id' => $id, 'cartbridge_bodies' => [$note_id => 'Prefers the phone']]);
        same('Prefers the phone', Notes::of($id)[0]['body']);
        $long = str_repeat('x', 900001);
        holds(strpos($shop->press('cartbridge.note_update.' . $note_id, ['cartbridge_user_id' => $id, 'cartbridge_bodies' => [$note_id => $long]]), 'E the note is too long') !== false, 'a note that is too long is refused');
        $tab = $shop->ask('GET', '/admin.php?dispatch=profiles.update&user_id=' . $id)[1];
        holds(strpos($tab, $long) !== false && strpos($tab, '<details open>') !== false, 'and what was written is still there');
        same('Prefers the phone', Notes::of($id)[0]['body']);
        holds(strpos($shop->ask('GET', '/admin.php?dispatch=profiles.update&user_id=' . $id)[1], $long) === false, 'once');
        $external = Notes::save(0, $id, 'From over there', 'Rosan', 'ghl_9');
        $tab = $shop->ask('GET', '/admin.php?dispatch=profiles.update&user_id=' . $id)[1];
        holds(strpos($tab, 'from HighLevel') !== false && strpos($tab, 'note_update.' . $external) === false, 'a note of HighLevel is marked and not changed here');
        Notes::delete($external);
        $shop->press('cartbridge.tag_remove', ['cartbridge_user_id' => $id, 'cartbridge_tags' => ['vip & co']]);
        $shop->press('cartbridge.note_delete.' . $note_id, ['cartbridge_user_id' => $id]);
        same([[], []], [Tags::of($id), Notes::of($id)]);
        same(['customer.created', 'note.created', 'customer.tags_changed', 'note.updated', 'customer.tags_changed', 'note.deleted'], types(told()));
    });
});

test('a status changed in the list of customers is told of, though the core has no hook for it', static function (): void {
    with_shop(static function (Shop $shop): void {
        $id = customer();
        forget_events();
        $shop->press('profiles.update_status', ['id' => $id, 'status' => 'D']);
        wait_for(static function (): bool {
            return Outbox::pending() === 1;
        }, 'the event is written');
        $event = told()[0];
        same(['customer.updated', 'D'], [$event['type'], $event['data']['user']['status']]);
    });
});

test('the bridge\'s signed call works over HTTP, and an unsigned one does not', static function (): void {
    Connection::fromCode(code([]))->save();
    with_shop(static function (Shop $shop): void {
        $body = '{"action":"ping"}';
        $at = time();
        $headers = ['webhook-id: call_1', 'webhook-timestamp: ' . $at, 'webhook-signature: ' . Connection::load()->secret()->sign('call_1', $at, $body), 'Content-Type: application/json'];
        list($status, $answer) = $shop->ask('POST', '/index.php?dispatch=cartbridge_api.call', $body, $headers);
        same([200, 'https://shop.example.com'], [$status, json_decode($answer, true)['store']['url']]);
        same(401, $shop->ask('POST', '/index.php?dispatch=cartbridge_api.call', $body, ['Content-Type: application/json'])[0]);
        same(405, $shop->ask('GET', '/index.php?dispatch=cartbridge_api.call')[0]);
    });
});

test('the address for cron sends, with its key only', static function (): void {
    new FakeBridge();
    with_shop(static function (Shop $shop): void {
        customer();
        same(403, $shop->ask('GET', '/index.php?dispatch=cartbridge_cron.send&key=wrong')[0]);
        same(403, $shop->ask('GET', '/index.php?dispatch=cartbridge_cron.send')[0]);
        same(1, Outbox::pending());
        list($status, $answer) = $shop->ask('GET', '/index.php?dispatch=cartbridge_cron.send&key=' . State::get('cron_key'));
        same([200, "sent 1, failed 0: nothing is due\n"], [$status, $answer]);
    });
});

test('with a storefront chosen the tab shows and changes that storefront\'s customers only', static function (): void {
    new FakeBridge();
    $own = (int) fn_update_user(0, ['email' => 'own@example.com', 'user_type' => 'C', 'company_id' => 1])[0];
    $other = (int) fn_update_user(0, ['email' => 'other@example.com', 'user_type' => 'C', 'company_id' => 2])[0];
    putenv('ADDON_COMPANY=1');
    with_shop(static function (Shop $shop) use ($own, $other): void {
        same([200, 403], [
            $shop->ask('GET', '/admin.php?dispatch=cartbridge.customer&user_id=' . $own)[0],
            $shop->ask('GET', '/admin.php?dispatch=cartbridge.customer&user_id=' . $other)[0],
        ]);
        $shop->press('cartbridge.note_add', ['cartbridge_user_id' => $own, 'cartbridge_body' => 'Ours']);
        holds(strpos($shop->press('cartbridge.note_add', ['cartbridge_user_id' => $other, 'cartbridge_body' => 'Theirs']), 'E the storefront that is chosen has no customer') !== false, 'it is refused with a reason');
        same([1, 0], [count(Notes::of($own)), count(Notes::of($other))]);
    });
    $modes = ['customer', 'note_add', 'note_update', 'note_delete', 'tag_add', 'tag_remove'];
    $tab = json_decode(elsewhere('permissions-of-vendors'), true);
    same([false, $modes], [$tab['permissions'], array_keys($tab['modes'])]);
    same(['permissions' => false], json_decode(elsewhere_in(['ADDON_EDITION' => 'MULTIVENDOR'], 'permissions-of-vendors'), true));
});

test('a customer with a great many long notes has a page of a bounded size, which says that there are more', static function (): void {
    with_shop(static function (Shop $shop): void {
        $id = customer();
        db_query('INSERT INTO ?:cartbridge_notes (user_id, body, created_at) SELECT ?i, CONCAT(\'"\', seq, REPEAT(?s, 70000), \'"\'), seq FROM seq_1_to_60', $id, '\\u0447');
        $tab = $shop->ask('GET', '/admin.php?dispatch=profiles.update&user_id=' . $id)[1];
        same(4, substr_count($tab, 'class="well"'));
        holds(strpos($tab, '56 older notes are not shown here') !== false && strpos($tab, '60' . "\u{0447}") !== false, 'the newest are shown');
    });
});

test('a note at which the database fails stays in its field', static function (): void {
    $most = (int) db_get_field('SELECT @@GLOBAL.max_allowed_packet');
    with_shop(static function (Shop $shop) use ($most): void {
        $id = customer();
        $note = str_repeat('"', 440000);
        db_query('SET GLOBAL max_allowed_packet = 1048576');
        try {
            $answer = $shop->press('cartbridge.note_add', ['cartbridge_user_id' => $id, 'cartbridge_body' => $note]);
        } finally {
            db_query('SET GLOBAL max_allowed_packet = ?i', $most);
        }
        holds(strpos($answer, 'E the store failed at this; its error log says more') !== false, 'it is told: ' . substr($answer, 0, 200));
        $log = getenv('ADDON_TMP') . '/web-errors';
        $said = (string) file_get_contents($log);
        holds(strpos($said, 'cartbridge: note_add failed') !== false && strlen($said) < 2000, 'in the log, and in short');
        unlink($log);
        holds(strpos($shop->ask('GET', '/admin.php?dispatch=profiles.update&user_id=' . $id)[1], str_repeat('&quot;', 440000)) !== false, 'what was written is still there');
        same([], Notes::of($id));
    });
});
