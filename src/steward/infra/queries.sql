-- insert_key --
-- A new API key: its digest, never the key.
INSERT INTO api_key (key_id, name, digest, scopes, created_at)
VALUES (%(key_id)s, %(name)s, %(digest)s, %(scopes)s, %(created_at)s);

-- get_key --
-- A key that is not revoked.
SELECT key_id, name, digest, scopes FROM api_key WHERE key_id = %(key_id)s AND revoked_at IS NULL;

-- list_keys --
-- Every key ever made, without its digest.
SELECT key_id, name, scopes, created_at, revoked_at FROM api_key ORDER BY created_at, key_id;

-- revoke_key --
-- From now on the key opens nothing.
UPDATE api_key SET revoked_at = %(at)s WHERE key_id = %(key_id)s AND revoked_at IS NULL RETURNING key_id;

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
