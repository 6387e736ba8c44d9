<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** What the add-on's page in the administration shows, and what its buttons do. */
final class Page
{
    /** An outbox older than this is worth a notice, in seconds. */
    private const OLD = 900;

    /** @return array<string, mixed> */
    public static function data(): array
    {
        $connection = Connection::load();
        $outbox = Outbox::measure();
        $failure = json_decode(State::get('last_failure'), true);

        return [
            'connected' => $connection !== null,
            'damaged' => $connection === null && State::get('connection') !== '',
            'url' => $connection === null ? '' : $connection->url(),
            'connection' => $connection === null ? '' : $connection->name(),
            'in_clear' => $connection !== null && $connection->isInClear(),
            'outbox' => $outbox,
            'counted' => Outbox::COUNTED,
            'full' => Outbox::isFull(),
            'oldest_minutes' => $outbox['oldest_at'] === 0 ? 0 : intdiv(max(0, time() - $outbox['oldest_at']), 60),
            'late' => $outbox['oldest_at'] !== 0 && time() - $outbox['oldest_at'] > self::OLD,
            'max_pending' => State::number('max_pending'),
            'turned_away' => State::number('turned_away'),
            'turned_away_at' => State::number('turned_away_at'),
            'owed' => Marks::count('owed', Outbox::COUNTED),
            'last_success_at' => State::number('last_success_at'),
            'last_cron_at' => State::number('last_cron_at'),
            'paused_until' => Sender::pausedUntil(),
            'failure' => is_array($failure) && isset($failure['at'], $failure['reason']) ? $failure : null,
            'record_error' => State::get('last_record_error'),
            'troubles' => Outbox::troubles(50),
            'settings' => [
                'send_after_response' => State::get('send_after_response'),
                'max_pending' => State::get('max_pending'),
                'keep_sent_days' => State::get('keep_sent_days'),
                'cart_minutes' => State::get('cart_minutes'),
            ],
            'cron_url' => Store::url() . '/index.php?dispatch=cartbridge_cron.send&key=' . State::get('cron_key'),
            'calls_url' => Store::url() . '/index.php?dispatch=cartbridge_api.call',
            'version' => Version::ADDON,
        ];
    }

    /** @throws Problem when the code is wrong; what was stored before stays */
    public static function connect(string $code): Connection
    {
        $connection = Connection::fromCode($code);
        $connection->save();
        State::set('paused_until', '0');
        State::set('view_paused_until', '0');
        State::set('failures', '0');
        State::set('last_failure', '');
        Outbox::hurry();

        return $connection;
    }

    /**
     * Has sent again what was delivered in the last hours, for a bridge that was restored from a backup.
     *
     * @param mixed $hours
     *
     * @return int how many events
     *
     * @throws Problem
     */
    public static function resendLast($hours): int
    {
        $text = is_scalar($hours) ? trim((string) $hours) : '';
        $most = 24 * State::number('keep_sent_days');
        if (preg_match('/^\d{1,5}$/D', $text) !== 1 || (int) $text < 1 || (int) $text > $most) {
            throw new Problem('the hours are a whole number from 1 to ' . $most . ': delivered events are kept for no longer');
        }

        return Outbox::resendSince(time() - 3600 * (int) $text);
    }

    /**
     * Sends a `ping` at once and says what came of it.
     *
     * @throws Problem in words that tell what to do
     */
    public static function test(?Transport $transport = null): string
    {
        $connection = Connection::load();
        if ($connection === null) {
            throw new Problem('the store is not connected with a bridge: paste the code first');
        }
        // A lane of its own: it waits for nothing else, and is not asked for by its type among a million rows.
        $lane = 'ping:' . bin2hex(random_bytes(8));
        if (!Outbox::put('ping', $lane, $lane, [])) {
            throw new Problem('the outbox is full', 503);
        }
        $row = db_get_row('SELECT event_no, event_id FROM ?:cartbridge_outbox WHERE state IN (?a) AND lane = ?s', ['P', 'S'], $lane);
        $answer = (new Sender($transport))->now($connection, (int) $row['event_no']);
        if ($answer === null || $answer->isSuccess()) {
            return (string) $row['event_id'];
        }
        throw new Problem('the test event is in the outbox and was not taken yet: ' . Sender::explain($answer));
    }
}
