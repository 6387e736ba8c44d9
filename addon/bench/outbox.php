<?php

/**
 * What a shopper's request pays for an event: the row in the outbox, on a real database with its own settings (each commit is on
 * the disk), beside a plain INSERT of as many bytes into a table with a primary key only, and beside the whole hook, which also
 * reads the customer. Run by `make bench-addon`; prints medians and the 95th percentile over single requests.
 */

require __DIR__ . '/../tests/harness/boot.php';
require __DIR__ . '/../tests/harness/kit.php';

use Cartbridge\Customers;
use Cartbridge\Outbox;
use Cartbridge\Recorder;

const ROUNDS = 2000;
/** The first ones warm caches up, and are not counted. */
const WARM_UP = 200;

foreach (array_filter(array_map('trim', explode(';', (string) file_get_contents(__DIR__ . '/../tests/harness/store.sql')))) as $query) {
    db_query($query);
}
foreach (simplexml_load_file(ADDON_ROOT . '/addon.xml')->queries->item as $item) {
    if ((string) $item['for'] === 'install') {
        db_query(trim((string) $item));
    }
}
db_query('CREATE TABLE ?:plain (id bigint unsigned NOT NULL AUTO_INCREMENT, body mediumtext CHARACTER SET ascii NOT NULL, PRIMARY KEY (id)) ENGINE=InnoDB');
Cartbridge\Installer::install();

$id = customer();
$data = (array) Customers::data($id);
$lane = Customers::lane($id, '');
$body = (string) db_get_field('SELECT body FROM ?:cartbridge_outbox LIMIT 1');
$works = [
    'plain' => static function () use ($body): void {
        db_query('INSERT INTO ?:plain ?e', ['body' => $body]);
    },
    'row' => static function () use ($data, $lane): void {
        Outbox::put('customer.updated', $lane, $lane, $data);
    },
    'hook' => static function () use ($id): void {
        Recorder::get()->customerChanged($id);
    },
];
$took = ['plain' => [], 'row' => [], 'hook' => []];
for ($round = 0; $round < ROUNDS + WARM_UP; $round++) {
    // One after the other, so that what else the machine does falls on all of them.
    foreach ($works as $name => $work) {
        Recorder::nextRequest();
        $begun = hrtime(true);
        $work();
        $ended = hrtime(true);
        if ($round >= WARM_UP) {
            $took[$name][] = ($ended - $begun) / 1e6;
        }
    }
}
same(2 * (ROUNDS + WARM_UP) + 1, Outbox::pending(), 'each round has written its rows');

$at = [];
foreach ($took as $name => $times) {
    sort($times);
    $at[$name] = ['median' => $times[intdiv(count($times), 2)], 'p95' => $times[(int) (count($times) * 0.95)]];
}
$version = db_get_field('SELECT VERSION()');
$flush = db_get_field('SELECT @@innodb_flush_log_at_trx_commit');
printf("%d requests, %d bytes a row, PHP %s, %s, innodb_flush_log_at_trx_commit=%d\n", ROUNDS, strlen($body), PHP_VERSION, $version, $flush);
$names = ['plain' => 'a plain INSERT of the same size', 'row' => 'the outbox row', 'hook' => 'the whole hook, with reading the customer'];
foreach ($names as $name => $what) {
    printf("%-42s median %.3f ms  p95 %.3f ms  %.2f times the plain INSERT\n", $what, $at[$name]['median'], $at[$name]['p95'], $at[$name]['median'] / $at['plain']['median']);
}
