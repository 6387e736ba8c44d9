<?php

defined('BOOTSTRAP') or die('Access denied');

/** @var array<string, mixed> $schema */
$schema['central']['customers']['items']['cartbridge.menu_title'] = [
    'attrs' => ['class' => 'is-addon'],
    'href' => 'cartbridge.manage',
    'position' => 900,
];

return $schema;
