-- lock_head --
-- The log's head, locked: whoever holds it may assign the next positions.
SELECT size, frontier, root FROM log_head FOR UPDATE;

-- head --
-- The log's head, as committed.
SELECT size, frontier, root FROM log_head;

-- move_head --
-- Record the head after a batch, in the batch's own transaction.
UPDATE log_head SET size = %(size)s, frontier = %(frontier)s, root = %(root)s;

-- known_keys --
-- Which of these keys are stored already, and with which body.
SELECT e.source, e.event_id, e.body_digest
FROM unnest(%(sources)s::text[], %(ids)s::text[]) AS k (source, event_id)
JOIN event e USING (source, event_id);

-- copy_events --
-- A batch of rows whose keys are known to be new; the lock on the head keeps it so.
COPY event (position, source, event_id, type, subject, occurred_at, recorded_at, schema_version,
            correlation_id, causation_id, data, body_digest, leaf_hash) FROM STDIN;

-- insert_conflict --
-- Keep a delivery whose key is taken by another body.
INSERT INTO event_conflict (source, event_id, body_digest, envelope, received_at)
VALUES (%(source)s, %(event_id)s, %(body_digest)s, %(envelope)s, %(received_at)s)
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
WHERE position > %(after)s AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
ORDER BY position LIMIT %(limit)s;

-- count_by_type --
-- How many events of each type are stored.
SELECT type, count(*) AS events FROM event GROUP BY type ORDER BY type;

-- conflicts --
-- Deliveries kept because their key is taken by another body.
SELECT source, event_id, received_at FROM event_conflict ORDER BY conflict_id;

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
