<?php

/** What each process of the tests begins with: the imitated store with the add-on in it. */

error_reporting(E_ALL);
set_error_handler(static function (int $severity, string $message, string $file, int $line): bool {
    if ((error_reporting() & $severity) === 0) {
        return false;
    }
    throw new ErrorException($message, 0, $severity, $file, $line);
});
date_default_timezone_set('UTC');

// The add-on as it lies in the sources, or as its archive was unpacked in a store.
define('ADDON_ROOT', getenv('ADDON_ROOT') ?: __DIR__ . '/../../app/addons/cartbridge');

require __DIR__ . '/clock.php';
require __DIR__ . '/cscart.php';
require ADDON_ROOT . '/func.php';
require ADDON_ROOT . '/init.php';
