-- Times are milliseconds since the Unix epoch. Identifiers are 1 to 64 of the characters A-Z a-z 0-9 _ -.

-- The control plane's revision: one number, raised in the same transaction as any change to a project, key or server.
CREATE TABLE revision (
    -- Always 1: the table has a single row.
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- The revision of the latest change; 0 before the first.
    value INTEGER NOT NULL CHECK (value >= 0)
) STRICT;

INSERT INTO revision (id, value) VALUES (1, 0);

-- Which project changed at which revision. Only the latest rows are kept; no foreign key, so that a row outlives its project.
CREATE TABLE changes (
    -- The revision that the change raised to.
    revision   INTEGER NOT NULL,
    -- The project whose policy, key or server changed.
    project_id TEXT    NOT NULL,
    PRIMARY KEY (revision, project_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE organisations (
    -- `org_…`, or chosen at creation.
    id         TEXT    NOT NULL PRIMARY KEY,
    -- For people; need not be unique.
    name       TEXT    NOT NULL,
    -- When it was created: decides the default of `require_mcp_api_key` for its projects.
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
    -- `pr_…`, or chosen at creation.
    id                  TEXT    NOT NULL PRIMARY KEY,
    -- The organisation that owns it.
    organisation_id     TEXT    NOT NULL REFERENCES organisations (id),
    -- For people; need not be unique.
    name                TEXT    NOT NULL,
    -- When it was created.
    created_at          INTEGER NOT NULL,
    -- 1: its MCP servers may be called only with one of its keys.
    require_mcp_api_key INTEGER NOT NULL CHECK (require_mcp_api_key IN (0, 1)),
    -- 1: entity and connected account ids are required for all actions.
    is_2fa_enabled      INTEGER NOT NULL CHECK (is_2fa_enabled IN (0, 1)),
    -- 1: secrets of connected accounts are hidden in their details.
    mask_secret_keys_in_connected_account INTEGER NOT NULL CHECK (mask_secret_keys_in_connected_account IN (0, 1)),
    -- Which logs are stored.
    log_visibility_setting TEXT NOT NULL CHECK (log_visibility_setting IN ('show_all', 'dont_store_data')),
    -- http or https URL of the project's logo; NULL: none set.
    logo_url            TEXT,
    -- Name shown to end users; NULL: none set.
    display_name        TEXT,
    -- 1: managed authentication goes through the hosted link page; NULL: not set.
    is_composio_link_enabled_for_managed_auth INTEGER CHECK (is_composio_link_enabled_for_managed_auth IN (0, 1)),
    -- How long a signed file URL stays good, in seconds; NULL: not set.
    signed_url_file_expiry_in_seconds INTEGER CHECK (signed_url_file_expiry_in_seconds > 0)
) STRICT;

CREATE INDEX projects_of_organisation ON projects (organisation_id);

CREATE TABLE mcp_servers (
    -- UUID v4, or chosen at creation; the id in the server's URL.
    id         TEXT    NOT NULL PRIMARY KEY,
    -- The project that it belongs to.
    project_id TEXT    NOT NULL REFERENCES projects (id),
    -- For people; need not be unique.
    name       TEXT    NOT NULL,
    -- When it was created.
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX mcp_servers_of_project ON mcp_servers (project_id);

CREATE TABLE api_keys (
    -- `key_…`; names the key in logs and lists without revealing it.
    id          TEXT    NOT NULL PRIMARY KEY,
    -- The one project that it opens.
    project_id  TEXT    NOT NULL REFERENCES projects (id),
    -- For people; need not be unique.
    name        TEXT    NOT NULL,
    -- SHA-256 of the whole raw key. The raw key is stored nowhere.
    sha256      BLOB    NOT NULL UNIQUE CHECK (length(sha256) = 32),
    -- When it was created.
    created_at  INTEGER NOT NULL,
    -- From when on it is refused; NULL: never.
    expires_at  INTEGER,
    -- When it was revoked, for good; NULL: it was not.
    revoked_at  INTEGER,
    -- When it was switched off; NULL: it is on.
    disabled_at INTEGER
) STRICT;

CREATE INDEX api_keys_of_project ON api_keys (project_id);
