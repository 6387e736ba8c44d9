<?php

defined('BOOTSTRAP') or die('Access denied');

// The bridge signs its calls and has no session: there is nothing that another site could misuse.
/** @var array<string, mixed> $schema */
$schema['C']['controllers']['cartbridge_api'] = ['validate' => false];

return $schema;
