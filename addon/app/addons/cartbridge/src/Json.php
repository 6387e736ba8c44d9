<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * JSON in pure ASCII: it survives a database connection of any character set, also one of the older stores whose `utf8`
 * has no room for an emoji.
 */
final class Json
{
    private const FLAGS = JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION;

    /** @param mixed $value */
    public static function encode($value): string
    {
        $text = json_encode($value, self::FLAGS);
        if ($text === false) {
            throw new Problem('cannot be written as JSON: ' . json_last_error_msg());
        }

        return $text;
    }

    /**
     * @return array<array-key, mixed> what an object or a list says
     *
     * @throws Problem when the text is no JSON, or is neither
     */
    public static function decode(string $text, string $what): array
    {
        $value = json_decode($text, true, 64, JSON_BIGINT_AS_STRING);
        if (!is_array($value)) {
            $reason = json_last_error() === JSON_ERROR_NONE ? 'it is not an object' : json_last_error_msg();
            throw new Problem($what . ' is not the expected JSON: ' . $reason);
        }

        return $value;
    }

    /** A text as it is stored, and back. */
    public static function text(string $stored): string
    {
        $value = json_decode($stored, true);

        return is_string($value) ? $value : '';
    }

    /** An error or an answer of another program, cut to fit a column, in ASCII. */
    public static function excerpt(string $text, int $length = 400): string
    {
        $text = (string) preg_replace('/[^\x20-\x7e]+/', ' ', $text);

        return strlen($text) > $length ? substr($text, 0, $length) . '...' : trim($text);
    }
}
