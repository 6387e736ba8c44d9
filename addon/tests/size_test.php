<?php

/**
 * A great many events that wait: 200,000, or as many as ADDON_ROWS says (1000000 takes half a minute to make). What is held against
 * limits is how many rows the database reads, which no other load changes.
 */

use Cartbridge\Marks;
use Cartbridge\Outbox;
use Cartbridge\Page;
use Cartbridge\Sender;
use Cartbridge\State;

/** The rows that the database has read for this, over all tables and indexes. */
function rows_read(callable $do): int
{
    $sum = static function (): int {
        return (int) array_sum(array_column(db_get_array("SHOW SESSION STATUS LIKE 'Handler_read%'"), 'Value'));
    };
    $before = $sum();
    $do();

    // What asking itself reads.
    $own = $sum();
    return $own - $before - ($sum() - $own);
}

test('with hundreds of thousands of events waiting, a hook, the sender and the page read what they need and no more', static function (): void {
    $rows = (int) (getenv('ADDON_ROWS') ?: 200000);
    db_query(
        'INSERT INTO ?:cartbridge_outbox (event_id, type, lane, body, created_at) SELECT CONCAT(?s, seq), ?s, CONCAT(?s, seq MOD 50000), ?s, 1 FROM seq_1_to_' . $rows,
        'msg_',
        'customer.updated',
        'customer:',
        '{"type":"customer.updated","data":{}}'
    );
    State::set('max_pending', '5000000');

    $id = 0;
    $hook = rows_read(static function () use (&$id): void {
        $id = customer();
    });
    holds($hook < 200, 'a hook reads ' . $hook . ' rows');
    same($rows + 1, Outbox::pending());

    $window = rows_read(static function (): void {
        same(100001, (int) Outbox::pendingAfter(100000, 200)[0]['event_no']);
    });
    holds($window <= 210, 'the sender reads ' . $window . ' rows for 200');

    $bridge = new FakeBridge();
    $first = rows_read(static function () use ($bridge): void {
        $bridge->behave('503');
        same(0, (new Sender())->run(10, true)['sent']);
    });
    holds($first < 300, 'a run that fails at once reads ' . $first . ' rows');
    same('msg_1', $bridge->requests()[0]['headers']['webhook-id'], 'the oldest first');

    $data = [];
    $page = rows_read(static function () use (&$data): void {
        $data = Page::data();
    });
    // It counts 10,000 of them, over a table that is made of these for the count.
    holds($page < 21000, 'the page reads ' . $page . ' rows');
    same([Outbox::COUNTED + 1, true, 1], [$data['outbox']['pending'], $data['outbox']['pending_at_most'] >= $rows, count($data['troubles'])]);
    // The numbers of the rows have gaps, so that it is rather too much than too little.
    holds($data['outbox']['bytes'] >= $rows * 37 && $data['outbox']['bytes'] < $rows * 37 * 2, 'the size is about right: ' . $data['outbox']['bytes']);

    // Full: counted once, and not again for each shopper.
    State::set('max_pending', '100000');
    $counting = rows_read(static function (): void {
        same(true, Outbox::isFull());
    });
    holds($counting < 201000, 'it is counted no further than to the limit: ' . $counting);
    $full = rows_read(static function (): void {
        same(false, Outbox::put('ping', 'store', 'ping', []));
    });
    holds($full < 50, 'a shopper before a full outbox reads ' . $full . ' rows');
    same([1, true], [State::number('turned_away'), Page::data()['full']], 'and the page says so');
    same(0, Marks::count('owed', 10));

    $resent = rows_read(static function (): void {
        Outbox::hurry();
    });
    holds($resent < 50, 'a new connection reads ' . $resent . ' rows');
});

test('one lane that has to wait is passed over, and holds up nobody', static function (): void {
    $bridge = new FakeBridge();
    db_query(
        'INSERT INTO ?:cartbridge_outbox (event_id, type, lane, body, created_at, attempts, next_attempt_at) SELECT CONCAT(?s, seq), ?s, ?s, ?s, 1, seq = 1, IF(seq = 1, ?i, 0) FROM seq_1_to_20000',
        'msg_',
        'note.created',
        'customer:999',
        '{}',
        time() + 600
    );
    customer();
    $read = rows_read(static function (): void {
        same(1, (new Sender())->run(30)['sent']);
    });
    holds($read < 25000, 'each row is passed once: ' . $read);
    same(1, count($bridge->requests()));
});
