<?php

defined('BOOTSTRAP') or die('Access denied');

/** @var array<string, mixed> $schema */
$schema['cartbridge'] = [
    'modes' => [
        'manage' => ['permissions' => 'view_cartbridge'],
        'customer' => ['permissions' => 'view_cartbridge_customers'],
        'note_add' => ['permissions' => 'manage_cartbridge_customers'],
        'note_update' => ['permissions' => 'manage_cartbridge_customers'],
        'note_delete' => ['permissions' => 'manage_cartbridge_customers'],
        'tag_add' => ['permissions' => 'manage_cartbridge_customers'],
        'tag_remove' => ['permissions' => 'manage_cartbridge_customers'],
    ],
    'permissions' => 'manage_cartbridge',
];

return $schema;
