<?php

defined('BOOTSTRAP') or die('Access denied');

/** Loads the add-on's classes: `Cartbridge\Outbox` is `src/Outbox.php`. */
spl_autoload_register(static function (string $class): void {
    if (strncmp($class, 'Cartbridge\\', 11) !== 0) {
        return;
    }
    $file = __DIR__ . '/src/' . strtr(substr($class, 11), '\\', '/') . '.php';
    if (is_file($file)) {
        require_once $file;
    }
});
