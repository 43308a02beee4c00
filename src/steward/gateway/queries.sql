-- insert_actions --
-- Actions and their outcomes, each key once.
INSERT INTO action (action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk,
                    amount_minor, result)
SELECT a.action_id, a.idempotency_key, a.kind, a.proposed_at, a.proposer, a.snapshot_id, a.proposal, a.outcome, a.risk,
       a.amount_minor, a.result
FROM jsonb_to_recordset(%(rows)s::jsonb) AS a (
    action_id uuid, idempotency_key text, kind text, proposed_at timestamptz, proposer text, snapshot_id uuid,
    proposal jsonb, outcome text, risk text, amount_minor bigint, result jsonb);

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
-- Actions of some kinds that a span of time let through or holds, whenever in it they were asked for.
SELECT proposal->'params' AS params, amount_minor FROM action
WHERE kind = ANY (%(kinds)s::text[]) AND outcome <> 'refused' AND proposed_at >= %(since)s AND proposed_at < %(until)s
  AND amount_minor IS NOT NULL AND action_id IS DISTINCT FROM %(but)s::uuid
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
-- One at a time by a name (a kind, or a fact that kinds share), until the transaction ends: two refunds cannot both
-- pass under one cap.
SELECT pg_advisory_xact_lock(hashtext('steward.gateway'), hashtext(%(name)s));

-- by_keys --
-- The actions that keys name already.
SELECT action_id, idempotency_key, kind, proposed_at, proposer, snapshot_id, proposal, outcome, risk, amount_minor,
       result
FROM action WHERE idempotency_key = ANY (%(keys)s::text[]);

-- gate --
-- Which of some proposers are shut out, the catalog in force, and what kill switches stop.
SELECT (SELECT jsonb_object_agg(q.proposer, q.reason) FROM quarantine q
        WHERE q.proposer = ANY (%(proposers)s::text[]) AND q.lifted_at IS NULL) AS quarantined,
       (SELECT encode(v.digest, 'hex') FROM catalog_version v ORDER BY v.number DESC LIMIT 1) AS catalog,
       (SELECT array_agg(k.scope ORDER BY k.scope) FROM kill_switch k WHERE k.is_on) AS stopped;

-- days --
-- What kinds took on a day.
SELECT kind, currency, used_minor FROM gate_day
WHERE day = %(day)s
  AND (kind, currency) IN (SELECT u.kind, u.currency FROM unnest(%(kinds)s::text[], %(currencies)s::text[])
                           AS u (kind, currency));

-- days_locked --
-- The same, locked in order until the transaction ends.
SELECT kind, currency, used_minor FROM gate_day
WHERE day = %(day)s
  AND (kind, currency) IN (SELECT u.kind, u.currency FROM unnest(%(kinds)s::text[], %(currencies)s::text[])
                           AS u (kind, currency))
ORDER BY kind, currency FOR NO KEY UPDATE;

-- open_days --
-- Rows of days that took nothing yet.
INSERT INTO gate_day (kind, currency, day, cap_minor)
SELECT u.kind, u.currency, %(day)s, 0 FROM unnest(%(kinds)s::text[], %(currencies)s::text[]) AS u (kind, currency)
ORDER BY u.kind, u.currency
ON CONFLICT (kind, currency, day) DO NOTHING;

-- count_day --
-- What a day took grows, under the cap as the catalog has it now.
UPDATE gate_day SET used_minor = used_minor + %(amount)s, cap_minor = %(cap)s
WHERE kind = %(kind)s AND currency = %(currency)s AND day = %(day)s;

-- let_through --
-- Parameters of actions of some kinds that were let through, or are held and not expired, since an instant; not of those
-- on their way outside that came to nothing, nor (if asked so) that the world has been seen to confirm; nor of one action.
-- One that is dated a moment later counts as well: whoever is dated first may come to his turn second.
SELECT a.proposal->'params' AS params FROM action a LEFT JOIN effect e USING (action_id)
WHERE a.kind = ANY (%(kinds)s::text[]) AND a.outcome <> 'refused' AND a.proposed_at < %(at)s::timestamptz + interval '1 day'
  AND (%(since)s::timestamptz IS NULL OR a.proposed_at >= %(since)s::timestamptz)
  AND (a.outcome <> 'held' OR coalesce(e.state, '') <> 'awaiting_approval' OR (a.result->>'expires_at')::timestamptz > %(at)s::timestamptz)
  AND (a.outcome <> 'held' OR e.state IS NOT NULL OR (a.result->>'expires_at')::timestamptz > %(at)s::timestamptz)
  AND coalesce(e.state, '') NOT IN ('failed', 'compensated', 'cancelled', 'expired', 'rejected')
  AND NOT (%(is_confirmed_gone)s AND coalesce(e.state, '') = 'settled')
  AND a.action_id IS DISTINCT FROM %(but)s::uuid
