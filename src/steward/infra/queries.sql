-- make_key --
-- A new API key: its digest, never the key. Empty, or why it is not made.
SELECT key_make(%(key_id)s, %(name)s, %(digest)s, %(scopes)s, %(role)s, %(expires_at)s, %(by_key)s, %(by_secret)s,
                %(at)s) AS why;

-- rotate_key --
-- A new key for who shows the old one. Empty, or why not.
SELECT key_rotate(%(old)s, %(secret)s, %(key_id)s, %(digest)s, %(until)s, %(at)s) AS why;

-- use_key --
-- A use of a key that decided or changed something.
INSERT INTO key_use (key_id, name, role, what, channel, at)
VALUES (%(key_id)s, %(name)s, %(role)s, %(what)s, %(channel)s, %(at)s);

-- key_uses --
-- What a key did, newest first.
SELECT key_id, name, role, what, channel, at FROM key_use
WHERE %(key_id)s::text IS NULL OR key_id = %(key_id)s::text ORDER BY use_id DESC LIMIT %(limit)s;

-- get_key --
-- A key that is not revoked and not over.
SELECT key_id, name, digest, scopes, role FROM api_key
WHERE key_id = %(key_id)s AND (revoked_at IS NULL OR revoked_at > %(at)s) AND (expires_at IS NULL OR expires_at > %(at)s);

-- list_keys --
-- Every key ever made, without its digest.
SELECT key_id, name, role, scopes, created_at, expires_at, revoked_at, successor FROM api_key
ORDER BY created_at, key_id;

-- revoke_key --
-- From now on the key opens nothing.
UPDATE api_key SET revoked_at = %(at)s WHERE key_id = %(key_id)s AND (revoked_at IS NULL OR revoked_at > %(at)s) RETURNING key_id;

-- start_request --
-- A request with an Idempotency-Key, if its key is free or its first run died more than a minute ago.
INSERT INTO idempotency AS i (key_id, idempotency_key, request_digest, started_at)
VALUES (%(key_id)s, %(idempotency_key)s, %(request_digest)s, %(now)s)
ON CONFLICT (key_id, idempotency_key) DO UPDATE SET started_at = excluded.started_at
WHERE i.status IS NULL AND i.request_digest = excluded.request_digest
  AND i.started_at < excluded.started_at - interval '1 minute'
RETURNING key_id;

-- get_request --
-- The first request that used this key.
SELECT request_digest, status, answer FROM idempotency
WHERE key_id = %(key_id)s AND idempotency_key = %(idempotency_key)s;

-- finish_request --
-- What the request was answered, for whoever sends it again.
UPDATE idempotency SET status = %(status)s, answer = %(answer)s
WHERE key_id = %(key_id)s AND idempotency_key = %(idempotency_key)s;

-- drop_request --
-- The request came to nothing that should be repeated: its key is free again.
DELETE FROM idempotency WHERE key_id = %(key_id)s AND idempotency_key = %(idempotency_key)s AND status IS NULL;

-- forget_requests --
-- Keys older than their lifetime.
DELETE FROM idempotency WHERE started_at < %(before)s;

-- beat --
-- This worker is there for some seconds more.
INSERT INTO worker_lease (executor_id, until) VALUES (%(executor_id)s, now() + %(seconds)s * interval '1 second')
ON CONFLICT (executor_id) DO UPDATE SET until = excluded.until;

-- one_takes_over --
-- Whether this transaction is the one that may hand runs of the dead to others.
SELECT pg_try_advisory_xact_lock(hashtext('steward worker_lease')) AS got;

-- dead_workers --
-- Workers that said nothing for as long as their lease was.
SELECT executor_id FROM worker_lease WHERE until <= now();

-- live_workers --
-- Workers whose lease is not over.
SELECT executor_id FROM worker_lease WHERE until > now();

-- forget_workers --
-- What these had taken up is with others now.
DELETE FROM worker_lease WHERE executor_id = ANY(%(executor_ids)s) AND until <= now();

-- end_lease --
-- This worker is about to end.
UPDATE worker_lease SET until = now() WHERE executor_id = %(executor_id)s;

-- first_mark --
-- A schedule seen for the first time begins now: nothing before was missed.
INSERT INTO schedule_mark (name, through) VALUES (%(name)s, %(at)s) ON CONFLICT DO NOTHING;

-- marks --
-- How far each schedule is.
SELECT name, through FROM schedule_mark;

-- advance_mark --
-- Every tick until then was handed to the engine; a mark never goes back.
UPDATE schedule_mark SET through = %(through)s WHERE name = %(name)s AND through < %(through)s;
