-- The revision that the latest change of the settings raised; 0 for those that did not change since before this was kept.
ALTER TABLE projects ADD COLUMN config_revision BIGINT NOT NULL DEFAULT 0;
