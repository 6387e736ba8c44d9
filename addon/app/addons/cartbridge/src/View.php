<?php

namespace Cartbridge;

/**
 * What HighLevel knows of a customer, for his page in the administration. The page itself reads only what was fetched before;
 * fetching happens in a request of its own, at most once a minute for a customer, and not at all for a minute after the
 * bridge did not answer.
 */
final class View
{
    private const FRESH = 60;
    private const TIMEOUT = 4;

    /**
     * @return array{view: array<array-key, mixed>|null, fetched_at: int, error: string, stale: bool} without asking anybody
     */
    public static function cached(int $user_id): array
    {
        $row = db_get_row('SELECT view, fetched_at, tried_at, error FROM ?:cartbridge_views WHERE user_id = ?i', $user_id);
        if (empty($row)) {
            return ['view' => null, 'fetched_at' => 0, 'error' => '', 'stale' => true];
        }
        $view = json_decode($row['view'], true);

        return [
            'view' => is_array($view) ? $view : null,
            'fetched_at' => (int) $row['fetched_at'],
            'error' => (string) $row['error'],
            'stale' => (int) $row['tried_at'] <= time() - self::FRESH,
        ];
    }

    /**
     * Tells the bridge that somebody looks at this customer (it then asks HighLevel anew) and fetches what the bridge has.
     *
     * @return array{view: array<array-key, mixed>|null, fetched_at: int, error: string, stale: bool}
     */
    public static function fetch(int $user_id, ?Transport $transport = null, bool $now = false): array
    {
        $known = self::cached($user_id);
        $connection = Connection::load();
        if ($connection === null || $connection->key() === '' || (!$known['stale'] && !$now)) {
            return $known;
        }
        if (!$now && State::number('view_paused_until') > time()) {
            return $known;
        }
        $data = Customers::data($user_id);
        if ($data === null) {
            return $known;
        }
        $lane = Customers::lane($user_id, '');
        Outbox::put('customer.viewed', $lane, $lane, $data);
        AfterResponse::arrange();
        $answer = ($transport ?? Sender::transport())->send('GET', $connection->customerUrl($user_id), [
            'Accept' => 'application/json',
            'Authorization' => 'Bearer ' . $connection->key(),
            'User-Agent' => 'cartbridge-addon/' . Version::ADDON,
        ], '', self::TIMEOUT);
        self::keep($user_id, $known, $answer);

        return self::cached($user_id);
    }

    /** @param array{view: array<array-key, mixed>|null, fetched_at: int, error: string, stale: bool} $known */
    private static function keep(int $user_id, array $known, Answer $answer): void
    {
        $row = [
            'user_id' => $user_id,
            'view' => $known['view'] === null ? '' : Json::encode($known['view']),
            'fetched_at' => $known['fetched_at'],
            'tried_at' => time(),
            'error' => '',
        ];
        $fields = json_decode($answer->body(), true);
        if ($answer->status() === 200 && is_array($fields)) {
            $row['view'] = Json::encode($fields);
            $row['fetched_at'] = time();
        } elseif ($answer->status() === 401 || $answer->status() === 403) {
            $row['error'] = 'the bridge does not accept the API key in the connection code: connect again with a new code';
        } else {
            $row['error'] = $answer->status() === 200 ? 'the bridge answered something else than JSON' : Sender::explain($answer);
            State::set('view_paused_until', (string) (time() + self::FRESH));
        }
        db_query('REPLACE INTO ?:cartbridge_views ?e', $row);
    }

    /**
     * What the page shows, in plain names; only what is there.
     *
     * @param array<array-key, mixed>|null $view
     *
     * @return array<string, mixed>
     */
    public static function show(?array $view): array
    {
        $inner = isset($view['view']) && is_array($view['view']) ? $view['view'] : [];
        $contact = isset($inner['contact']) && is_array($inner['contact']) ? $inner['contact'] : [];
        $id = self::text($contact, 'id') ?: self::text((array) $view, 'contact_id');
        $name = trim(self::text($contact, 'firstName') . ' ' . self::text($contact, 'lastName'));

        return [
            'linked' => $id !== '',
            'contact' => array_filter([
                'name' => $name !== '' ? $name : self::text($contact, 'name'),
                'email' => self::text($contact, 'email'),
                'phone' => self::text($contact, 'phone'),
                'company' => self::text($contact, 'companyName'),
                'source' => self::text($contact, 'source'),
            ]),
            'tags' => array_values(array_filter(isset($contact['tags']) && is_array($contact['tags']) ? $contact['tags'] : [], 'is_string')),
            'tasks' => self::rows($inner, 'tasks', ['title', 'body', 'dueDate', 'completed']),
            'notes' => self::rows($inner, 'notes', ['body', 'dateAdded']),
            'appointments' => self::rows($inner, 'appointments', ['title', 'startTime', 'appointmentStatus']),
            'url' => self::contactUrl(self::text($contact, 'locationId'), $id),
        ];
    }

    /** The contact's page in HighLevel; empty where its location is not known. */
    private static function contactUrl(string $location, string $contact): string
    {
        if (preg_match('/^[A-Za-z0-9_-]+$/D', $location) !== 1 || preg_match('/^[A-Za-z0-9_-]+$/D', $contact) !== 1) {
            return '';
        }

        return State::get('highlevel_url') . '/v2/location/' . $location . '/contacts/detail/' . $contact;
    }

    /**
     * @param array<array-key, mixed> $view
     * @param array<int, string>      $columns
     *
     * @return array<int, array<string, string>>
     */
    private static function rows(array $view, string $name, array $columns): array
    {
        $rows = [];
        foreach (isset($view[$name]) && is_array($view[$name]) ? $view[$name] : [] as $item) {
            if (!is_array($item)) {
                continue;
            }
            $row = [];
            foreach ($columns as $column) {
                $row[$column] = self::text($item, $column);
            }
            $rows[] = $row;
        }

        return $rows;
    }

    /** @param array<array-key, mixed> $fields */
    private static function text(array $fields, string $name): string
    {
        $value = $fields[$name] ?? '';
        if (is_bool($value)) {
            return $value ? 'Y' : '';
        }

        return is_scalar($value) ? (string) $value : '';
    }
}
