<?php

use Cartbridge\Outbox;
use Cartbridge\Page;

test('with a hundred thousand events waiting, a hook and the sender\'s question stay fast', static function (): void {
    db_query('INSERT INTO ?:cartbridge_outbox (event_id, type, lane, body, created_at) SELECT CONCAT(?s, seq), ?s, CONCAT(?s, seq MOD 20000), ?s, 1 FROM seq_1_to_99000', 'msg_', 'customer.updated', 'customer:', '{}');
    $begun = microtime(true);
    $id = customer();
    $hook = microtime(true) - $begun;
    $begun = microtime(true);
    $due = Outbox::due(100);
    $question = microtime(true) - $begun;
    same([100, 'msg_1'], [count($due), $due[0]['event_id']]);
    same(99001, Page::data()['outbox']['pending']);
    // Generous: what this guards against is a scan of the whole table for each row that is written or sent.
    holds($hook < 0.25, 'the hook took ' . round($hook, 3) . ' s');
    holds($question < 1.0, 'the question took ' . round($question, 3) . ' s');
});