ORDER BY a.proposed_at, a.action_id;

-- note --
-- Count rules that proposers ran into; a row that is new is one to tell.
INSERT INTO violation (invariant, proposer, window_start, times, first_action, reason)
SELECT v.invariant, v.proposer, %(window)s, v.times, v.first_action, v.reason
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (
    invariant text, proposer text, times bigint, first_action uuid, reason text)
ORDER BY v.proposer, v.invariant
ON CONFLICT (proposer, window_start, invariant) DO UPDATE SET times = violation.times + excluded.times
RETURNING invariant, proposer, times = (SELECT v.times FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS v (invariant text, proposer text, times bigint) WHERE v.invariant = violation.invariant
    AND v.proposer = violation.proposer) AS is_new;

-- repeats --
-- How often each of some proposers ran into rules since an instant.
SELECT proposer, sum(times)::bigint AS times FROM violation
WHERE proposer = ANY (%(proposers)s::text[]) AND window_start >= %(since)s GROUP BY proposer;

-- shut_out --
-- A proposer may propose nothing from now on; nothing where that is so already.
INSERT INTO quarantine (proposer, since, reason) VALUES (%(proposer)s, %(since)s, %(reason)s)
ON CONFLICT (proposer) WHERE lifted_at IS NULL DO NOTHING RETURNING quarantine_id;

-- shut_reason --
-- Why a proposer is shut out, where it is.
SELECT reason FROM quarantine WHERE proposer = %(proposer)s AND lifted_at IS NULL;

-- quarantines --
-- Who is shut out, and who was, newest first.
SELECT quarantine_id, proposer, since, reason, lifted_at, lifted_by, lifted_why FROM quarantine
WHERE %(every)s OR lifted_at IS NULL ORDER BY quarantine_id DESC;

-- lift --
-- Let a proposer back.
UPDATE quarantine SET lifted_at = %(at)s, lifted_by = %(by)s, lifted_why = %(why)s
WHERE quarantine_id = %(quarantine_id)s AND lifted_at IS NULL RETURNING proposer;

-- violations --
-- Rules that proposers ran into, newest window first.
SELECT invariant, proposer, window_start, times, first_action, reason FROM violation
ORDER BY window_start DESC, times DESC LIMIT %(limit)s;

-- put_alert --
-- Something to tell on a channel, once.
INSERT INTO alert (channel, message_id, body, created_at, next_at)
VALUES (%(channel)s, %(message_id)s, %(body)s, %(at)s, %(at)s) ON CONFLICT ON CONSTRAINT alert_once DO NOTHING;

-- claim_alert --
-- The alert that waits longest, taken by pushing its next attempt into the future; nobody else takes it meanwhile.
UPDATE alert SET attempts = attempts + 1,
    next_at = %(now)s + least(interval '6 hours', interval '30 seconds' * power(4, attempts))
