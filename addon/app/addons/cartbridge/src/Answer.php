<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** What came of one HTTP request. Status 0: no answer came. */
final class Answer
{
    /** @var int */
    private $status;
    /** @var string */
    private $body;
    /** @var array<string, string> */
    private $headers;
    /** @var int when it came, by this server's clock */
    private $came_at;

    /** @param array<string, string> $headers with lower-case names */
    public function __construct(int $status, string $body, array $headers = [])
    {
        $this->status = $status;
        $this->body = $body;
        $this->headers = $headers;
        $this->came_at = time();
    }

    public static function none(string $error): self
    {
        return new self(0, $error);
    }

    /**
     * Takes a line of the headers, if it is one of those that are read.
     *
     * @param array<string, string> $headers
     */
    public static function keepHeader(array &$headers, string $line): void
    {
        list($name, $value) = explode(':', $line, 2) + ['', ''];
        $name = strtolower(trim($name));
        if ($name === 'retry-after' || $name === 'date') {
            $headers[$name] = trim($value);
        }
    }

    /** How far this server's clock is ahead of the other's, in seconds; behind: less than 0. By the header `Date`; 0 without one. */
    public function clockAhead(): int
    {
        $at = isset($this->headers['date']) ? strtotime($this->headers['date']) : false;

        return $at === false ? 0 : $this->came_at - $at;
    }

    public function status(): int
    {
        return $this->status;
    }

    public function body(): string
    {
        return $this->body;
    }

    /** `Retry-After`, seconds or a date, as seconds from now; 0: not said. */
    public function retryAfter(): int
    {
        $value = $this->headers['retry-after'] ?? '';
        if (ctype_digit($value)) {
            return min((int) substr($value, 0, 9), 86400);
        }
        $at = $value === '' ? false : strtotime($value);

        return $at === false ? 0 : max(0, min($at - $this->came_at + $this->clockAhead(), 86400));
    }

    public function isSuccess(): bool
    {
        return $this->status >= 200 && $this->status < 300 && !$this->isOfSomethingElse();
    }

    /** A page or a redirect, which the bridge never gives: a proxy, a host's notice, a login in front of it. What it says counts for nothing. */
    public function isOfSomethingElse(): bool
    {
        $is_page = strncmp(ltrim($this->body, " \t\r\n\xEF\xBB\xBF"), '<', 1) === 0;

        return ($this->status >= 200 && $this->status < 300 && $is_page) || ($this->status >= 300 && $this->status < 400);
    }

    /** What no row of its own can cause: the secret, the name of the connection, a bridge that is busy. */
    public function isAboutConnection(): bool
    {
        return in_array($this->status, [401, 404, 429, 503], true);
    }

    /** 400 and 413 are about the row; anything else (401, 404, 429, 5xx, no answer) is about the connection and stops all rows. */
    public function isRefusalOfRow(): bool
    {
        return $this->status === 400 || $this->status === 413 || $this->status === 422;
    }

    /** For the administration: the bridge's own words where it has some (`detail` of a problem+json). */
    public function text(): string
    {
        $fields = json_decode($this->body, true);
        $words = is_array($fields) ? ($fields['detail'] ?? $fields['title'] ?? '') : '';
        $text = is_string($words) && $words !== '' ? $words : $this->body;

        return Json::excerpt($text);
    }
}
