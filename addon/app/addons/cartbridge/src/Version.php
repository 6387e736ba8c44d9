<?php

namespace Cartbridge;

/** The add-on's version; packing writes the bridge's own into it. */
final class Version
{
    public const ADDON = '0.0.0';
}
