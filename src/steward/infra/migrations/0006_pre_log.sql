-- The log grows up: partitions by position, its own key table, stored tree nodes, one sequencer at a time.

-- The key of an event is the first half of SHA-256 over its source and id. A unique index on a partitioned table
-- would have to contain the position, so uniqueness lives here.
ALTER TABLE event DROP CONSTRAINT event_key;
CREATE TABLE event_key (
    key      uuid   PRIMARY KEY,
    position bigint NOT NULL
);
INSERT INTO event_key (key, position)
SELECT encode(substr(sha256(convert_to(length(convert_to(source, 'UTF8')) || ':' || source || event_id, 'UTF8')), 1, 16),
              'hex')::uuid, position
FROM event;
CREATE TRIGGER event_key_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_key
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- What there is becomes the first partition; more are made before they are needed.
ALTER TABLE event RENAME TO event_1;
ALTER INDEX event_pkey RENAME TO event_1_pkey;
ALTER INDEX event_by_type RENAME TO event_1_by_type;
CREATE TABLE event (
    position       bigint      NOT NULL CONSTRAINT event_position_check CHECK (position > 0),
    source         text        NOT NULL,
    event_id       text        NOT NULL,
    type           text        NOT NULL,
    subject        text        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    schema_version integer     NOT NULL CONSTRAINT event_schema_version_check CHECK (schema_version > 0),
    correlation_id text,
    causation_id   text,
    data           jsonb       NOT NULL,
    body_digest    bytea       NOT NULL CONSTRAINT event_body_digest_check CHECK (length(body_digest) = 32),
    leaf_hash      bytea       NOT NULL CONSTRAINT event_leaf_hash_check CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (position)
) PARTITION BY RANGE (position);
CREATE INDEX event_by_type ON event (type, position);
CREATE INDEX event_by_subject ON event (subject, position);
CREATE INDEX event_1_by_subject ON event_1 (subject, position);
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT ON event TO steward_app;
GRANT SELECT, INSERT ON event_key TO steward_app;
REVOKE ALL ON event_1 FROM steward_app;

-- `room` is the last position that a partition exists for; `partition_rows` how many the next one takes.
ALTER TABLE log_head ADD COLUMN room bigint NOT NULL DEFAULT 0, ADD COLUMN partition_rows bigint NOT NULL
    DEFAULT 10000000 CHECK (partition_rows > 0);
DO $$
DECLARE
    upper bigint;
BEGIN
    SELECT greatest(partition_rows, 2 * size) INTO upper FROM log_head;
    EXECUTE format('ALTER TABLE event ATTACH PARTITION event_1 FOR VALUES FROM (1) TO (%s)', upper + 1);
    UPDATE log_head SET room = upper;
END $$;

-- Make partitions until there is room for `wanted` positions. Runs as the owner: the application may not create
-- tables. A table is made apart and attached, which does not stop readers of the log.
CREATE FUNCTION log_make_room(wanted bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    head log_head;
    name text;
BEGIN
    SELECT * INTO head FROM log_head FOR UPDATE;
    IF wanted > head.size + 100 * head.partition_rows THEN
        RAISE EXCEPTION 'room for position % is far beyond the log''s % events', wanted, head.size;
    END IF;
    WHILE head.room < wanted LOOP
        name := 'event_' || head.room + 1;
        EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION deny_change()', name || '_is_append_only', name);
        EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            name, head.room + 1, head.room + head.partition_rows + 1);
        head.room := head.room + head.partition_rows;
    END LOOP;
    UPDATE log_head SET room = head.room;
    RETURN head.room;
END $$;
REVOKE ALL ON FUNCTION log_make_room(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_make_room(bigint) TO steward_app;
REVOKE UPDATE ON log_head FROM steward_app;
GRANT UPDATE (size, frontier, root) ON log_head TO steward_app;

-- Roots of perfect subtrees of 256, 65,536, ... leaves: proofs read hundreds of hashes instead of the whole log,
-- and a changed row is found chunk by chunk.
CREATE TABLE log_node (
    level smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
    index bigint   NOT NULL CHECK (index >= 0),
    hash  bytea    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, index)
);
CREATE TEMPORARY TABLE tree ON COMMIT DROP AS
    SELECT 0 AS level, position - 1 AS index, leaf_hash AS hash FROM event;
DO $$
BEGIN
    FOR height IN 1..24 LOOP
        INSERT INTO tree SELECT height, l.index / 2, sha256('\x01'::bytea || l.hash || r.hash)
        FROM tree l JOIN tree r ON r.level = l.level AND r.index = l.index + 1
        WHERE l.level = height - 1 AND l.index % 2 = 0;
    END LOOP;
END $$;
INSERT INTO log_node SELECT level, index, hash FROM tree WHERE level > 0 AND level % 8 = 0;
CREATE TRIGGER log_node_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_node
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT ON log_node TO steward_app;

-- Who moves the outbox into the log. A lease that is not renewed is taken over; the head's lock keeps two from
-- writing at once even where a stalled holder wakes up.
CREATE TABLE sequencer (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    holder      text,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    generation  bigint      NOT NULL DEFAULT 0
);
INSERT INTO sequencer DEFAULT VALUES;
GRANT SELECT, UPDATE ON sequencer TO steward_app;

-- A conflict remembers what it was refused against.
ALTER TABLE event_conflict ADD COLUMN position bigint;
