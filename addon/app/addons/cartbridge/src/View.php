<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * What HighLevel knows of a customer, for his page in the administration. The page itself reads only what was fetched before;
 * fetching happens in a request of its own, at most once a minute for a customer, and not at all for a minute after the
 * bridge did not answer.
 *
 * @phpstan-type Known array{view: array<array-key, mixed>|null, fetched_at: int, error: string, stale: bool, refreshing: bool}
 */
final class View
{
    private const FRESH = 60;
    /** After so many seconds the bridge has what it has asked HighLevel for, if HighLevel is quick. */
    private const SOON = 3;
    private const TIMEOUT = 4;

    /** @return Known without asking anybody */
    public static function cached(int $user_id): array
    {
        $row = db_get_row('SELECT view, fetched_at, tried_at, error FROM ?:cartbridge_views WHERE user_id = ?i', $user_id);
        if (empty($row)) {
            return ['view' => null, 'fetched_at' => 0, 'error' => '', 'stale' => true, 'refreshing' => false];
        }
        $view = json_decode($row['view'], true);

        return [
            'view' => is_array($view) ? $view : null,
            'fetched_at' => (int) $row['fetched_at'],
            'error' => (string) $row['error'],
            // What was tried in the future was tried by a clock that was wrong.
            'stale' => (int) $row['tried_at'] <= time() - self::FRESH || (int) $row['tried_at'] > time(),
            'refreshing' => is_array($view) && ($view['refreshing'] ?? false) === true,
        ];
    }

    /**
     * Asks the bridge what it has of a customer; where that is old, the bridge asks HighLevel anew by itself.
     *
     * @return Known
     */
    public static function fetch(int $user_id, ?Transport $transport = null, bool $now = false): array
    {
        $known = self::cached($user_id);
        $connection = Connection::load();
        if ($connection === null || (!$known['stale'] && !$now) || (!$now && self::isPaused())) {
            return $known;
        }
        if (!Customers::isCustomer($user_id)) {
            return $known;
        }
        $question = Json::encode(['customer' => (string) $user_id]);
        $headers = $connection->sign('ask_' . bin2hex(random_bytes(16)), $question);
        $answer = ($transport ?? Sender::transport())->send('POST', $connection->viewUrl(), $headers, $question, self::TIMEOUT);
        self::keep($user_id, $known, $answer);

        return self::cached($user_id);
    }

    private static function isPaused(): bool
    {
        $until = State::number('view_paused_until');

        return $until > time() && $until <= time() + self::FRESH;
    }

    /** @param Known $known */
    private static function keep(int $user_id, array $known, Answer $answer): void
    {
        $row = [
            'user_id' => $user_id,
            'view' => $known['view'] === null ? '' : Json::encode(['refreshing' => false] + $known['view']),
            'fetched_at' => $known['fetched_at'],
            'tried_at' => time(),
            'error' => '',
        ];
        $fields = json_decode($answer->body(), true);
        if ($answer->status() === 200 && is_array($fields)) {
            $row['view'] = Json::encode($fields);
            $row['fetched_at'] = self::time($fields, 'fetched_at');
            if (($fields['refreshing'] ?? false) === true) {
                $row['tried_at'] = time() - self::FRESH + self::SOON;
            }
        } else {
            $row['error'] = $answer->status() === 200 ? 'the bridge answered something else than JSON' : Json::excerpt(Sender::explain($answer), 490);
            State::set('view_paused_until', (string) (time() + self::FRESH));
        }
        db_query('REPLACE INTO ?:cartbridge_views ?e', $row);
    }

