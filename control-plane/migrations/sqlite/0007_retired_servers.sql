-- Ids of removed MCP servers. Clients go on calling them, so nobody but their organisation may register them again.
CREATE TABLE retired_servers (
    -- The id that the server had.
    id              TEXT    NOT NULL PRIMARY KEY,
    -- The organisation that it belonged to; no foreign key, so that it stays reserved.
    organisation_id TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

DROP INDEX mcp_servers_of_project;
CREATE INDEX mcp_servers_of_project ON mcp_servers (project_id, created_at, id);
