<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/**
 * What the bridge asks of the store beside its REST API. A call is a POST of `{"action", …}`, signed as a webhook is (Standard
 * Webhooks, the same secret). The id of a call counts once: a repetition with the same body gets the first answer again, so
 * that a bridge that lost the answer may ask anew; one with another body is refused.
 */
final class Endpoint
{
    /** How far the two clocks may differ, in seconds. */
    public const TOLERANCE = 300;
    private const LONGEST_ID = 256;
    private const LONGEST_BODY = 1048576;

    /**
     * @param array<string, string> $headers with lower-case names
     *
     * @return array{0: int, 1: array<string, mixed>} HTTP status and body
     */
    public static function answer(string $method, array $headers, string $body): array
    {
        try {
            if ($method !== 'POST') {
                throw new Problem('this takes a POST', 405);
            }
            $id = self::verify($headers, $body);
            $call = Json::decode($body, 'the body');

            return self::once($id, $body, $call);
        } catch (Problem $problem) {
            return self::problem($problem);
        } catch (\Throwable $error) {
            error_log('cartbridge: a call of the bridge failed: ' . Json::excerpt($error->getMessage()));

            return self::problem(new Problem('the store failed at this; its error log says more', 500));
        }
    }

    /** @param array<string, string> $headers */
    private static function verify(array $headers, string $body): string
    {
        if (strlen($body) > self::LONGEST_BODY) {
            throw new Problem('the body is longer than 1 MiB', 413);
        }
        $connection = Connection::load();
        if ($connection === null) {
            throw new Problem('the store is not connected with a bridge', 401);
        }
        $id = $headers['webhook-id'] ?? '';
        $timestamp = $headers['webhook-timestamp'] ?? '';
        $signature = $headers['webhook-signature'] ?? '';
        if ($id === '' || strlen($id) > self::LONGEST_ID) {
            throw new Problem('the header webhook-id is missing, empty or too long', 401);
        }
        if (preg_match('/^\d{1,12}$/D', $timestamp) !== 1) {
            throw new Problem('the header webhook-timestamp is not a number of seconds', 401);
        }
        if (!$connection->secret()->fits($signature, $id, (int) $timestamp, $body) || (string) (int) $timestamp !== $timestamp) {
            throw new Problem('no signature fits the call', 401);
        }
        // After the signature: who cannot sign learns nothing about the clock here.
        if (abs(time() - (int) $timestamp) > self::TOLERANCE) {
            throw new Problem('the call was signed at another time than this server has: ' . gmdate('Y-m-d\TH:i:s\Z') . ' here', 401);
        }

        return $id;
    }

    /**
     * @param array<array-key, mixed> $call
     *
     * @return array{0: int, 1: array<string, mixed>}
     */
    private static function once(string $id, string $body, array $call): array
    {
        $call_hash = hash('sha256', $id);
        $body_hash = hash('sha256', $body);

        return Transaction::run(static function () use ($call_hash, $body_hash, $call): array {
            // Whoever comes second waits here for the first one's end.
            db_query(
                'INSERT IGNORE INTO ?:cartbridge_calls ?e',
                ['call_hash' => $call_hash, 'body_hash' => $body_hash, 'answer' => '', 'created_at' => time()]
            );
            $row = db_get_row('SELECT body_hash, status, answer FROM ?:cartbridge_calls WHERE call_hash = ?s FOR UPDATE', $call_hash);
            if ($row['body_hash'] !== $body_hash) {
                throw new Problem('another call had this id already', 409);
            }
            if ((int) $row['status'] > 0) {
                return [(int) $row['status'], Json::decode($row['answer'], 'the stored answer')];
            }
            $answer = Calls::act($call);
            db_query('UPDATE ?:cartbridge_calls SET status = ?i, answer = ?s WHERE call_hash = ?s', 200, Json::encode($answer), $call_hash);

            return [200, $answer];
        });
    }

    /** @return array{0: int, 1: array<string, mixed>} */
    private static function problem(Problem $problem): array
    {
        return [$problem->status(), ['type' => 'about:blank', 'title' => 'The call was refused', 'status' => $problem->status(), 'detail' => $problem->getMessage()]];
    }

    /** Ids are kept for as long as a call with them could still be taken, and as long again. */
    public static function forgetOld(): void
    {
        db_query('DELETE FROM ?:cartbridge_calls WHERE created_at < ?i LIMIT 5000', time() - 4 * self::TOLERANCE);
    }
}
