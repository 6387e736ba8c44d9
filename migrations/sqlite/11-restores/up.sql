-- Which generation of the database this is. A file beside it keeps the newest, so that a backup that is put in its place is
-- noticed. Times are milliseconds since 1970, UTC.

CREATE TABLE generation (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    number      INTEGER NOT NULL,             -- grows with each start, and with what is written
    lost_since  INTEGER,                      -- it was restored: what was done after this may not be in it; none: nobody knows since when
    lost_until  INTEGER                       -- and before this; none: it was never restored
) STRICT;
