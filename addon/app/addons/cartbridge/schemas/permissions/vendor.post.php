<?php

defined('BOOTSTRAP') or die('Access denied');

/** @var array<string, mixed> $schema */
$schema['controllers']['cartbridge'] = ['permissions' => false];
// In CS-Cart (Ultimate) these rules hold for who has chosen a storefront: he sees the tab of that storefront's customers.
if (fn_allowed_for('ULTIMATE')) {
    foreach (['customer', 'note_add', 'note_update', 'note_delete', 'tag_add', 'tag_remove'] as $cartbridge_mode) {
        $schema['controllers']['cartbridge']['modes'][$cartbridge_mode] = ['permissions' => true];
    }
}

return $schema;
