-- Jobs: imports, resyncs of many and verifications. Times are milliseconds since 1970, UTC.

CREATE TABLE jobs (
    id          BLOB PRIMARY KEY,             -- UUIDv7: grows
    connection  TEXT NOT NULL,
    kind        TEXT NOT NULL,                -- 'import', 'resync', 'verify'
    options     TEXT NOT NULL,                -- JSON
    state       TEXT NOT NULL,                -- 'queued', 'running', 'paused', 'done', 'failed', 'cancelled'
    reason      TEXT,                         -- why it waits, failed or was stopped
    place       TEXT NOT NULL,                -- JSON: where it goes on, after a crash as well
    progress    TEXT NOT NULL,                -- JSON: what there is, what is done, what it has cost
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    resumed_at  INTEGER,                      -- when it began to run the last time, and how much was done by then
    resumed_done  INTEGER NOT NULL DEFAULT 0,
    resumed_calls INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER
) WITHOUT ROWID;
CREATE INDEX jobs_open ON jobs (connection, id) WHERE state IN ('queued', 'running', 'paused');

-- One row for each customer that a job has looked at, and for each contact that only a verification tells of.
CREATE TABLE job_items (
    job        BLOB NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,              -- the user id; 0 for what is no customer of the store
    subject    TEXT NOT NULL,                 -- 'customer:42', 'contact:<id>'
    outcome    TEXT NOT NULL,                 -- 'pending' (to be looked at), 'open' (its event is under way), or how it ended
    plan       TEXT,                          -- what the event is to do: 'create', 'adopt', 'update'
    contact_id TEXT,
    reason     TEXT,
    fields     TEXT NOT NULL,                 -- JSON array: what differs
    event      BLOB,
    PRIMARY KEY (job, number, subject)
) WITHOUT ROWID;
-- Few at a time: the others are final.
CREATE INDEX job_items_open ON job_items (job, outcome, number) WHERE outcome IN ('pending', 'open');

-- The location's contacts as a running job has read them; emptied when it ends.
CREATE TABLE job_contacts (
    job        BLOB NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    contact_id TEXT NOT NULL,                 -- 'new:customer:42' for one that the job has asked to be made
    email      TEXT,
    phone      TEXT,
    tags       TEXT NOT NULL,                 -- JSON array
    fields     TEXT NOT NULL,                 -- JSON: the contact in the common form
    owner      TEXT,                          -- the customer whom the job has found it to be
    PRIMARY KEY (job, contact_id)
) WITHOUT ROWID;
CREATE INDEX job_contacts_email ON job_contacts (job, email) WHERE email IS NOT NULL;
CREATE INDEX job_contacts_phone ON job_contacts (job, phone) WHERE phone IS NOT NULL;
