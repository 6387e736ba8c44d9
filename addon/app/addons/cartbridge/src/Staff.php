<?php

namespace Cartbridge;

defined('BOOTSTRAP') or die('Access denied');

/** What a clerk does on a customer's page: it is written here and told to the bridge, both or neither. */
final class Staff
{
    public static function addNote(int $user_id, string $body, string $author): int
    {
        return (int) self::together(static function () use ($user_id, $body, $author): int {
            $note_id = Notes::save(0, $user_id, $body, $author);
            self::tellNote('note.created', (array) Notes::find($note_id));

            return $note_id;
        });
    }

    /** Changes a note; one that says the same already is left alone. */
    public static function updateNote(int $note_id, int $user_id, string $body): void
    {
        self::together(static function () use ($note_id, $user_id, $body): void {
            $note = self::own($note_id, $user_id);
            if (trim($body) === $note['body']) {
                return;
            }
            Notes::save($note_id, $user_id, $body, $note['author']);
            self::tellNote('note.updated', (array) Notes::find($note_id));
        });
    }

    public static function deleteNote(int $note_id, int $user_id): void
    {
        self::together(static function () use ($note_id, $user_id): void {
            $note = self::own($note_id, $user_id);
            Notes::delete($note_id);
            self::tellNote('note.deleted', $note);
        });
    }

    /**
     * @param array<array-key, mixed> $add
     * @param array<array-key, mixed> $remove
     */
    public static function changeTags(int $user_id, array $add, array $remove): void
    {
        self::together(static function () use ($user_id, $add, $remove): void {
            $before = Tags::of($user_id);
            $tags = Tags::change($user_id, $add, $remove);
            $lane = Customers::lane($user_id, '');
            if ($tags !== $before && !Outbox::put('customer.tags_changed', $lane, $lane, ['user_id' => $user_id, 'tags' => $tags])) {
                throw self::full();
            }
        });
    }

    /**
     * Whether who is logged in may see this customer: by the core's own rule, which knows of the storefront that is chosen.
     *
     * @throws Problem
     */
    public static function mayReach(int $user_id): void
    {
        if ($user_id > 0 && empty(fn_get_user_info($user_id, false))) {
            throw new Problem('the storefront that is chosen has no customer ' . $user_id, 403);
        }
    }

    /**
     * A customer's note that the store may change: each note has one home, where it is changed.
     *
     * @return array{note_id: int, user_id: int, external_id: string, body: string, author: string, created_at: int, updated_at: int}
     */
    private static function own(int $note_id, int $user_id): array
    {
        $note = Notes::find($note_id);
        if ($note === null || $note['user_id'] !== $user_id) {
            throw new Problem('the customer ' . $user_id . ' has no note ' . $note_id . ': somebody may have deleted it', 404);
        }
        if ($note['external_id'] !== '') {
            throw new Problem('this note was written in HighLevel: change or delete it there', 409);
        }

        return $note;
    }

    /**
     * What a clerk has written on this customer's page and what was refused, to be shown again.
     *
     * @param mixed $draft as it stands in the session
     *
     * @return array{note_id: int, body: string} an empty body: nothing; `note_id` 0: a new note
     */
    public static function draftFor($draft, int $user_id): array
    {
        $fits = is_array($draft) && ($draft['user_id'] ?? 0) === $user_id && is_string($draft['body'] ?? null);

        return ['note_id' => $fits ? (int) ($draft['note_id'] ?? 0) : 0, 'body' => $fits ? $draft['body'] : ''];
    }

    /** @param array<string, mixed> $note */
    private static function tellNote(string $type, array $note): void
    {
        $lane = Customers::lane((int) $note['user_id'], '');
        $shown = Notes::show($note);
        if (!Outbox::put($type, $lane, 'note:' . (int) $note['note_id'], ['note' => $shown])) {
            throw self::full();
        }
    }

    private static function full(): Problem
    {
        return new Problem('the outbox is full, so HighLevel cannot be told: nothing was changed. See Add-ons, Cartbridge', 503);
    }

    /** @return mixed */
    private static function together(callable $do)
    {
        $result = Transaction::run($do);
        AfterResponse::arrange();

        return $result;
    }
}
