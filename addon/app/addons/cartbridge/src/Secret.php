<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** The secret that the store and the bridge share: `whsec_` and base64 (Standard Webhooks). */
final class Secret
{
    private const PREFIX = 'whsec_';
    private const MIN_BYTES = 16;

    /** @var string */
    private $key;

    private function __construct(string $key)
    {
        $this->key = $key;
    }

    /** @throws Problem that does not repeat the text */
    public static function parse(string $text): self
    {
        $text = trim($text);
        if (strncmp($text, self::PREFIX, strlen(self::PREFIX)) !== 0) {
            throw new Problem('a webhook secret begins with whsec_');
        }
        $key = base64_decode(substr($text, strlen(self::PREFIX)), true);
        if ($key === false) {
            throw new Problem('a webhook secret is whsec_ followed by base64');
        }
        if (strlen($key) < self::MIN_BYTES) {
            throw new Problem('a webhook secret has at least ' . self::MIN_BYTES . ' bytes');
        }

        return new self($key);
    }

    /** The value of `webhook-signature`: over `id.timestamp.body`. */
    public function sign(string $id, int $timestamp, string $body): string
    {
        return 'v1,' . base64_encode(hash_hmac('sha256', $id . '.' . $timestamp . '.' . $body, $this->key, true));
    }

    /** Whether one of the signatures in the header fits; all are compared, in constant time each. */
    public function fits(string $header, string $id, int $timestamp, string $body): bool
    {
        $expected = $this->sign($id, $timestamp, $body);
        $fits = false;
        foreach (explode(' ', $header) as $signature) {
            $fits = hash_equals($expected, $signature) || $fits;
        }

        return $fits;
    }

    /** Nothing that prints a variable prints the secret.
     *
     * @return array<string, string>
     */
    public function __debugInfo(): array
    {
        return ['key' => '[redacted]'];
    }
}
