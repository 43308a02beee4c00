-- insert_action --
-- One action and its outcome, once a key.
INSERT INTO action (action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk,
                    amount_minor, result)
VALUES (%(action_id)s, %(idempotency_key)s, %(kind)s, %(proposed_at)s, %(proposer)s, %(snapshot_id)s, %(proposal)s,
        %(outcome)s, %(risk)s, %(amount_minor)s, %(result)s);

-- by_key --
-- The action a key names, if there is one.
SELECT action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk, amount_minor,
       result
FROM action WHERE idempotency_key = %(key)s;

-- by_id --
-- One action.
SELECT action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk, amount_minor,
       result
FROM action WHERE action_id = %(action_id)s;

-- in_flight --
-- Actions of a kind that a span of time let through or holds, whenever in it they were asked for.
SELECT proposal->'params' AS params, amount_minor FROM action
WHERE kind = %(kind)s AND outcome <> 'refused' AND proposed_at >= %(since)s AND proposed_at < %(until)s
  AND amount_minor IS NOT NULL
ORDER BY proposed_at, action_id;

-- listed --
-- Actions, newest first, by kind and outcome.
SELECT action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk, amount_minor,
       result
FROM action
WHERE (%(kind)s::text IS NULL OR kind = %(kind)s::text)
  AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s::text)
ORDER BY proposed_at DESC, action_id DESC LIMIT %(limit)s OFFSET %(offset)s;

-- counts --
-- Actions by kind and outcome.
SELECT kind, outcome, count(*) AS actions, coalesce(sum(amount_minor), 0)::bigint AS amount_minor
FROM action GROUP BY kind, outcome ORDER BY kind, outcome;

-- refusal_codes --
-- Why actions were refused.
SELECT kind, result->>'code' AS code, count(*) AS actions FROM action
WHERE outcome = 'refused' GROUP BY kind, code ORDER BY actions DESC, code;

-- take_turn --
-- One action of a kind at a time, until the transaction ends: two refunds cannot both pass under one cap.
SELECT pg_advisory_xact_lock(hashtext('steward.gateway'), hashtext(%(kind)s));
