-- Secrets are sealed: `connections.definition` holds a sealed BLOB from now on. What stands there in clear is sealed when the
-- program opens the database, because SQL cannot: it is done as long as the row of `vault` is missing.

-- One row: which master key seals.
CREATE TABLE vault (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    key_id   BLOB NOT NULL,                   -- 8 bytes that name the key without telling it
    proof    BLOB NOT NULL,                   -- a known text, sealed with it
    scrubbed INTEGER NOT NULL                 -- 0: what stood here in clear may linger in the file's free space
);