    /**
     * What the page shows, in plain names; only what is there.
     *
     * @param array<array-key, mixed>|null $view
     * @param array<int, string>           $shared notes of HighLevel that the store has as well: they are shown among its own
     *
     * @return array<string, mixed>
     */
    public static function show(?array $view, array $shared = []): array
    {
        $inner = self::part((array) $view, 'view');
        $contact = self::part($inner, 'contact');
        $id = self::text((array) $view, 'contact_id') ?: self::text($contact, 'id');
        $name = trim(self::text($contact, 'firstName') . ' ' . self::text($contact, 'lastName'));
        $url = self::text((array) $view, 'contact_url');
        $tasks = self::tasks($inner);

        return [
            'linked' => $id !== '',
            'fetched' => $contact !== [],
            'contact' => array_filter([
                'name' => $name !== '' ? $name : self::text($contact, 'name'),
                'email' => self::text($contact, 'email'),
                'phone' => self::text($contact, 'phone'),
                'company' => self::text($contact, 'companyName'),
                'source' => self::text($contact, 'source'),
            ]),
            'tags' => array_values(array_filter(self::part($contact, 'tags'), 'is_string')),
            'tasks' => $tasks,
            'open_tasks' => count(array_filter($tasks, static function (array $task): bool {
                return !$task['completed'];
            })),
            'notes' => self::notes($inner, $shared),
            'appointments' => self::appointments($inner),
            'missing' => [
                'notes' => self::text(self::part($inner, 'missing'), 'notes'),
                'appointments' => self::text(self::part($inner, 'missing'), 'appointments'),
            ],
            // A link that a person presses: nothing but a web address.
            'url' => preg_match('#^https?://#i', $url) === 1 ? $url : '',
        ];
    }

    /**
     * @param array<array-key, mixed> $view
     *
     * @return array<int, array{title: string, body: string, due_at: int, overdue: bool, completed: bool}> open ones first, by when they are due
     */
    private static function tasks(array $view): array
    {
        $tasks = [];
        foreach (self::rows($view, 'tasks') as $row) {
            $due_at = self::time($row, 'dueDate');
            $completed = ($row['completed'] ?? false) === true;
            $tasks[] = [
                'title' => self::text($row, 'title'),
                'body' => self::text($row, 'body'),
                'due_at' => $due_at,
                'overdue' => !$completed && $due_at > 0 && $due_at < time(),
                'completed' => $completed,
            ];
        }
        usort($tasks, static function (array $a, array $b): int {
            return [$a['completed'], $a['due_at']] <=> [$b['completed'], $b['due_at']];
        });

        return $tasks;
    }

    /**
     * @param array<array-key, mixed> $view
     * @param array<int, string>      $shared
     *
     * @return array<int, array{body: string, at: int}> those that the store does not have itself
     */
    private static function notes(array $view, array $shared): array
    {
        $notes = [];
        foreach (self::rows($view, 'notes') as $row) {
            if (self::text($row, 'storeNoteId') === '' && !in_array(self::text($row, 'id'), $shared, true)) {
                // Notes that were written in HighLevel's editor are HTML.
                $notes[] = ['body' => trim(html_entity_decode(strip_tags(self::text($row, 'body')), ENT_QUOTES, 'UTF-8')), 'at' => self::time($row, 'dateAdded')];
            }
        }

        return $notes;
    }

    /**
     * @param array<array-key, mixed> $view
     *
     * @return array<int, array{title: string, from: string, to: string, status: string, address: string}> times as HighLevel writes them: without a zone
     */
    private static function appointments(array $view): array
    {
        return array_map(static function (array $row): array {
            return [
                'title' => self::text($row, 'title'),
                'from' => self::text($row, 'startTime'),
                'to' => self::text($row, 'endTime'),
                'status' => self::text($row, 'appointmentStatus'),
                'address' => self::text($row, 'address'),
            ];
        }, self::rows($view, 'appointments'));
    }

    /**
     * @param array<array-key, mixed> $fields
     *
     * @return array<array-key, mixed>
     */
    private static function part(array $fields, string $name): array
    {
        return isset($fields[$name]) && is_array($fields[$name]) ? $fields[$name] : [];
    }

    /**
     * @param array<array-key, mixed> $fields
     *
     * @return array<int, array<array-key, mixed>>
     */
    private static function rows(array $fields, string $name): array
    {
        return array_values(array_filter(self::part($fields, $name), 'is_array'));
    }

    /** @param array<array-key, mixed> $fields */
    private static function text(array $fields, string $name): string
    {
        $value = $fields[$name] ?? '';

        return is_scalar($value) && !is_bool($value) ? (string) $value : '';
    }

    /**
     * A time, in seconds since 1970; 0: none.
     *
     * @param array<array-key, mixed> $fields
     */
    private static function time(array $fields, string $name): int
    {
        $at = strtotime(self::text($fields, $name));

        return $at === false ? 0 : $at;
    }
}
