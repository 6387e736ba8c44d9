-- Stores that are polled: how far each has been read, and whether its add-on has ever been heard.
CREATE TABLE polls (
    connection     TEXT PRIMARY KEY,
    -- JSON; none: nothing was read yet.
    state          TEXT,
    addon_heard_at INTEGER
) STRICT;
