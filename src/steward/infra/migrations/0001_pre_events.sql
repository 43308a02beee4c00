-- The log: one dense, append-only, Merkle-hashed sequence of every business event.

CREATE TABLE event (
    position       bigint      PRIMARY KEY CHECK (position > 0),
    source         text        NOT NULL,
    event_id       text        NOT NULL,
    type           text        NOT NULL,
    subject        text        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    schema_version integer     NOT NULL CHECK (schema_version > 0),
    correlation_id text,
    causation_id   text,
    data           jsonb       NOT NULL,
    body_digest    bytea       NOT NULL CHECK (length(body_digest) = 32),
    leaf_hash      bytea       NOT NULL CHECK (length(leaf_hash) = 32),
    CONSTRAINT event_key UNIQUE (source, event_id)
);
CREATE INDEX event_by_type ON event (type, position);

-- One row: how many events there are and the roots of the perfect subtrees they fill (RFC 9162, 2.1).
CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    size     bigint  NOT NULL CHECK (size >= 0),
    frontier bytea[] NOT NULL,
    root     bytea   NOT NULL
);
INSERT INTO log_head (size, frontier, root) VALUES (0, '{}', sha256(''));

-- Facts born inside another transaction wait here; the sequencer gives them positions in batches.
CREATE TABLE event_outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source    text   NOT NULL,
    event_id  text   NOT NULL,
    envelope  jsonb  NOT NULL,
    CONSTRAINT event_outbox_key UNIQUE (source, event_id)
);

-- The same key with another body: kept, named, never dropped, never overwriting.
CREATE TABLE event_conflict (
    conflict_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text   NOT NULL,
    event_id    text   NOT NULL,
    body_digest bytea  NOT NULL,
    envelope    jsonb  NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT event_conflict_key UNIQUE (source, event_id, body_digest)
);

-- How far each reader has come; moves in the transaction that writes what the reader derived.
CREATE TABLE checkpoint (
    reader   text   PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0)
);

CREATE FUNCTION deny_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_conflict_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_conflict
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT ON event, event_conflict TO steward_app;
GRANT SELECT, UPDATE ON log_head TO steward_app;
GRANT SELECT, INSERT, DELETE ON event_outbox TO steward_app;
GRANT SELECT, INSERT, UPDATE ON checkpoint TO steward_app;
