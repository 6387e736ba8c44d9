<?php

/**
 * The requests that stand in tests/fixtures/addon/requests.jsonl are held against a library of the Standard Webhooks project by the
 * bridge's tests. Here it is seen that the add-on sends them so. `ADDON_RECORD=1` writes them anew.
 */

use Cartbridge\Connection;
use Cartbridge\Outbox;
use Cartbridge\Sender;
use Cartbridge\Staff;
use Cartbridge\View;

const RECORDED = __DIR__ . '/../../tests/fixtures/addon/requests.jsonl';

test('the recorded requests, which the official library takes, are what the add-on sends', static function (): void {
    $bridge = new FakeBridge();
    $id = customer("c\u{F4}ntess@example.com");
    Staff::addNote($id, "Prefers mail \u{1F4EE}\n\"quoted\" <b>\\", 'Rosan');
    Outbox::put('ping', 'store', 'ping', []);
    (new Sender())->run(10);
    View::fetch($id);
    $requests = $bridge->requests();
    same(4, count($requests));
    if (getenv('ADDON_RECORD') !== false) {
        file_put_contents(RECORDED, '');
        foreach ($requests as $request) {
            file_put_contents(RECORDED, json_encode(['secret' => SECRET] + $request, JSON_UNESCAPED_SLASHES) . "\n", FILE_APPEND);
        }
    }
    $recorded = array_map(static function (string $line): array {
        return json_decode($line, true);
    }, (array) file(RECORDED, FILE_IGNORE_NEW_LINES));
    same(count($requests), count($recorded));
    foreach ($recorded as $number => $known) {
        $request = $requests[$number];
        same([$known['method'], $known['path'], array_keys($known['headers'])], [$request['method'], $request['path'], array_keys($request['headers'])], 'the same form');
        // What was recorded, signed with the code of today.
        $GLOBALS['harness_clock_ahead'] = (int) $known['headers']['webhook-timestamp'] - \time();
        $again = Connection::fromCode(code(['secret' => $known['secret']]))->sign($known['headers']['webhook-id'], $known['body']);
        unset($GLOBALS['harness_clock_ahead']);
        same([$known['headers']['webhook-timestamp'], $known['headers']['webhook-signature']], [$again['webhook-timestamp'], $again['webhook-signature']]);
        // And what is sent today is signed in the same way.
        $headers = $request['headers'];
        same('v1,' . base64_encode(hash_hmac('sha256', $headers['webhook-id'] . '.' . $headers['webhook-timestamp'] . '.' . $request['body'], base64_decode(substr(SECRET, 6)), true)), $headers['webhook-signature']);
    }
});
