-- What lists show of a key: its prefix and its last four characters, which are part of its checksum. Unknown for older keys.
ALTER TABLE api_keys ADD COLUMN masked_key TEXT NOT NULL DEFAULT 'ak_…';

-- When a request with it was last counted; NULL: never.
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;

-- The key that it was rotated to; NULL: it was not.
ALTER TABLE api_keys ADD COLUMN replaced_by TEXT COLLATE "C";

DROP INDEX api_keys_of_project;
CREATE INDEX api_keys_of_project ON api_keys (project_id, created_at, id);
