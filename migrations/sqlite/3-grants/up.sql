-- What people have allowed at HighLevel's chooser. Times are milliseconds since 1970, UTC.

-- One row for each pair of tokens, however many connections use it: so it is renewed once.
CREATE TABLE grants (
    id                      TEXT PRIMARY KEY, -- 'location:<client id>:<location>', 'company:<client id>:<company>'
    client_id               TEXT NOT NULL,
    user_type               TEXT NOT NULL,    -- 'Location', 'Company'
    holder                  TEXT NOT NULL,    -- the location's or the company's id
    sealed                  BLOB NOT NULL,    -- JSON {access_token, refresh_token}, sealed for the place 'grants/<id>'
    scopes                  TEXT NOT NULL,    -- with blanks between them
    issued_at               INTEGER NOT NULL,
    expires_at              INTEGER NOT NULL,
    generation              INTEGER NOT NULL, -- grows with each pair: a late answer never overwrites a newer one
    refresh_lease           INTEGER,          -- whose turn it is to renew the pair, by chance
    refresh_until           INTEGER,          -- until when; without a lease: not to be tried before
    refresh_sent_generation INTEGER,          -- this pair's refresh token was sent, and no answer is on record
    refresh_failures        INTEGER NOT NULL DEFAULT 0,
    refresh_error           TEXT,
    connected_at            INTEGER NOT NULL, -- when a person allowed it last
    disconnected_reason     TEXT,             -- none: it is in use
    refused_secret          BLOB              -- it is out of use because HighLevel refused this client secret (16 bytes of its hash)
) WITHOUT ROWID;

-- Which grant a connection uses.
CREATE TABLE connection_grants (
    connection   TEXT PRIMARY KEY,
    grant_id     TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    left_reason  TEXT                         -- why this connection uses it no longer, such as an uninstall in its location
) WITHOUT ROWID;
CREATE INDEX connection_grants_grant ON connection_grants (grant_id);

-- Connects that have begun: good once, and for the browser that began. Only hashes are here.
CREATE TABLE oauth_states (
    state_hash   BLOB PRIMARY KEY,
    browser_hash BLOB NOT NULL,
    connection   TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    expires_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
