<?php

/**
 * What cron calls every minute: `php index.php --dispatch=cartbridge_cron.send` on the server, or the address with the key
 * that the add-on's page shows.
 */

use Cartbridge\Job;
use Cartbridge\State;

/** @var string $mode the part after the dot in `dispatch`, set by the core */
defined('BOOTSTRAP') or die('Access denied');

if ($mode === 'send') {
    $key = isset($_REQUEST['key']) && is_string($_REQUEST['key']) ? $_REQUEST['key'] : '';
    $known = State::get('cron_key');
    if (PHP_SAPI !== 'cli' && ($known === '' || !hash_equals($known, $key))) {
        http_response_code(403);
        header('Content-Type: text/plain; charset=utf-8');
        echo "the key is not the one that the add-on's page shows\n";
        exit;
    }
    header('Content-Type: text/plain; charset=utf-8');
    $done = Job::run(50);
    echo 'sent ' . $done['sent'] . ', failed ' . $done['failed'] . ': ' . $done['reason'] . "\n";
    exit;
}
