<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** The add-on's version; packing writes the bridge's own into it. */
final class Version
{
    public const ADDON = '0.0.0';
}
