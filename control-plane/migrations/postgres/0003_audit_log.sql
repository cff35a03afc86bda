-- Who changed what. Written in the same transaction as the change; no foreign keys, so that an entry outlives what it speaks of.
CREATE TABLE audit_log (
    -- Counts up by one from 1, in the order of the changes.
    seq             BIGINT NOT NULL PRIMARY KEY,
    -- When it happened.
    at              BIGINT NOT NULL,
    -- The organisation that it concerns.
    organisation_id TEXT COLLATE "C" NOT NULL,
    -- The project that it concerns; NULL: none in particular.
    project_id      TEXT COLLATE "C",
    -- What kind of caller made the change: `api_key`, `organisation_key` or `cli`.
    actor_kind      TEXT   NOT NULL,
    -- The key that was presented; NULL: none.
    actor_id        TEXT COLLATE "C",
    -- Its name at that time.
    actor_name      TEXT,
    -- What was done, as in `key.revoked`.
    action          TEXT   NOT NULL,
    -- What kind of thing it was done to.
    target_kind     TEXT   NOT NULL,
    -- Its id.
    target_id       TEXT COLLATE "C" NOT NULL,
    -- Its name after the change.
    target_name     TEXT   NOT NULL,
    -- JSON object of the fields that changed, as they were; NULL: it did not exist.
    before_json     TEXT,
    -- The same, as they are since; NULL: it no longer exists.
    after_json      TEXT,
    -- The id of the request that asked for it; NULL: none did.
    request_id      TEXT
);

CREATE INDEX audit_log_of_organisation ON audit_log (organisation_id, seq);
CREATE INDEX audit_log_of_project ON audit_log (project_id, seq);

CREATE FUNCTION refuse_change_of_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_log();
