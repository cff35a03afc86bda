-- Which database this is: made once, so that another database at the same place can be told from this one.
CREATE TABLE incarnation (
    -- Always 1: the table has a single row.
    id    BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    -- 32 random hexadecimal digits.
    value TEXT   NOT NULL
);

INSERT INTO incarnation (id, value) VALUES (1, replace(gen_random_uuid()::text, '-', ''));
