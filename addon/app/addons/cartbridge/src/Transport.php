<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** How a request reaches the bridge. Redirects are not followed: a signed body goes to the address it was signed for. */
interface Transport
{
    /** @param array<string, string> $headers */
    public function send(string $method, string $url, array $headers, string $body, int $timeout): Answer;
}
