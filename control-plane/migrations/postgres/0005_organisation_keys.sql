-- Keys that manage an organisation's projects. They open no MCP server, so a change to one raises no revision.
CREATE TABLE organisation_keys (
    -- `okey_…`; names the key in logs and lists without revealing it.
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The one organisation that it manages.
    organisation_id TEXT COLLATE "C" NOT NULL REFERENCES organisations (id),
    -- For people; need not be unique.
    name            TEXT    NOT NULL,
    -- SHA-256 of the whole raw key. The raw key is stored nowhere.
    sha256          BYTEA   NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- Its prefix and its last four characters.
    masked_key      TEXT    NOT NULL,
    -- When it was created.
    created_at      BIGINT NOT NULL,
    -- From when on it is refused; NULL: never.
    expires_at      BIGINT,
    -- When it was revoked, for good; NULL: it was not.
    revoked_at      BIGINT
);

CREATE INDEX organisation_keys_of_organisation ON organisation_keys (organisation_id);

DROP INDEX projects_of_organisation;
CREATE INDEX projects_of_organisation ON projects (organisation_id, created_at, id);
