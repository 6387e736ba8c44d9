<?php

/** Against the bridge itself and its simulated HighLevel, where CARTBRIDGE_BIN names a built `cartbridge`. */

use Cartbridge\Connection;
use Cartbridge\Outbox;
use Cartbridge\Page;
use Cartbridge\Recorder;
use Cartbridge\Sender;
use Cartbridge\Staff;
use Cartbridge\View;

if ((string) getenv('CARTBRIDGE_BIN') === '') {
    echo "  (not against the bridge itself: CARTBRIDGE_BIN is not set)\n";
    return;
}

/** The bridge and the sandbox, which end with the test. */
final class RealBridge
{
    /** @var string */
    public $url;
    /** @var string */
    public $highlevel;
    /** @var string */
    private $folder;
    /** @var resource */
    private $sandbox;
    /** @var resource */
    private $program;

    public function __construct()
    {
        $this->folder = (string) getenv('ADDON_TMP') . '/real' . bin2hex(random_bytes(4));
        mkdir($this->folder);
        $announced = $this->folder . '/sandbox';
        $this->sandbox = start([getenv('CARTBRIDGE_BIN'), 'sandbox', '--ghl', '127.0.0.1:0', '--cscart', '127.0.0.1:0'], null, $announced);
        wait_for(static function () use ($announced): bool {
            return strpos((string) @file_get_contents($announced), "\n") !== false;
        }, 'the sandbox says where it is');
        $lines = array_filter((array) file($announced), static function (string $line): bool {
            return $line[0] === '{' && strpos($line, '"location_id"') !== false;
        });
        $sandbox = json_decode((string) reset($lines), true);
        $this->highlevel = $sandbox['ghl']['url'];
        $port = free_port();
        $this->url = 'http://127.0.0.1:' . $port;
        $config = [
            'listen = "127.0.0.1:' . $port . '"', 'public_url = "' . $this->url . '"', 'database = "sqlite://' . $this->folder . '/bridge.db"',
            // The sandbox's search lags by two seconds; after a restore the bridge waits for as long as it is told.
            '[engine]', 'index_lag_ms = 3000',
            '[[connection]]', 'name = "my-shop"',
            '[connection.ghl]', 'location_id = "' . $sandbox['ghl']['location_id'] . '"', 'token = "' . $sandbox['ghl']['token'] . '"', 'api_url = "' . $this->highlevel . '"',
            '[connection.cscart]', 'url = "' . $sandbox['cscart']['url'] . '"', 'email = "' . $sandbox['cscart']['email'] . '"',
            'api_key = "' . $sandbox['cscart']['api_key'] . '"', 'webhook_secrets = ["' . SECRET . '"]',
        ];
        file_put_contents($this->folder . '/cartbridge.toml', implode("\n", $config) . "\n");
        $this->begin();
        Page::connect($this->run('connection', 'code', 'my-shop', '--same-machine'));
    }

    /** Starts the bridge. */
    public function begin(): void
    {
        $environment = getenv() + ['CARTBRIDGE_ADMIN_KEY' => str_repeat('k', 40)];
        $log = $this->folder . '/log';
        $this->program = start([getenv('CARTBRIDGE_BIN'), 'serve', '--config', $this->folder . '/cartbridge.toml'], $environment, $log);
        wait_for(function (): bool {
            return @file_get_contents($this->url . '/readyz') !== false;
        }, 'the bridge is ready: ' . @file_get_contents($log));
    }

    /** Stops the bridge in good order, so that its database can be copied. */
    public function end(): void
    {
        proc_terminate($this->program);
        wait_for(function (): bool {
            return !proc_get_status($this->program)['running'];
        }, 'the bridge ends');
        proc_close($this->program);
    }

