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
    /** @var array<int, resource> */
    private $processes = [];

    public function __construct()
    {
        $folder = (string) getenv('ADDON_TMP') . '/real' . bin2hex(random_bytes(4));
        mkdir($folder);
        $program = (string) getenv('CARTBRIDGE_BIN');
        $this->processes[] = start([$program, 'sandbox', '--ghl', '127.0.0.1:0', '--cscart', '127.0.0.1:0'], null, $folder . '/sandbox');
        wait_for(static function () use ($folder): bool {
            return strpos((string) @file_get_contents($folder . '/sandbox'), "\n") !== false;
        }, 'the sandbox says where it is');
        $lines = array_filter((array) file($folder . '/sandbox'), static function (string $line): bool {
            return $line[0] === '{' && strpos($line, '"location_id"') !== false;
        });
        $sandbox = json_decode((string) reset($lines), true);
        $this->highlevel = $sandbox['ghl']['url'];
        $port = free_port();
        $this->url = 'http://127.0.0.1:' . $port;
        $config = [
            'listen = "127.0.0.1:' . $port . '"', 'public_url = "' . $this->url . '"', 'database = "sqlite://' . $folder . '/bridge.db"',
            '[[connection]]', 'name = "my-shop"',
            '[connection.ghl]', 'location_id = "' . $sandbox['ghl']['location_id'] . '"', 'token = "' . $sandbox['ghl']['token'] . '"', 'api_url = "' . $this->highlevel . '"',
            '[connection.cscart]', 'url = "' . $sandbox['cscart']['url'] . '"', 'email = "' . $sandbox['cscart']['email'] . '"',
            'api_key = "' . $sandbox['cscart']['api_key'] . '"', 'webhook_secrets = ["' . SECRET . '"]',
        ];
        file_put_contents($folder . '/cartbridge.toml', implode("\n", $config) . "\n");
        $environment = getenv() + ['CARTBRIDGE_ADMIN_KEY' => self::key()];
        $this->processes[] = start([$program, 'serve', '--config', $folder . '/cartbridge.toml'], $environment, $folder . '/log');
        wait_for(function (): bool {
            return @file_get_contents($this->url . '/readyz') !== false;
        }, 'the bridge is ready: ' . @file_get_contents($folder . '/log'));
        Page::connect(code(['url' => $this->url, 'key' => self::key()]));
    }

    public static function key(): string
    {
        return str_repeat('k', 40);
    }

    /** What the simulated HighLevel holds, as JSON. */
    public function holds(): string
    {
        return (string) file_get_contents($this->highlevel . '/_sandbox/state');
    }

    public function stop(): void
    {
        foreach ($this->processes as $process) {
            proc_terminate($process, 9);
            proc_close($process);
        }
    }
}

test('the bridge takes what the add-on sends, and HighLevel has the customer with his note', static function (): void {
    $bridge = new RealBridge();
    try {
        holds(strpos(Page::test(), 'msg_') === 0, 'the test event is taken');
        $id = customer('countess@example.com');
        fn_update_user($id, ['firstname' => 'Augusta']);
        Recorder::nextRequest();
        Staff::addNote($id, 'Prefers mail to the phone', 'Rosan');
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

        View::fetch($id);
        (new Sender())->run(20);
        wait_for(static function () use ($id): bool {
            $shown = View::show(View::fetch($id, null, true)['view']);
            return $shown['linked'] && ($shown['contact']['email'] ?? '') === 'countess@example.com' && $shown['tasks'] !== [] && $shown['url'] !== '';
        }, 'the tab shows the contact and his tasks');
    } finally {
        $bridge->stop();
    }
});

test('the bridge refuses another secret and another connection, and the add-on says what to do', static function (): void {
    $bridge = new RealBridge();
    try {
        customer();
        Connection::fromCode(code(['url' => $bridge->url, 'secret' => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']))->save();
        holds(strpos((new Sender())->run(10, true)['reason'], 'the bridge does not accept the signature') === 0, '401 is explained');
        Connection::fromCode(code(['url' => $bridge->url, 'connection' => 'other-shop']))->save();
        holds(strpos((new Sender())->run(10, true)['reason'], 'the bridge does not know this connection') === 0, '404 is explained');
        same(1, Outbox::pending());
    } finally {
        $bridge->stop();
    }
});
