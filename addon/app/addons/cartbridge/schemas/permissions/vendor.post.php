<?php

defined('BOOTSTRAP') or die('Access denied');

/** @var array<string, mixed> $schema */
$schema['controllers']['cartbridge'] = ['permissions' => false];

return $schema;
