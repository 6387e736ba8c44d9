<?php

/**
 * A bridge of which a test says how it answers: the router of `php -S`. In the folder FAKE_BRIDGE, `behaviour` holds what it does
 * (a status, `hang`, `drip`, or JSON of status and headers) and `requests` gets a line of JSON for each request. What it takes, it knows
 * again: a second time it answers 200.
 */

$folder = (string) getenv('FAKE_BRIDGE');
$headers = array_change_key_case(getallheaders(), CASE_LOWER);
$body = (string) file_get_contents('php://input');
$request = ['method' => $_SERVER['REQUEST_METHOD'], 'path' => $_SERVER['REQUEST_URI'], 'headers' => $headers, 'body' => $body];
file_put_contents($folder . '/requests', json_encode($request) . "\n", FILE_APPEND | LOCK_EX);
$behaviour = trim((string) @file_get_contents($folder . '/behaviour')) ?: '202';

if ($behaviour === 'hang') {
    sleep(60);
}
if ($behaviour === 'drip') {
    for ($part = 0; $part < 100; $part++) {
        echo ' ';
        flush();
        usleep(100000);
    }
    return;
}
if ($behaviour[0] === '{') {
    $said = json_decode($behaviour, true);
    foreach ($said['headers'] ?? [] as $name => $value) {
        header($name . ': ' . $value);
    }
    http_response_code($said['status']);
    echo $said['body'] ?? '';
    return;
}
$status = (int) $behaviour;
if ($status === 202 && isset($headers['webhook-id'])) {
    $key = base64_decode(substr((string) getenv('FAKE_SECRET'), 6));
    $signed = $headers['webhook-id'] . '.' . $headers['webhook-timestamp'] . '.' . $body;
    if ($headers['webhook-signature'] !== 'v1,' . base64_encode(hash_hmac('sha256', $signed, $key, true))) {
        $status = 401;
    } elseif (in_array($headers['webhook-id'], explode("\n", (string) @file_get_contents($folder . '/taken')), true)) {
        $status = 200;
    } else {
        file_put_contents($folder . '/taken', $headers['webhook-id'] . "\n", FILE_APPEND | LOCK_EX);
    }
}
http_response_code($status);
header('Content-Type: application/json');
echo $status < 300 ? '{"id":"01","status_url":"/api/events/01"}' : '{"detail":"as the test asked for"}';