WHERE alert_id = (SELECT a.alert_id FROM alert a
                  WHERE a.state = 'waiting' AND a.next_at <= %(now)s AND a.channel = ANY (%(channels)s::text[])
                  ORDER BY a.next_at, a.alert_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING alert_id, channel, message_id, body, created_at, attempts;

-- attempted --
-- What an attempt was answered.
INSERT INTO alert_attempt (alert_id, attempt, at, answer) VALUES (%(alert_id)s, %(attempt)s, %(at)s, %(answer)s);

-- settle_alert --
-- An alert that was delivered, or given up.
UPDATE alert SET state = %(state)s WHERE alert_id = %(alert_id)s;

-- alerts --
-- Alerts, newest first, with the last answer.
SELECT a.alert_id, a.channel, a.message_id, a.body, a.created_at, a.state, a.attempts,
       (SELECT t.answer FROM alert_attempt t WHERE t.alert_id = a.alert_id ORDER BY t.attempt DESC LIMIT 1) AS answer
FROM alert a ORDER BY a.alert_id DESC LIMIT %(limit)s;

-- catalog_in_force --
-- The newest version of the catalog.
SELECT number, digest, previous, rules_digest, theorem_digest, reason, approved_by, key_id, signature, recorded_at
FROM catalog_version ORDER BY number DESC LIMIT 1;

-- catalog_versions --
-- Every version, newest first.
SELECT number, digest, previous, rules_digest, theorem_digest, reason, approved_by, key_id, signature, recorded_at
FROM catalog_version ORDER BY number DESC;

-- catalog_document --
-- What a version says, as canonical JSON.
SELECT document FROM catalog_version WHERE number = %(number)s;

-- add_catalog_version --
-- A version; nothing where its number is taken.
INSERT INTO catalog_version (number, digest, previous, rules_digest, theorem_digest, document, reason, approved_by,
                             key_id, signature, recorded_at)
VALUES (%(number)s, decode(%(digest)s, 'hex'), decode(%(previous)s, 'hex'), decode(%(rules_digest)s, 'hex'),
        decode(%(theorem_digest)s, 'hex'), %(document)s, %(reason)s, %(approved_by)s, %(key_id)s, %(signature)s, %(at)s)
ON CONFLICT (number) DO NOTHING RETURNING number;

-- add_catalog_approval --
-- A signature of a person on a version that is to follow another.
INSERT INTO catalog_approval (digest, previous, approved_by, key_id, signature, recorded_at)
VALUES (decode(%(digest)s, 'hex'), decode(%(previous)s, 'hex'), %(approved_by)s, %(key_id)s, %(signature)s, %(at)s)
ON CONFLICT (digest, previous, key_id) DO NOTHING;

-- catalog_approvals --
-- Who signed that a version may follow another.
SELECT approved_by, key_id, signature, recorded_at FROM catalog_approval
WHERE digest = decode(%(digest)s, 'hex') AND previous = decode(%(previous)s, 'hex') ORDER BY recorded_at, key_id;

-- under_way --
-- Actions whose effect is not over (their hold may be open) or that wait for a person.
SELECT action_id, kind, outcome, result FROM action
WHERE (outcome = 'executed' OR outcome = 'held') AND (result->>'expires_at')::timestamptz > %(now)s
ORDER BY proposed_at, action_id;

-- action_page --
-- Actions with the states they are in, newest first, from beyond one of them on.
SELECT a.action_id, a.idempotency_key, a.kind, a.proposed_at, a.proposer, a.snapshot_id, a.proposal, a.outcome, a.risk,
       a.amount_minor, a.result, coalesce(e.state, a.outcome) AS state
FROM action a LEFT JOIN effect e USING (action_id)
WHERE (%(kind)s::text IS NULL OR a.kind = %(kind)s::text)
  AND (%(outcomes)s::text[] IS NULL OR a.outcome = ANY (%(outcomes)s::text[]))
  AND (%(state)s::text IS NULL OR coalesce(e.state, a.outcome) = %(state)s::text)
  AND (%(after)s::uuid IS NULL OR (a.proposed_at, a.action_id) <
       (SELECT b.proposed_at, b.action_id FROM action b WHERE b.action_id = %(after)s::uuid))
ORDER BY a.proposed_at DESC, a.action_id DESC LIMIT %(limit)s;

-- action_state --
-- The state one action is in.
SELECT coalesce(e.state, a.outcome) AS state
FROM action a LEFT JOIN effect e USING (action_id) WHERE a.action_id = %(action_id)s;

-- accepted_pins --
-- What was accepted last of each tool of a server.
SELECT DISTINCT ON (tool) tool, encode(digest, 'hex') AS digest FROM mcp_pin
WHERE server = %(server)s ORDER BY tool, pin_id DESC;

-- accept_pin --
-- A person accepts a tool as it is offered now.
INSERT INTO mcp_pin (server, tool, digest, description, accepted_by, reason, accepted_at)
VALUES (%(server)s, %(tool)s, decode(%(digest)s, 'hex'), %(description)s, %(by)s, %(reason)s, %(at)s);
