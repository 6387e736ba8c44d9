-- Which text of a route ran. Times are milliseconds since 1970, UTC.

-- Each text of each route that was ever in force.
CREATE TABLE route_versions (
    route         TEXT NOT NULL,
    version       TEXT NOT NULL,              -- the first 12 hexadecimal digits of the text's SHA-256
    text          TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    PRIMARY KEY (route, version)
) WITHOUT ROWID;

-- The version that the step was last carried out, or tried, with; none in rows from before there were versions.
ALTER TABLE effects ADD COLUMN version TEXT;
