-- lock_head --
-- The log's head, locked: whoever holds it may assign the next positions. Who then stops inside the transaction is cut
-- off after five seconds, so that nobody holds up the log for long.
SELECT size, frontier, root, room, partition_rows, set_config('idle_in_transaction_session_timeout', '5s', true)
FROM log_head FOR UPDATE;

-- head --
-- The log's head, as committed.
SELECT size, frontier, root, room, partition_rows FROM log_head;

-- make_room --
-- Partitions for positions up to this one.
SELECT log_make_room(%(wanted)s) AS room;

-- known_keys --
-- Which of these keys the log holds, and where.
SELECT key, position FROM event_key WHERE key = ANY (%(keys)s::uuid[]);

-- digests_at --
-- The bodies at some positions.
SELECT position, body_digest FROM event WHERE position = ANY (%(positions)s::bigint[]);

-- stream_sizes --
-- How many events each of these streams holds: its version.
SELECT s.subject, (SELECT count(*) FROM event e WHERE e.subject = s.subject) AS events
FROM unnest(%(subjects)s::text[]) AS s (subject);

-- copy_events --
-- A batch of rows whose keys are known to be new; the lock on the head keeps it so.
COPY event (position, source, event_id, type, subject, occurred_at, recorded_at, schema_version,
            correlation_id, causation_id, data, body_digest, leaf_hash) FROM STDIN (FORMAT binary);

-- move_head --
-- Record the keys, the finished subtrees and the head of a batch in one statement, and wake readers when it commits. A
-- key that is known already is a unique violation.
WITH keys AS (
    INSERT INTO event_key (key, position)
    SELECT key, %(before)s + number FROM unnest(%(keys)s::uuid[]) WITH ORDINALITY AS k (key, number)
), nodes AS (
    INSERT INTO log_node (level, index, hash)
    SELECT level, index, hash FROM unnest(%(levels)s::smallint[], %(indexes)s::bigint[], %(hashes)s::bytea[])
        AS n (level, index, hash)
), head AS (
    UPDATE log_head SET size = %(size)s, frontier = %(frontier)s, root = %(root)s
)
SELECT pg_notify('steward_log', %(size)s::text);

-- nodes --
-- Stored subtree roots of one level, in order.
SELECT hash FROM log_node WHERE level = %(level)s AND index >= %(low)s AND index < %(high)s ORDER BY index;

-- leaves --
-- Leaf hashes of a range of positions, in order.
SELECT leaf_hash AS hash FROM event WHERE position > %(low)s AND position <= %(high)s ORDER BY position;

-- count_keys --
-- How many keys and subtree roots are stored.
SELECT (SELECT count(*) FROM event_key) AS keys, (SELECT count(*) FROM log_node) AS nodes;

-- insert_conflict --
-- Keep a delivery whose key is taken by another body.
INSERT INTO event_conflict (source, event_id, body_digest, envelope, received_at, position)
VALUES (%(source)s, %(event_id)s, %(body_digest)s, %(envelope)s, %(received_at)s, %(position)s)
ON CONFLICT ON CONSTRAINT event_conflict_key DO NOTHING;

-- outbox_put --
-- A fact born in this transaction, waiting for its position.
INSERT INTO event_outbox (source, event_id, envelope)
SELECT o.source, o.event_id, o.envelope
FROM jsonb_to_recordset(%(rows)s::jsonb) AS o (source text, event_id text, envelope jsonb)
ON CONFLICT ON CONSTRAINT event_outbox_key DO NOTHING;

-- outbox_clashes --
-- Which of these facts wait already with another body.
SELECT o.source, o.event_id
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (source text, event_id text, envelope jsonb)
JOIN event_outbox o USING (source, event_id)
WHERE o.envelope <> r.envelope;

-- outbox_take --
-- The oldest waiting facts, removed in the transaction that appends them.
DELETE FROM event_outbox WHERE outbox_id IN (
    SELECT outbox_id FROM event_outbox ORDER BY outbox_id LIMIT %(limit)s)
RETURNING outbox_id, envelope;

-- read_after --
-- Events after a position, oldest first, optionally of some types only.
SELECT position, source, event_id, type, subject, occurred_at, recorded_at, schema_version,
       correlation_id, causation_id, data, body_digest, leaf_hash
FROM event
WHERE position > %(after)s AND position <= %(until)s
  AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
  AND (%(subject)s::text IS NULL OR subject = %(subject)s::text)
ORDER BY position LIMIT %(limit)s;

-- position_at --
-- The last position recorded at or before an instant: what the log held then.
SELECT coalesce(max(position), 0) AS position FROM event WHERE recorded_at <= %(at)s;

-- count_by_type --
-- How many events of each type are stored.
SELECT type, count(*) AS events FROM event GROUP BY type ORDER BY type;

-- conflicts --
-- Deliveries kept because their key is taken by another body.
SELECT source, event_id, received_at, position, envelope FROM event_conflict ORDER BY conflict_id;

-- outbox_waits --
-- Whether any fact waits for a position.
SELECT EXISTS (SELECT FROM event_outbox) AS waits;

-- outbox_size --
-- Facts that still wait for a position.
SELECT count(*) AS waiting FROM event_outbox;

-- checkpoint_lock --
-- How far a reader has come, locked for the transaction that moves it.
SELECT position FROM checkpoint WHERE reader = %(reader)s FOR UPDATE;

-- checkpoint_open --
-- A reader starts before the first event.
INSERT INTO checkpoint (reader, position) VALUES (%(reader)s, 0) ON CONFLICT (reader) DO NOTHING;

-- checkpoint_move --
-- A reader has derived everything up to this position.
UPDATE checkpoint SET position = %(position)s WHERE reader = %(reader)s;

-- checkpoint_read --
-- How far a reader has come, as committed.
SELECT position FROM checkpoint WHERE reader = %(reader)s;

-- lags --
-- Every reader, how far it has come and how many events it is behind.
SELECT c.reader, c.position, h.size - c.position AS behind
FROM checkpoint c, log_head h ORDER BY c.reader;

-- lease --
-- Take or renew the sequencer's lease; no row where somebody else holds a live one. Database time: one clock for all.
UPDATE sequencer SET lease_until = clock_timestamp() + %(seconds)s * interval '1 second',
       generation = generation + CASE WHEN holder IS NOT DISTINCT FROM %(holder)s::text THEN 0 ELSE 1 END,
       holder = %(holder)s::text
WHERE holder IS NOT DISTINCT FROM %(holder)s::text OR lease_until < clock_timestamp()
RETURNING generation;

-- lease_drop --
-- Give the lease back, so that the next one need not wait for its end.
UPDATE sequencer SET lease_until = '-infinity' WHERE holder = %(holder)s::text;

-- lease_read --
-- Who sequences now.
SELECT holder, lease_until > clock_timestamp() AS live, generation FROM sequencer;
