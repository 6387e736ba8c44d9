<?php

/**
 * What a shopper's request pays for an event: the row in the outbox, on a real database, beside a plain INSERT of as many bytes into
 * a table with a primary key only, and beside the whole hook, which also reads the customer. Once with each commit on the disk
 * (the server's own setting, where the disk decides), once with the disk left out. Run by `make bench-addon`; prints the median
 * and the 95th percentile of single requests.
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
$names = ['plain' => 'a plain INSERT of the same size', 'row' => 'the outbox row', 'hook' => 'the whole hook, with reading the customer'];
printf("%d requests, %d bytes a row, PHP %s, %s\n", ROUNDS, strlen($body), PHP_VERSION, db_get_field('SELECT VERSION()'));
foreach ([1 => 'each commit is on the disk', 2 => 'the disk is left out'] as $flush => $words) {
    db_query('SET GLOBAL innodb_flush_log_at_trx_commit = ?i', $flush);
    $took = ['plain' => [], 'row' => [], 'hook' => []];
    $before = Outbox::pending();
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
    same($before + 2 * (ROUNDS + WARM_UP), Outbox::pending(), 'each round has written its rows');
    printf("innodb_flush_log_at_trx_commit=%d: %s\n", $flush, $words);
    sort($took['plain']);
    $plain = $took['plain'][intdiv(ROUNDS, 2)];
    foreach ($took as $name => $times) {
        sort($times);
        printf("  %-42s median %.3f ms  p95 %.3f ms  %.2f times the plain INSERT\n", $names[$name], $times[intdiv(ROUNDS, 2)], $times[(int) (ROUNDS * 0.95)], $times[intdiv(ROUNDS, 2)] / $plain);
    }
}
