-- +goose Up
-- What a message asked for from outside while it was rendered.

ALTER TABLE deliveries ADD COLUMN put_back INTEGER NOT NULL DEFAULT 0; -- how often it could not be rendered yet
ALTER TABLE deliveries ADD COLUMN extras BLOB; -- JSON object of texts
ALTER TABLE deliveries ADD COLUMN calls BLOB;  -- JSON array of personalize.Call

-- Codes of promotion lists that belong to a message. A code that was taken out of
-- its list stays here, so that it is not given again when it comes back.
CREATE TABLE codes (
    workspace INTEGER NOT NULL,
    list      TEXT    NOT NULL,
    code      TEXT    NOT NULL,
    message   INTEGER NOT NULL,
    PRIMARY KEY (workspace, list, code)
) WITHOUT ROWID;
CREATE UNIQUE INDEX codes_message ON codes (message, workspace, list);

-- How far each list is given: an index into its codes.
CREATE TABLE code_cursors (
    workspace INTEGER NOT NULL,
    list      TEXT    NOT NULL,
    next      INTEGER NOT NULL,
    PRIMARY KEY (workspace, list)
) WITHOUT ROWID;
