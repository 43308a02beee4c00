-- open_effect --
-- An action on its way outside, as it was admitted.
INSERT INTO effect (action_id, kind, proposer, department, goal, stage, tool, verb, mode, args, args_digest,
                    policy_version, tool_version, risk, amount_minor, currency, quorum, role, reason, hold, deadline,
                    opened_at, state, due_at, checked_at, changed_at)
VALUES (%(action_id)s, %(kind)s, %(proposer)s, %(department)s, %(goal)s, %(stage)s, %(tool)s, %(verb)s, %(mode)s,
        %(args)s, %(args_digest)s, %(policy_version)s, %(tool_version)s, %(risk)s, %(amount_minor)s, %(currency)s,
        %(quorum)s, %(role)s, %(reason)s, %(hold)s, %(deadline)s, %(now)s, %(state)s, %(now)s, %(now)s, %(now)s);

-- add_steps --
-- Steps of actions, numbered after those there are.
INSERT INTO effect_step (action_id, n, state, at, by, fence, detail)
SELECT s.action_id, coalesce((SELECT max(e.n) FROM effect_step e WHERE e.action_id = s.action_id), 0) + s.k, s.state,
       s.at, s.by, s.fence, s.detail
FROM jsonb_to_recordset(%(rows)s::jsonb) AS s (
    action_id uuid, k integer, state text, at timestamptz, by text, fence bigint, detail text);

-- effect --
-- One effect, with the proposal it came of.
SELECT e.*, a.proposal FROM effect e LEFT JOIN action a USING (action_id) WHERE e.action_id = %(action_id)s;

-- effect_locked --
-- The same, locked to the end of the transaction.
SELECT * FROM effect WHERE action_id = %(action_id)s FOR UPDATE;

-- effects_locked --
-- Several, locked in order to the end of the transaction.
SELECT * FROM effect WHERE action_id = ANY (%(action_ids)s::uuid[]) ORDER BY action_id FOR UPDATE;

-- due --
-- What may be taken up now, oldest first, and nobody else is taking up. What is switched off is not sent; looking goes on.
SELECT e.* FROM effect e
WHERE e.state IN ('ready', 'executing', 'unknown', 'probing', 'compensating') AND e.needs_person = ''
  AND e.due_at <= %(now)s AND (e.lease_until IS NULL OR e.lease_until <= %(now)s)
  AND ((e.state NOT IN ('ready', 'compensating') AND e.mode <> 'native') OR NOT EXISTS (
      SELECT FROM kill_switch k WHERE k.is_on AND k.scope IN (
          'all', 'department:' || e.department, 'agent:' || e.proposer, 'tool:' || e.tool, 'kind:' || e.kind)))
ORDER BY e.due_at, e.action_id LIMIT %(limit)s FOR UPDATE OF e SKIP LOCKED;

-- move_effects --
-- New standings, each over the fence it was read with.
UPDATE effect e SET state = m.state, fence = m.fence, owner = m.owner, lease_until = m.lease_until, due_at = m.due_at,
    attempts = m.attempts, probes = m.probes, first_sent_at = m.first_sent_at, last_sent_at = m.last_sent_at,
    is_unanswered = m.is_unanswered, doubt_until = m.doubt_until, refused = m.refused, needs_person = m.needs_person,
    remote_ref = coalesce(m.remote_ref, e.remote_ref), result = coalesce(m.result, e.result),
    confirmed = coalesce(m.confirmed, e.confirmed), checked_at = coalesce(m.checked_at, e.checked_at),
    changed_at = %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS m (
    action_id uuid, old_fence bigint, state text, fence bigint, owner text, lease_until timestamptz, due_at timestamptz,
    attempts integer, probes integer, first_sent_at timestamptz, last_sent_at timestamptz, is_unanswered boolean,
    doubt_until timestamptz, refused text, needs_person text, remote_ref text, result jsonb, confirmed text, checked_at timestamptz)
