-- What is to happen later. Times are milliseconds since 1970, UTC.

-- A row is one event that will be filed when it is due; in the transaction that files it the row goes, or moves on to its next
-- time. A timer that is put again under its key begins anew.
CREATE TABLE timers (
    connection TEXT NOT NULL,
    key        TEXT NOT NULL,
    subject    TEXT NOT NULL,                 -- of the event
    due_at     INTEGER NOT NULL,
    kind       TEXT NOT NULL,                 -- of the event, whose source is 'schedule'
    payload    BLOB NOT NULL,                 -- of the event
    PRIMARY KEY (connection, key)
);
CREATE INDEX timers_due ON timers (due_at);
