-- The spine: connections, inbox, lanes, effects, links. Times are milliseconds since 1970, UTC.

CREATE TABLE connections (
    name         TEXT PRIMARY KEY,
    origin       TEXT NOT NULL,               -- 'file': from cartbridge.toml, read-only elsewhere; 'api'
    definition   TEXT NOT NULL,               -- JSON
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) WITHOUT ROWID;

-- The inbox. A row is an event as received; only the columns from `state` on ever change.
--
-- An acknowledgement waits for this row, so it costs as few pages as can be: `seq` and `id` grow. Whatever else finds an event,
-- by its source or by its subject, is written when it is *filed*, for many at a time, before the next claim; until then
-- what makes a duplicate is kept in memory.
CREATE TABLE events (
    seq             INTEGER PRIMARY KEY,      -- the order of receipt
    id              BLOB NOT NULL,            -- UUIDv7: grows
    source_key      BLOB NOT NULL,            -- the first 16 bytes of the SHA-256 of connection, source and source id
    connection      TEXT NOT NULL,
    source          TEXT NOT NULL,
    source_id       TEXT NOT NULL,
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    received_at     INTEGER NOT NULL,
    occurred_at     INTEGER NOT NULL,
    replayed_from   BLOB,
    forced          INTEGER NOT NULL,         -- do again what is done
    filed           INTEGER NOT NULL DEFAULT 0,
    state           TEXT NOT NULL,
    state_reason    TEXT,
    state_code      TEXT,                     -- the kind of that reason: docs/errors.md
    next_attempt_at INTEGER,                  -- while it is not filed: not before
    tries           INTEGER NOT NULL DEFAULT 0,
    folded_into     BLOB
);
CREATE UNIQUE INDEX events_id ON events (id);
-- Not unique: should the same delivery have been stored twice, filing finds it out.
CREATE INDEX events_source ON events (source_key) WHERE filed = 1;
CREATE INDEX events_unfiled ON events (filed) WHERE filed = 0;
CREATE INDEX events_subject ON events (subject, connection, seq) WHERE filed = 1;
-- For lists and counts of the states that are few; `pending` and `done` are left out to keep the inbox quick.
CREATE INDEX events_state ON events (state, seq) WHERE state NOT IN ('pending', 'done');

-- The bodies, byte for byte as they were signed: apart from the rows that change.
CREATE TABLE payloads (
    event   INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    payload BLOB NOT NULL
);

-- One row for each subject that has open events. A worker claims lanes, never single events: that keeps the order.
-- `ready_at` is when the lane may next be claimed, whatever it waits for; so a claim reads only lanes that are ready.
CREATE TABLE lanes (
    connection TEXT NOT NULL,
    subject    TEXT NOT NULL,
    head       INTEGER NOT NULL,              -- no event of the subject before this seq is open
    ready_at   INTEGER NOT NULL,
    state      TEXT NOT NULL,                 -- 'ready', 'held' (for company), 'leased', 'waiting', 'parked'
    lease      INTEGER NOT NULL DEFAULT 0,    -- changes with each claim: a worker whose lease ran out can write nothing
    PRIMARY KEY (connection, subject)
) WITHOUT ROWID;
CREATE INDEX lanes_ready ON lanes (ready_at) WHERE state <> 'parked';

CREATE TABLE effects (
    event         INTEGER NOT NULL REFERENCES events (seq) ON DELETE CASCADE,
    route         TEXT NOT NULL,
    step          TEXT NOT NULL,
    position      INTEGER NOT NULL,           -- the order in which the effects of an event were begun
    operation     TEXT NOT NULL,
    state         TEXT NOT NULL,
    sending_since INTEGER,                    -- the first call whose outcome is open
    sending_at    INTEGER,                    -- the last one
    result        TEXT NOT NULL,              -- JSON
    attempts      TEXT NOT NULL,              -- JSON array
    PRIMARY KEY (event, route, step)
) WITHOUT ROWID;

CREATE TABLE links (
    connection TEXT NOT NULL,
    customer   TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    shadow     TEXT NOT NULL,                 -- JSON
    tags       TEXT NOT NULL,                 -- JSON array
    state_at   INTEGER NOT NULL,
    PRIMARY KEY (connection, customer)
) WITHOUT ROWID;
CREATE INDEX links_contact ON links (connection, contact_id);

CREATE TABLE item_links (
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,                 -- 'task', 'note'
    key        TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    remote_id  TEXT NOT NULL,
    shadow     TEXT NOT NULL,                 -- JSON
    state_at   INTEGER NOT NULL,
    PRIMARY KEY (connection, kind, key)
) WITHOUT ROWID;
CREATE INDEX item_links_contact ON item_links (connection, contact_id, kind);

-- What the store's page about a customer shows: kept so that it never waits for HighLevel.
CREATE TABLE views (
    connection TEXT NOT NULL,
    customer   TEXT NOT NULL,
    view       TEXT NOT NULL,                 -- JSON
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (connection, customer)
) WITHOUT ROWID;

CREATE TABLE api_keys (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,          -- SHA-256; a key has 256 random bits, so a slow hash would add nothing
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) WITHOUT ROWID;