WHERE e.action_id = m.action_id AND e.fence = m.old_fence;

-- add_attempts --
-- Attempts, before anything is sent; the number of each.
INSERT INTO effect_attempt (action_id, n, purpose, fence, started_at, request_digest)
SELECT a.action_id, coalesce((SELECT max(t.n) FROM effect_attempt t WHERE t.action_id = a.action_id), 0) + 1, a.purpose,
       a.fence, %(now)s, decode(a.request_digest, 'hex')
FROM jsonb_to_recordset(%(rows)s::jsonb) AS a (action_id uuid, purpose text, fence bigint, request_digest text)
RETURNING action_id, n;

-- add_answers --
-- What attempts were answered.
INSERT INTO effect_answer (action_id, n, ended_at, outcome, status, remote_ref, response_digest, detail)
SELECT a.action_id, a.n, %(now)s, a.outcome, a.status, a.remote_ref, decode(a.response_digest, 'hex'), a.detail
FROM jsonb_to_recordset(%(rows)s::jsonb) AS a (
    action_id uuid, n integer, outcome text, status integer, remote_ref text, response_digest text, detail text)
ON CONFLICT (action_id, n) DO NOTHING;

-- may_send --
-- The last look before the first byte: whether the action is still ours under this fence and nothing stops it.
SELECT e.state, e.lease_until FROM effect e
WHERE e.action_id = %(action_id)s AND e.fence = %(fence)s AND e.state IN ('executing', 'compensating') AND NOT EXISTS (
    SELECT FROM kill_switch k WHERE k.is_on AND k.scope IN (
        'all', 'department:' || e.department, 'agent:' || e.proposer, 'tool:' || e.tool, 'kind:' || e.kind));

-- steps --
-- The history of an action.
SELECT n, state, at, by, fence, detail FROM effect_step WHERE action_id = %(action_id)s ORDER BY n;

-- attempts --
-- What was tried for an action, with its answers.
SELECT a.n, a.purpose, a.fence, a.started_at, encode(a.request_digest, 'hex') AS request_digest, r.ended_at, r.outcome,
       r.status, r.remote_ref, r.detail
FROM effect_attempt a LEFT JOIN effect_answer r USING (action_id, n) WHERE a.action_id = %(action_id)s ORDER BY a.n;

-- effects --
-- Effects by state, or those that need a person, newest first.
SELECT * FROM effect
WHERE (%(state)s::text IS NULL OR state = %(state)s::text) AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
  AND (NOT %(needs_person)s OR needs_person <> '')
  AND (%(before)s::timestamptz IS NULL OR (changed_at, action_id) < (%(before)s::timestamptz, %(before_id)s::uuid))
ORDER BY changed_at DESC, action_id DESC LIMIT %(limit)s;

-- effects_of --
-- The effects of some actions.
SELECT action_id, state, needs_person, remote_ref, confirmed FROM effect WHERE action_id = ANY (%(action_ids)s::uuid[]);

-- effect_counts --
-- Effects by kind and state.
SELECT kind, state, count(*) AS actions, count(*) FILTER (WHERE needs_person <> '') AS need_person
FROM effect GROUP BY kind, state ORDER BY kind, state;

-- overdue_ready --
-- Ready actions whose time is over and that were surely not sent.
SELECT * FROM effect WHERE state = 'ready' AND deadline <= %(now)s AND NOT is_unanswered
ORDER BY deadline LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- awaiting_evidence --
-- Effects of a kind that evidence about these references settles.
SELECT * FROM effect
WHERE kind = ANY (%(kinds)s::text[]) AND state IN ('succeeded', 'unknown') AND lease_until IS NULL
  AND (remote_ref = ANY (%(refs)s::text[]) OR args ->> %(arg)s = ANY (%(refs)s::text[]))
ORDER BY action_id FOR UPDATE;

