-- Who is signed in to the dashboard. A session has the authority of the key it was signed in with, for as long as that is live.
CREATE TABLE dashboard_sessions (
    -- `ses_…`; names the session in the audit log without revealing its token.
    id           TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of the token in the browser's cookie. The token is stored nowhere.
    token_sha256 BLOB    NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    -- What kind of key it was signed in with: `project` or `organisation`.
    key_kind     TEXT NOT NULL,
    -- That key. No foreign key: a session whose key is gone is one that has ended.
    key_id       TEXT NOT NULL,
    -- When it was signed in.
    created_at   INTEGER NOT NULL,
    -- From when on it has ended.
    expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX dashboard_sessions_of_key ON dashboard_sessions (key_id, created_at);
CREATE INDEX dashboard_sessions_by_expiry ON dashboard_sessions (expires_at);

-- The dashboard session that made a change; NULL: none did. Beside it, `actor_kind` is `dashboard_session`
-- and `actor_id` the key that the session was signed in with.
ALTER TABLE audit_log ADD COLUMN session_id TEXT;
