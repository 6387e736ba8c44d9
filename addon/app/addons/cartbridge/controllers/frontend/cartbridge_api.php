<?php

/** The signed calls of the bridge: `index.php?dispatch=cartbridge_api.call`. */

use Cartbridge\Endpoint;
use Cartbridge\Json;

/** @var string $mode the part after the dot in `dispatch`, set by the core */
defined('BOOTSTRAP') or die('Access denied');

if ($mode === 'call') {
    $headers = [];
    foreach (['webhook-id', 'webhook-timestamp', 'webhook-signature'] as $name) {
        $value = $_SERVER['HTTP_' . strtr(strtoupper($name), '-', '_')] ?? '';
        $headers[$name] = is_string($value) ? $value : '';
    }
    $body = (string) file_get_contents('php://input', false, null, 0, 1048577);
    list($status, $answer) = Endpoint::answer((string) $_SERVER['REQUEST_METHOD'], $headers, $body);
    http_response_code($status);
    header('Content-Type: ' . ($status === 200 ? 'application/json' : 'application/problem+json'));
    header('Cache-Control: no-store');
    echo Json::encode($answer);
    exit;
}