-- keep_evidence --
-- References of events that no action waited for yet.
INSERT INTO effect_evidence (type, ref, position)
SELECT k.type, k.ref, k.position FROM jsonb_to_recordset(%(rows)s::jsonb) AS k (type text, ref text, position bigint)
ON CONFLICT (type, ref) DO NOTHING;

-- evidence_before --
-- Which of some actions wait for evidence that came before they did.
SELECT e.*, v.type AS seen_type, v.position AS seen_at
FROM jsonb_to_recordset(%(rules)s::jsonb) AS r (kind text, type text, arg text)
JOIN effect e ON e.kind = r.kind AND e.state IN ('succeeded', 'unknown') AND e.lease_until IS NULL
CROSS JOIN LATERAL (
    SELECT s.type, s.position FROM effect_evidence s
    WHERE s.type = r.type AND s.ref IN (e.remote_ref, e.args ->> r.arg) ORDER BY s.position LIMIT 1) v
WHERE e.action_id = ANY (%(action_ids)s::uuid[])
ORDER BY e.action_id FOR UPDATE OF e;

-- draw --
-- Draw up to `wanted` tokens; how many there were. A bucket begins full and fills at `rate` millionths of a token a second,
-- and never for longer than an empty one takes: after a day without calls the product would pass what a bigint holds.
INSERT INTO rate_bucket AS b (name, level, granted, at)
VALUES (%(name)s, (%(burst)s::bigint - least(%(wanted)s::bigint, %(burst)s::bigint)) * 1000000,
        least(%(wanted)s::bigint, %(burst)s::bigint), %(now)s)
ON CONFLICT (name) DO UPDATE SET (level, granted, at) = (
    SELECT f.filled - 1000000 * least(%(wanted)s::bigint, f.filled / 1000000),
           least(%(wanted)s::bigint, f.filled / 1000000), greatest(b.at, excluded.at)
    FROM (SELECT least(%(burst)s::bigint * 1000000,
                       b.level + least(greatest(0, extract(epoch FROM excluded.at - b.at) * 1000000)::bigint,
                                       %(burst)s::bigint * 1000000000000 / greatest(%(rate)s::bigint, 1) + 1)
                                 * %(rate)s::bigint / 1000000) AS filled) f)
RETURNING granted, level;

-- breakers --
-- Circuit breakers of some tools that are open, or have let one call try.
SELECT tool, failures, open_until FROM breaker WHERE tool = ANY (%(tools)s::text[]) AND open_until IS NOT NULL;

-- try_breaker --
-- Let one call try where a breaker's time is over: whoever gets the row; the others wait again.
UPDATE breaker SET open_until = %(until)s, changed_at = %(now)s
WHERE tool = %(tool)s AND open_until <= %(now)s RETURNING tool;

-- note_failure --
-- Another failure in a row; from `most` on the breaker opens.
INSERT INTO breaker AS b (tool, failures, open_until, changed_at)
VALUES (%(tool)s, 1, CASE WHEN %(most)s <= 1 THEN %(until)s::timestamptz END, %(now)s)
ON CONFLICT (tool) DO UPDATE SET failures = b.failures + 1, changed_at = %(now)s,
    open_until = CASE WHEN b.failures + 1 >= %(most)s THEN %(until)s::timestamptz ELSE b.open_until END;

-- note_success --
-- The tool answers: its breaker closes.
UPDATE breaker SET failures = 0, open_until = NULL, changed_at = %(now)s
WHERE tool = %(tool)s AND (failures > 0 OR open_until IS NOT NULL);

-- token --
-- The token of a tool, sealed.
SELECT sealed, expires_at FROM tool_token WHERE tool = %(tool)s;

-- token_locked --
-- The same, locked to the end of the transaction.
SELECT sealed, expires_at FROM tool_token WHERE tool = %(tool)s FOR UPDATE;

-- drop_token --
-- What is left of a token that the provider turned away; whoever renews it goes on.
UPDATE tool_token SET sealed = %(sealed)s, expires_at = NULL, changed_at = %(now)s WHERE tool = %(tool)s;

