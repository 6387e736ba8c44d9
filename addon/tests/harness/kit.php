<?php

/** The test runner, and what several tests need. */

use Cartbridge\Connection;
use Cartbridge\Recorder;
use Cartbridge\State;
use Tygh\Registry;

const SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

final class Kit
{
    /** @var array<string, callable> */
    public static $tests = [];
    /** @var FakeBridge|null */
    public static $bridge;

    public static function fresh(): void
    {
        $link = HarnessDatabase::link();
        foreach ($link->query('SHOW TABLES')->fetch_all(MYSQLI_NUM) as $row) {
            $link->query('TRUNCATE TABLE `' . $row[0] . '`');
        }
        Registry::set('runtime.company_id', null);
        unset($GLOBALS['harness_clock_ahead'], $GLOBALS['harness_unreadable']);
        putenv('ADDON_COMPANY');
        @unlink(getenv('ADDON_TMP') . '/session');
        Cartbridge\Installer::install();
        Recorder::nextRequest();
        if (self::$bridge !== null) {
            self::$bridge->stop();
            self::$bridge = null;
        }
    }

    public static function run(string $only): int
    {
        $failed = 0;
        $passed = 0;
        foreach (self::$tests as $name => $test) {
            if ($only !== '' && stripos($name, $only) === false) {
                continue;
            }
            self::fresh();
            try {
                $test();
                $passed++;
                echo '  ok    ', $name, "\n";
            } catch (Throwable $error) {
                $failed++;
                echo '  FAIL  ', $name, "\n        ", get_class($error), ': ', $error->getMessage(), "\n        ", str_replace("\n", "\n        ", $error->getTraceAsString()), "\n";
            }
        }
        self::fresh();
        echo $passed, ' passed, ', $failed, " failed\n";

        return $failed === 0 && $passed > 0 ? 0 : 1;
    }
}

/** A bridge in a process of its own (fake_bridge.php). */
final class FakeBridge
{
    /** @var string */
    public $url;
    /** @var string */
    private $folder;
    /** @var resource */
    private $process;

    public function __construct(bool $connect = true)
    {
        $this->folder = (string) getenv('ADDON_TMP') . '/bridge' . bin2hex(random_bytes(4));
        mkdir($this->folder);
        $port = free_port();
        $this->url = 'http://127.0.0.1:' . $port;
        $environment = getenv() + ['FAKE_BRIDGE' => $this->folder, 'FAKE_SECRET' => SECRET];
        $this->process = start([PHP_BINARY, '-S', '127.0.0.1:' . $port, __DIR__ . '/fake_bridge.php'], $environment, $this->folder . '/log');
        wait_for(static function () use ($port): bool {
            $socket = @fsockopen('127.0.0.1', $port);
            return $socket !== false && fclose($socket);
        }, 'the fake bridge listens');
        Kit::$bridge = $this;
        if ($connect) {
            Connection::fromCode(code(['url' => $this->url]))->save();
        }
    }

    public function behave(string $behaviour): void
    {
        file_put_contents($this->folder . '/behaviour', $behaviour);
    }

    /** @return array<int, array<string, mixed>> */
    public function requests(): array
    {
        $lines = is_file($this->folder . '/requests') ? file($this->folder . '/requests', FILE_IGNORE_NEW_LINES) : [];

        return array_map(static function (string $line): array {
            return json_decode($line, true);
        }, $lines);
    }

    /** @return array<int, array<string, mixed>> the bodies that were posted, in order */
    public function events(): array
    {
        $posts = array_filter($this->requests(), static function (array $request): bool {
            return $request['method'] === 'POST';
        });

        return array_values(array_map(static function (array $request): array {
            return json_decode($request['body'], true);
        }, $posts));
    }

    public function stop(): void
    {
        if (is_resource($this->process)) {
            proc_terminate($this->process, 9);
            proc_close($this->process);
        }
    }
}

function test(string $name, callable $test): void
{
    Kit::$tests[$name] = $test;
}

/** @param mixed $expected */
function same($expected, $found, string $what = ''): void
{
    if ($expected !== $found) {
        throw new Exception(($what === '' ? '' : $what . ': ') . 'expected ' . json_encode($expected) . ', found ' . json_encode($found));
    }
}

function holds(bool $condition, string $what): void
{
    if (!$condition) {
        throw new Exception('not so: ' . $what);
    }
}

/** The status and message of the problem that this must end with. */
function refused(callable $do): string
{
    try {
        $do();
    } catch (Cartbridge\Problem $problem) {
        return $problem->status() . ' ' . $problem->getMessage();
    }
    throw new Exception('it was not refused');
}

function wait_for(callable $condition, string $what): void
{
    $until = microtime(true) + 10;
    while (!$condition()) {
        if (microtime(true) > $until) {
            throw new Exception('waited 10 seconds in vain: ' . $what);
        }
        usleep(10000);
    }
}

