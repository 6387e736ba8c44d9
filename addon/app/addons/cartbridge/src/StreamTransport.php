<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** By PHP itself, where the extension curl is missing. */
final class StreamTransport implements Transport
{
    private const LONGEST_ANSWER = 1048576;

    public function send(string $method, string $url, array $headers, string $body, int $timeout): Answer
    {
        $lines = ['Connection: close'];
        foreach ($headers as $name => $value) {
            $lines[] = $name . ': ' . $value;
        }
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => implode("\r\n", $lines),
            'content' => $method === 'GET' ? '' : $body,
            'timeout' => $timeout,
            'follow_location' => 0,
            'ignore_errors' => true,
            'protocol_version' => 1.1,
        ]]);
        $until = microtime(true) + $timeout;
        error_clear_last();
        $stream = @fopen($url, 'rb', false, $context);
        if ($stream === false) {
            $error = error_get_last();

            return Answer::none($error === null ? 'no connection' : $error['message']);
        }
        stream_set_timeout($stream, $timeout);
        $answer = '';
        // PHP's own limit is one for each part: an answer that drips would never end.
        do {
            $answer .= (string) fread($stream, 8192);
            $meta = stream_get_meta_data($stream);
            $late = $meta['timed_out'] || microtime(true) > $until;
        } while (!$late && !feof($stream) && strlen($answer) < self::LONGEST_ANSWER);
        fclose($stream);
        if ($late) {
            return Answer::none('the answer did not come within ' . $timeout . ' seconds');
        }

        return self::read(isset($meta['wrapper_data']) && is_array($meta['wrapper_data']) ? $meta['wrapper_data'] : [], $answer);
    }

    /** @param array<array-key, mixed> $lines */
    private static function read(array $lines, string $body): Answer
    {
        $status = 0;
        $kept = [];
        foreach ($lines as $line) {
            if (!is_string($line)) {
                continue;
            }
            if (preg_match('#^HTTP/\S+ (\d{3})#', $line, $match) === 1) {
                $status = (int) $match[1];
            } else {
                Answer::keepHeader($kept, $line);
            }
        }

        return new Answer($status, $body, $kept);
    }
}
