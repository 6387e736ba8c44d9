<?php

/** Runs all tests, or those in whose name the argument stands. `scripts/test-addon` sets up what they need. */

require __DIR__ . '/harness/boot.php';
require __DIR__ . '/harness/kit.php';

// The tables: of the store from store.sql, of the add-on from its own addon.xml, as the installation runs it.
$link = HarnessDatabase::link();
foreach (array_filter(array_map('trim', explode(';', (string) file_get_contents(__DIR__ . '/harness/store.sql')))) as $query) {
    db_query($query);
}
$xml = simplexml_load_file(ADDON_ROOT . '/addon.xml');
$queries = ['install' => [], 'uninstall' => []];
foreach ($xml->queries->item as $item) {
    $queries[(string) $item['for']][] = trim((string) $item);
}
foreach ($queries['install'] as $query) {
    db_query($query);
}

foreach (glob(__DIR__ . '/*_test.php') ?: [] as $file) {
    require $file;
}
$result = Kit::run($argv[1] ?? '');

Cartbridge\Installer::uninstall();
foreach ($queries['uninstall'] as $query) {
    db_query($query);
}
$left = array_filter(array_column($link->query('SHOW TABLES')->fetch_all(MYSQLI_NUM), 0), static function (string $table): bool {
    return strpos($table, 'cartbridge') !== false;
});
if ($left !== []) {
    echo 'FAIL: the uninstallation leaves ', implode(', ', $left), "\n";
    $result = 1;
}
exit($result);