-- claim_renewal --
-- Be the one who renews a tool's token, unless somebody is at it.
INSERT INTO tool_token AS t (tool, renewing_until, changed_at) VALUES (%(tool)s, %(until)s, %(now)s)
ON CONFLICT (tool) DO UPDATE SET renewing_until = excluded.renewing_until
WHERE t.renewing_until IS NULL OR t.renewing_until <= %(now)s RETURNING tool;

-- put_token --
-- A renewed token.
UPDATE tool_token SET sealed = %(sealed)s, expires_at = %(expires_at)s, renewing_until = NULL, changed_at = %(now)s
WHERE tool = %(tool)s;

-- end_renewal --
-- Nothing came of it: somebody else may try.
UPDATE tool_token SET renewing_until = NULL, changed_at = %(now)s WHERE tool = %(tool)s;

-- add_check --
-- What an owner's check of a tool's credentials came to.
INSERT INTO tool_check (tool, tool_version, address, passed, detail, checked_at)
VALUES (%(tool)s, %(tool_version)s, %(address)s, %(passed)s, %(detail)s, %(now)s);

-- passed_check --
-- Whether the newest check of a tool as it is described now, at this address, passed.
SELECT passed FROM tool_check
WHERE tool = %(tool)s AND tool_version = %(tool_version)s AND address = %(address)s ORDER BY check_id DESC LIMIT 1;

-- kills --
-- Kill switches that are on, or every one that ever was.
SELECT scope, is_on, changed_at, changed_by, reason FROM kill_switch WHERE is_on OR %(every)s ORDER BY changed_at, scope;

-- stopped_by --
-- The widest of some scopes that is stopped.
SELECT scope FROM kill_switch WHERE is_on AND scope = ANY (%(scopes)s::text[])
ORDER BY array_position(%(scopes)s::text[], scope) LIMIT 1;

-- turn_kill --
-- Turn a switch: `changed`, nothing where it stands so already, or why it may not be.
SELECT kill_turn(%(scope)s, %(on)s, %(by)s, %(reason)s, %(key_id)s, %(secret)s, %(now)s) AS said;

-- in_hand --
-- How many actions somebody is sending now.
SELECT count(*) AS n FROM effect WHERE state IN ('executing', 'compensating') AND lease_until IS NOT NULL;

-- caps --
-- Caps of some scopes in a currency.
SELECT scope, day_minor FROM cap WHERE scope = ANY (%(scopes)s::text[]) AND currency = %(currency)s ORDER BY scope;

-- all_caps --
-- Every cap.
SELECT scope, currency, day_minor, changed_at, changed_by, reason FROM cap ORDER BY scope, currency;

-- set_cap --
-- What a day may take.
INSERT INTO cap (scope, currency, day_minor, changed_at, changed_by, reason)
VALUES (%(scope)s, %(currency)s, %(day_minor)s, %(now)s, %(by)s, %(reason)s)
ON CONFLICT (scope, currency) DO UPDATE SET day_minor = excluded.day_minor, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by, reason = excluded.reason;

-- decide --
-- What a person decided, shown by her key's secret. Empty, or why it was not written.
SELECT gate_decide(%(action_id)s, %(args_digest)s, %(policy_version)s, %(tool_version)s, %(decision)s, %(key_id)s,
                   %(secret)s, %(channel)s, %(reason)s, %(now)s) AS why;

-- agreed --
-- How many different people agreed to an action as it stands.
SELECT count(DISTINCT a.person) AS n FROM approval a JOIN effect e USING (action_id)
WHERE a.action_id = %(action_id)s AND a.decision = 'approve' AND a.args_digest = e.args_digest
  AND a.policy_version = e.policy_version AND a.tool_version = e.tool_version AND a.person <> e.proposer;

-- approvals_of --
-- What people said about an action.
SELECT decision, person, role, channel, reason, decided_at FROM approval
WHERE action_id = %(action_id)s ORDER BY approval_id;

