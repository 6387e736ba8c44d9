<?php

namespace Cartbridge;

/** What came of one HTTP request. Status 0: no answer came. */
final class Answer
{
    /** @var int */
    private $status;
    /** @var string */
    private $body;
    /** @var int */
    private $retry_after;

    public function __construct(int $status, string $body, string $retry_after = '')
    {
        $this->status = $status;
        $this->body = $body;
        $this->retry_after = self::seconds($retry_after);
    }

    public static function none(string $error): self
    {
        return new self(0, $error);
    }

    /** `Retry-After`: seconds or a date. */
    private static function seconds(string $value): int
    {
        $value = trim($value);
        if ($value === '') {
            return 0;
        }
        if (ctype_digit($value)) {
            return min((int) substr($value, 0, 9), 86400);
        }
        $at = strtotime($value);

        return $at === false ? 0 : max(0, min($at - time(), 86400));
    }

    public function status(): int
    {
        return $this->status;
    }

    public function body(): string
    {
        return $this->body;
    }

    public function retryAfter(): int
    {
        return $this->retry_after;
    }

    public function isSuccess(): bool
    {
        return $this->status >= 200 && $this->status < 300;
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