function free_port(): int
{
    $socket = stream_socket_server('tcp://127.0.0.1:0');
    $port = (int) substr((string) strrchr((string) stream_socket_get_name($socket, false), ':'), 1);
    fclose($socket);

    return $port;
}

/**
 * @param array<int, string> $command
 *
 * @return resource
 */
function start(array $command, ?array $environment = null, string $output = '/dev/null')
{
    $pipes = [];

    return proc_open($command, [['file', '/dev/null', 'r'], ['file', $output, 'a'], ['file', $output, 'a']], $pipes, null, $environment ?? getenv());
}

/** Runs process.php to its end, whatever that is. */
function elsewhere(string ...$arguments): string
{
    return elsewhere_in([], ...$arguments);
}

/**
 * The same in another edition (ADDON_EDITION) or version (ADDON_CORE) of CS-Cart.
 *
 * @param array<string, string> $store
 */
function elsewhere_in(array $store, string ...$arguments): string
{
    $environment = getenv() + $store;
    $output = (string) getenv('ADDON_TMP') . '/out' . bin2hex(random_bytes(4));
    $process = start(array_merge([PHP_BINARY, __DIR__ . '/process.php'], $arguments), $environment, $output);
    wait_for(static function () use ($process): bool {
        return !proc_get_status($process)['running'];
    }, 'the other process ends');
    proc_close($process);

    return is_file($output) ? (string) file_get_contents($output) : '';
}

/** @param array<string, mixed> $fields */
function code(array $fields): string
{
    $fields += ['url' => 'http://127.0.0.1:1', 'connection' => 'my-shop', 'secret' => SECRET];

    return 'cb1_' . rtrim(strtr(base64_encode((string) json_encode($fields)), '+/', '-_'), '=');
}

/** @return array<int, array<string, mixed>> the bodies of the rows, oldest first */
function told(string $state = 'P'): array
{
    $bodies = db_get_fields('SELECT body FROM ?:cartbridge_outbox WHERE state = ?s ORDER BY event_no', $state);

    return array_map(static function (string $body): array {
        return json_decode($body, true);
    }, $bodies);
}

/** @return array<int, string> */
function types(array $events): array
{
    return array_column($events, 'type');
}

function customer(string $email = 'ada@example.com'): int
{
    $user_id = (int) fn_update_user(0, ['email' => $email, 'user_type' => 'C', 'firstname' => 'Ada', 'lastname' => 'Byron', 'b_city' => 'London', 'b_country' => 'GB'])[0];
    Recorder::nextRequest();

    return $user_id;
}

function forget_events(): void
{
    db_query('DELETE FROM ?:cartbridge_outbox');
    Recorder::nextRequest();
}

/**
 * Does the first in a transaction that is still open while the second is done over another connection, which does not wait for a lock
 * longer than a second.
 */
function meanwhile(callable $first, callable $second): void
{
    db_query('START TRANSACTION');
    $first();
    $held = HarnessDatabase::link();
    HarnessDatabase::forget();
    db_query('SET SESSION innodb_lock_wait_timeout = 1');
    try {
        $second();
    } finally {
        $held->rollback();
    }
}

/** A bridge that answers as a function of the body says, in this process. */
function bridge_that(callable $answers): Cartbridge\Transport
{
    return new class($answers) implements Cartbridge\Transport {
        /** @var callable */
        private $answers;
        /** @var array<int, string> the bodies that came */
        public $bodies = [];

        public function __construct(callable $answers)
        {
            $this->answers = $answers;
        }

        public function send(string $method, string $url, array $headers, string $body, int $timeout): Cartbridge\Answer
        {
            $this->bodies[] = $body;

            return ($this->answers)($body);
        }
    };
}

/** Lets time pass, for what waits for it. */
function let_pass(): void
{
    State::set('paused_until', '0');
    db_query('UPDATE ?:cartbridge_outbox SET next_attempt_at = 0');
}

/** A signed call of the bridge. */
function call(array $call, array $changed = []): array
{
    $body = $changed['body'] ?? (string) json_encode($call);
    $id = $changed['id'] ?? 'call_' . bin2hex(random_bytes(8));
    $at = $changed['at'] ?? time();
    $key = base64_decode(substr($changed['secret'] ?? SECRET, 6));
    $signature = 'v1,' . base64_encode(hash_hmac('sha256', $id . '.' . $at . '.' . ($changed['signed'] ?? $body), $key, true));

    return Cartbridge\Endpoint::answer($changed['method'] ?? 'POST', ['webhook-id' => $id, 'webhook-timestamp' => (string) $at, 'webhook-signature' => $changed['signature'] ?? $signature], $body);
}
