-- What was read from history files: one row a file, and every line that did not become an event.

CREATE TABLE source_file (
    sha256     bytea  PRIMARY KEY CHECK (length(sha256) = 32),
    name       text   NOT NULL,
    lines      bigint NOT NULL,
    summary    jsonb  NOT NULL,
    read_at    timestamptz NOT NULL
);

-- Lines that are neither an order nor a refund, by the rule that set them aside; nothing is dropped.
-- Keyed by what they say, so that two files that overlap list a line once.
CREATE TABLE listed_line (
    document    text    NOT NULL,
    line        integer NOT NULL,
    rule        text    NOT NULL,
    value_minor bigint  NOT NULL,
    currency    text    NOT NULL,
    raw         jsonb   NOT NULL,
    sha256      bytea   NOT NULL REFERENCES source_file,
    file_line   bigint  NOT NULL,
    PRIMARY KEY (document, line)
);

CREATE TRIGGER source_file_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON source_file
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER listed_line_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON listed_line
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT ON source_file, listed_line TO steward_app;