    /** Keeps its database, as a backup does, or puts back what was kept. */
    public function backup(bool $restore = false): void
    {
        $files = [$this->folder . '/bridge.db', $this->folder . '/kept.db'];
        list($from, $to) = $restore ? array_reverse($files) : $files;
        array_map('unlink', array_filter([$to, $to . '-wal', $to . '-shm'], 'is_file'));
        // With SQLite's log, should the bridge have left one.
        foreach (array_filter(['', '-wal'], static function (string $end) use ($from): bool {
            return is_file($from . $end);
        }) as $end) {
            holds(copy($from . $end, $to . $end), 'the database is copied');
        }
    }

    /** What a command of the bridge prints. */
    private function run(string ...$arguments): string
    {
        $output = $this->folder . '/printed' . bin2hex(random_bytes(4));
        $pipes = [];
        $command = array_merge([getenv('CARTBRIDGE_BIN'), '--config', $this->folder . '/cartbridge.toml'], $arguments);
        $process = proc_open($command, [['file', '/dev/null', 'r'], ['file', $output, 'w'], ['file', $output . '-errors', 'w']], $pipes);
        same(0, proc_close($process), (string) file_get_contents($output . '-errors'));

        return (string) file_get_contents($output);
    }

    /** What the simulated HighLevel holds, as JSON. */
    public function holds(): string
    {
        return (string) file_get_contents($this->highlevel . '/_sandbox/state');
    }

    public function stop(): void
    {
        foreach ([$this->program, $this->sandbox] as $process) {
            if (is_resource($process)) {
                proc_terminate($process, 9);
                proc_close($process);
            }
        }
    }
}

function with_the_bridge(callable $do): void
{
    $bridge = new RealBridge();
    try {
        $do($bridge);
    } finally {
        $bridge->stop();
    }
}

test('the bridge takes what the add-on sends, and HighLevel has the customer with his note', static function (): void {
    with_the_bridge(static function (RealBridge $bridge): void {
        holds(strpos(Page::test(), 'msg_') === 0, 'the test event is taken');
        $id = customer('countess@example.com');
        fn_update_user($id, ['firstname' => 'Augusta']);
        Recorder::nextRequest();
        $note_id = Staff::addNote($id, "Prefers mail to the phone \u{1F4EE}", 'Rosan');
        $cart = ['total' => '19.90', 'products' => [1001 => ['product_id' => 7, 'price' => '9.95', 'amount' => 2, 'product' => 'Tea']], 'user_data' => ['email' => 'countess@example.com']];
        $auth = ['user_id' => $id];
        fn_place_order($cart, $auth);
        $done = (new Sender())->run(20);
        same([4, 0, 0], [$done['sent'], $done['failed'], Outbox::pending()], $done['reason']);
        same(['202'], db_get_fields('SELECT DISTINCT last_status FROM ?:cartbridge_outbox'));
        wait_for(static function () use ($bridge): bool {
            $state = $bridge->holds();
            return strpos($state, 'countess@example.com') !== false && strpos($state, 'Prefers mail to the phone') !== false;
        }, 'the contact and his note are in HighLevel');

        Outbox::resend(db_get_fields('SELECT event_id FROM ?:cartbridge_outbox'));
        same(5, (new Sender())->run(20)['sent']);
        same(['200'], db_get_fields('SELECT DISTINCT last_status FROM ?:cartbridge_outbox'), 'the bridge knows each of them');

        wait_for(static function () use ($id): bool {
            $shown = View::show(View::fetch($id, null, true)['view']);
            return $shown['fetched'] && ($shown['contact']['email'] ?? '') === 'countess@example.com' && $shown['tasks'] !== [];
        }, 'the tab shows the contact and his tasks');
        $shown = View::show(View::cached($id)['view']);
        same(1, preg_match('#^https://app\.gohighlevel\.com/v2/location/\w+/contacts/detail/\w+$#D', $shown['url']), $shown['url']);
        same([[], ''], [$shown['notes'], View::cached($id)['error']], 'the store\'s own note is not shown twice');

        Recorder::nextRequest();
        Staff::updateNote($note_id, $id, 'Prefers the phone after all');
        same(1, (new Sender())->run(20)['sent']);
        wait_for(static function () use ($bridge): bool {
            $state = $bridge->holds();
            return strpos($state, 'Prefers the phone after all') !== false && strpos($state, 'Prefers mail to the phone') === false;
        }, 'the note is changed in HighLevel, and not made again');
        Staff::deleteNote($note_id, $id);
        same(1, (new Sender())->run(20)['sent']);
        wait_for(static function () use ($bridge): bool {
            return strpos($bridge->holds(), 'Prefers the phone after all') === false;
        }, 'and deleted');
    });
});

