-- Which database this is: made once, so that another database at the same place can be told from this one.
CREATE TABLE incarnation (
    -- Always 1: the table has a single row.
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- 32 random hexadecimal digits.
    value TEXT    NOT NULL
) STRICT;

INSERT INTO incarnation (id, value) VALUES (1, lower(hex(randomblob(16))));
