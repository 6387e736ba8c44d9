-- When a store without the add-on was last read to the end, in milliseconds since 1970.
ALTER TABLE polls ADD COLUMN read_at INTEGER;
