<?php

/** The add-on's clock, which a test can set wrong: in its own namespace, this goes before PHP's. */

namespace Cartbridge;

function time(): int
{
    return \time() + (int) ($GLOBALS['harness_clock_ahead'] ?? getenv('ADDON_CLOCK_AHEAD'));
}
