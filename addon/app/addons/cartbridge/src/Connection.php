<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** The bridge that this store is connected with: all that the code says which the bridge gives. */
final class Connection
{
    private const PREFIX = 'cb1_';

    /** @var string */
    private $url;
    /** @var string */
    private $name;
    /** @var string */
    private $secret;

    private function __construct(string $url, string $name, string $secret)
    {
        $this->url = $url;
        $this->name = $name;
        $this->secret = $secret;
    }

    /**
     * Reads `cb1_` and the base64url of `{"url", "connection", "secret"}`: what `cartbridge connection code` prints.
     *
     * @throws Problem that says what is wrong with the code and repeats nothing of it
     */
    public static function fromCode(string $code): self
    {
        $code = (string) preg_replace('/\s+/', '', $code);
        if ($code === '') {
            throw new Problem('the code is empty: copy it from the bridge');
        }
        if (strncmp($code, self::PREFIX, strlen(self::PREFIX)) !== 0) {
            throw new Problem('the code does not begin with ' . self::PREFIX . ': copy all of it from the bridge; a newer code may need a newer add-on');
        }
        $json = base64_decode(strtr(substr($code, strlen(self::PREFIX)), '-_', '+/'), true);
        if ($json === false) {
            throw new Problem('the code is damaged: copy all of it, from cb1_ to its end');
        }
        try {
            $fields = Json::decode($json, 'the code');
        } catch (Problem $problem) {
            throw new Problem('the code is damaged or not complete: copy all of it, from cb1_ to its end');
        }

        return self::fromFields($fields);
    }

    /** @param array<array-key, mixed> $fields */
    private static function fromFields(array $fields): self
    {
        foreach (['url', 'connection', 'secret'] as $name) {
            if (!isset($fields[$name]) || !is_string($fields[$name]) || $fields[$name] === '') {
                throw new Problem('the code lacks `' . $name . '`: let the bridge make a new one');
            }
        }
        $url = rtrim($fields['url'], '/');
        $parts = parse_url($url);
        $host = is_array($parts) ? (string) ($parts['host'] ?? '') : '';
        $scheme = is_array($parts) ? (string) ($parts['scheme'] ?? '') : '';
        if ($host === '' || !in_array($scheme, ['https', 'http'], true) || isset($parts['user']) || isset($parts['query']) || isset($parts['fragment'])) {
            throw new Problem('the address in the code is not one of the form https://bridge.example.com');
        }
        if (preg_match('/^[a-z0-9-]{1,64}$/D', $fields['connection']) !== 1) {
            throw new Problem('the name of the connection in the code has other characters than a-z, 0-9 and -');
        }
        Secret::parse($fields['secret']);

        return new self($url, $fields['connection'], $fields['secret']);
    }

    /** The stored connection; null: not connected. */
    public static function load(): ?self
    {
        $stored = State::get('connection');
        if ($stored === '') {
            return null;
        }
        try {
            return self::fromFields(Json::decode($stored, 'the stored connection'));
        } catch (Problem $problem) {
            return null;
        }
    }

    public function save(): void
    {
        State::set('connection', Json::encode(['url' => $this->url, 'connection' => $this->name, 'secret' => $this->secret]));
    }

    public static function forget(): void
    {
        State::set('connection', '');
    }

    public function webhookUrl(): string
    {
        return $this->url . '/webhooks/cscart/' . $this->name;
    }

    /** Where it is asked what HighLevel knows of a customer. */
    public function viewUrl(): string
    {
        return $this->url . '/addon/' . $this->name . '/view';
    }

    /**
     * The headers of a request to the bridge, signed as Standard Webhooks describes it.
     *
     * @return array<string, string>
     */
    public function sign(string $id, string $body): array
    {
        $now = time();

        return [
            'Content-Type' => 'application/json',
            'User-Agent' => 'cartbridge-addon/' . Version::ADDON,
            'webhook-id' => $id,
            'webhook-timestamp' => (string) $now,
            'webhook-signature' => $this->secret()->sign($id, $now, $body),
        ];
    }

    public function url(): string
    {
        return $this->url;
    }

    public function name(): string
    {
        return $this->name;
    }

    public function secret(): Secret
    {
        return Secret::parse($this->secret);
    }

    /** Whether what is sent can be read on its way: plain HTTP to another machine. */
    public function isInClear(): bool
    {
        $host = (string) parse_url($this->url, PHP_URL_HOST);

        return strncmp($this->url, 'https://', 8) !== 0 && !in_array($host, ['localhost', '127.0.0.1', '[::1]'], true);
    }
}
