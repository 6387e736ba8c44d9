-- Who goes first, how long an event has been failing and for what kind of reason; an acknowledgement without a random page of an index.

-- The index of duplicates holds only what is filed, and is written then, for many at a time; until then what makes a duplicate
-- is kept in memory. Not unique: should the same delivery have been stored twice, filing finds it out.
DROP INDEX events_source;
CREATE INDEX events_source ON events (source_key) WHERE filed = 1;

-- The first failed try since the event was received, replayed or parked. An event that is parked for a known time has that
-- time in `next_attempt_at`.
ALTER TABLE events ADD COLUMN failing_since INTEGER;

-- The kind of `state_reason`; none where there is none to act on.
ALTER TABLE events ADD COLUMN state_code TEXT;

-- Of the lane's most urgent event; 0 is the most urgent, 1 is what has just happened. A lane that is parked for a known time
-- is 'resting' until `ready_at`.
ALTER TABLE lanes ADD COLUMN priority INTEGER NOT NULL DEFAULT 1;
-- A claim takes what each connection may have, by class: it never walks through the lanes of one that may have nothing.
DROP INDEX lanes_ready;
CREATE INDEX lanes_ready ON lanes (connection, priority, ready_at) WHERE state <> 'parked';