test('a note of 70,000 emoji is taken by the bridge and lies whole in HighLevel', static function (): void {
    with_the_bridge(static function (RealBridge $bridge): void {
        $id = customer();
        Staff::addNote($id, str_repeat("\u{1F600}", 70000), 'Rosan');
        same([2, 0], array_slice(array_values((new Sender())->run(20)), 0, 2));
        wait_for(static function () use ($bridge): bool {
            $held = json_decode($bridge->holds(), true);
            return mb_strlen($held['notes'][0]['body'] ?? '', 'UTF-8') === 70000;
        }, 'it is in HighLevel');
    });
});

test('the bridge refuses another secret, another connection and another time, and the add-on says what to do', static function (): void {
    with_the_bridge(static function (RealBridge $bridge): void {
        customer();
        $right = Connection::load();
        Connection::fromCode(code(['url' => $bridge->url, 'secret' => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']))->save();
        holds(strpos((new Sender())->run(10, true)['reason'], 'the bridge does not accept the signature') === 0, '401 is explained');
        Connection::fromCode(code(['url' => $bridge->url, 'connection' => 'other-shop']))->save();
        holds(strpos((new Sender())->run(10, true)['reason'], 'the bridge does not know this connection') === 0, '404 is explained');
        $right->save();
        foreach ([1200 => '20 minutes ahead of', -1200 => '20 minutes behind'] as $ahead => $words) {
            $GLOBALS['harness_clock_ahead'] = $ahead;
            $reason = (new Sender())->run(10, true)['reason'];
            holds(strpos($reason, "this server's clock is " . $words) === 0 && strpos($reason, '`webhook-timestamp`') !== false, $reason);
        }
        unset($GLOBALS['harness_clock_ahead']);
        same(1, Outbox::pending());
        same(1, (new Sender())->run(10, true)['sent'], 'nothing is lost by it');
    });
});

test('a bridge that was restored from a backup gets again what it has lost, and HighLevel has nothing twice', static function (): void {
    with_the_bridge(static function (RealBridge $bridge): void {
        customer('early@example.com');
        same(1, (new Sender())->run(10)['sent']);
        $in_highlevel = static function (string $email) use ($bridge): int {
            return count(array_filter((array) json_decode($bridge->holds(), true)['contacts'], static function (array $contact) use ($email): bool {
                return ($contact['email'] ?? '') === $email;
            }));
        };
        wait_for(static function () use ($in_highlevel): bool {
            return $in_highlevel('early@example.com') === 1;
        }, 'the early contact is there');
        $bridge->end();
        $bridge->backup();
        $bridge->begin();
        customer('late@example.com');
        same(1, (new Sender())->run(10)['sent']);
        wait_for(static function () use ($in_highlevel): bool {
            return $in_highlevel('late@example.com') === 1;
        }, 'the late contact is there');
        $bridge->end();
        $bridge->backup(true);
        $bridge->begin();

        same(2, Page::resendLast(24));
        same(2, (new Sender())->run(10, true)['sent']);
        same(['200', '202'], db_get_fields('SELECT last_status FROM ?:cartbridge_outbox ORDER BY event_no'), 'the early one it still knew');
        $id = (int) db_get_field('SELECT user_id FROM ?:users WHERE email = ?s', 'late@example.com');
        wait_for(static function () use ($id): bool {
            return View::show(View::fetch($id, null, true)['view'])['fetched'];
        }, 'the late customer is known again');
        same([1, 1], [$in_highlevel('early@example.com'), $in_highlevel('late@example.com')]);
    });
});
