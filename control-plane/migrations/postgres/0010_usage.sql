-- Requests per project, key, outcome and hour, as filters counted them. No foreign keys: a count outlives what it speaks of.
CREATE TABLE usage_hours (
    -- Empty for requests that a filter had no room to tell apart.
    project_id TEXT COLLATE "C" NOT NULL,
    -- The hour's first millisecond.
    hour       BIGINT NOT NULL,
    -- Empty for requests without a key of the project.
    key_id     TEXT COLLATE "C" NOT NULL,
    -- What became of them, in the filter's word.
    outcome    TEXT COLLATE "C" NOT NULL,
    -- What would have become of them had the project required a key; empty where that is not known, or it did.
    preview    TEXT COLLATE "C" NOT NULL,
    count      BIGINT NOT NULL CHECK (count > 0),
    first_at   BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    PRIMARY KEY (project_id, hour, key_id, outcome, preview)
);

-- For dropping what is too old, of all projects.
CREATE INDEX usage_hours_by_hour ON usage_hours (hour);

-- Who reports: one worker of one Envoy, for as long as it lives.
CREATE TABLE usage_senders (
    instance TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The Envoy that it is a worker of.
    envoy    TEXT COLLATE "C" NOT NULL,
    -- The number of its last batch that was counted.
    sequence BIGINT NOT NULL CHECK (sequence >= 0),
    -- The revision that it enforces; NULL: it cannot know of the latest changes.
    in_force BIGINT,
    -- When it was last heard.
    seen_at  BIGINT NOT NULL
);

-- When a sender first told that it enforces a revision. Kept for as long as somebody may wait for that.
CREATE TABLE usage_in_force (
    instance TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    since    BIGINT NOT NULL,
    PRIMARY KEY (instance, revision)
);

CREATE INDEX usage_in_force_by_time ON usage_in_force (since);
