<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** By PHP's extension curl. One handle for all requests, so that the connection is kept open between rows. */
final class CurlTransport implements Transport
{
    private const LONGEST_ANSWER = 1048576;

    /** @var resource|object|null a resource before PHP 8 */
    private $handle;

    public function send(string $method, string $url, array $headers, string $body, int $timeout): Answer
    {
        if ($this->handle === null) {
            $handle = curl_init();
            if ($handle === false) {
                return Answer::none('curl cannot be started');
            }
            $this->handle = $handle;
        }
        $lines = ['Expect:'];
        foreach ($headers as $name => $value) {
            $lines[] = $name . ': ' . $value;
        }
        $kept = [];
        $answer = '';
        curl_reset($this->handle);
        curl_setopt_array($this->handle, [
            CURLOPT_URL => $url,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => $lines,
            CURLOPT_CONNECTTIMEOUT => min(5, $timeout),
            CURLOPT_TIMEOUT => $timeout,
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_NOSIGNAL => true,
            CURLOPT_HEADERFUNCTION => static function ($handle, string $line) use (&$kept): int {
                Answer::keepHeader($kept, $line);

                return strlen($line);
            },
            CURLOPT_WRITEFUNCTION => static function ($handle, string $part) use (&$answer): int {
                $answer .= $part;

                return strlen($answer) > self::LONGEST_ANSWER ? 0 : strlen($part);
            },
        ]);
        if ($method !== 'GET') {
            curl_setopt($this->handle, CURLOPT_POSTFIELDS, $body);
        }
        if (curl_exec($this->handle) === false) {
            return Answer::none(curl_error($this->handle));
        }

        return new Answer((int) curl_getinfo($this->handle, CURLINFO_RESPONSE_CODE), $answer, $kept);
    }
}