-- untold --
-- What waits for people in live kinds and was not told on each channel; of what was escalated, only that.
WITH found AS (
    SELECT e.*, 'person' AS what, format('person:%%s:%%s', e.action_id, e.fence) AS message_id
    FROM effect e WHERE e.needs_person <> '' AND e.stage = 'live'
    UNION ALL
    SELECT e.*, CASE WHEN e.escalated_to IS NULL THEN 'asked' ELSE 'escalated' END,
           concat_ws(':', 'approval', e.action_id, e.escalated_to)
    FROM effect e WHERE e.state = 'awaiting_approval' AND e.stage = 'live'
)
SELECT f.*, c.channel, coalesce(a.proposal->>'why', '') AS why
FROM found f JOIN action a USING (action_id) CROSS JOIN unnest(%(channels)s::text[]) AS c (channel)
WHERE NOT EXISTS (SELECT FROM alert t WHERE t.channel = c.channel AND t.message_id = f.message_id)
ORDER BY f.opened_at, f.action_id, c.channel LIMIT %(limit)s;

-- waiting --
-- What waits for people, the most urgent first.
SELECT e.*, a.proposal, a.result FROM effect e JOIN action a USING (action_id)
WHERE e.state = 'awaiting_approval' AND (%(role)s::text IS NULL OR e.role = %(role)s::text)
ORDER BY e.deadline NULLS LAST, e.action_id LIMIT %(limit)s OFFSET %(offset)s;

-- like_it --
-- What waits and is like an action: same kind, tool, verb, role and currency, and no larger.
SELECT e.action_id FROM effect e JOIN effect one ON one.action_id = %(action_id)s
WHERE e.state = 'awaiting_approval' AND (e.kind, e.tool, e.verb, e.role, e.risk) = (one.kind, one.tool, one.verb, one.role, one.risk)
  AND e.currency IS NOT DISTINCT FROM one.currency AND coalesce(e.amount_minor, 0) <= coalesce(one.amount_minor, 0)
ORDER BY e.deadline NULLS LAST, e.action_id LIMIT %(limit)s;

-- look --
-- A person's first look at an action.
INSERT INTO approval_look (action_id, person, at) VALUES (%(action_id)s, %(person)s, %(now)s)
ON CONFLICT (action_id, person) DO NOTHING;

-- looked_at --
-- When a person first looked at an action.
SELECT at FROM approval_look WHERE action_id = %(action_id)s AND person = %(person)s;

-- decided_since --
-- How often a person approved something since an instant.
SELECT count(*) AS n FROM approval WHERE person = %(person)s AND decision = 'approve' AND decided_at >= %(since)s;

-- overdue_approvals --
-- Actions nobody approved in time.
SELECT * FROM effect WHERE state = 'awaiting_approval' AND deadline <= %(now)s
ORDER BY deadline LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- escalate --
-- Actions of a level that waited too long for one role: the next is told, once.
UPDATE effect SET escalated_to = %(role)s
WHERE state = 'awaiting_approval' AND risk = %(risk)s AND role = %(from)s AND opened_at <= %(before)s
  AND escalated_to IS NULL
RETURNING action_id, fence;

-- approver_turn --
-- One decision of a person at a time, until the transaction ends: an hour's approvals are counted before one is written.
SELECT pg_advisory_xact_lock(hashtext('steward.approver'), hashtext(%(person)s));

-- agreed_waiting --
-- Actions that enough people agreed to and that nobody moved.
SELECT e.action_id FROM effect e
WHERE e.state = 'awaiting_approval' AND e.quorum <= (
    SELECT count(DISTINCT a.person) FROM approval a
    WHERE a.action_id = e.action_id AND a.decision = 'approve' AND a.args_digest = e.args_digest
      AND a.policy_version = e.policy_version AND a.tool_version = e.tool_version AND a.person <> e.proposer)
ORDER BY e.deadline NULLS LAST, e.action_id LIMIT %(limit)s;
