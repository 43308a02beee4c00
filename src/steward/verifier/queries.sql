-- insert_bundles --
-- The evidence of actions, byte for byte, with their verdicts.
INSERT INTO proof_bundle (action_id, verdict, answer, bundle, bundle_digest)
SELECT b.action_id, b.verdict, b.answer, b.bundle, decode(b.bundle_digest, 'hex')
FROM jsonb_to_recordset(%(rows)s::jsonb) AS b (
    action_id uuid, verdict text, answer jsonb, bundle text, bundle_digest text);

-- of_action --
-- The evidence of one action.
SELECT action_id, verdict, answer, bundle, bundle_digest FROM proof_bundle WHERE action_id = %(action_id)s;

-- after --
-- Evidence in id order (which is time order), a page at a time.
SELECT action_id, verdict, answer, bundle, bundle_digest FROM proof_bundle
WHERE action_id > %(after)s ORDER BY action_id LIMIT %(limit)s;

-- verdicts --
-- How many actions had each verdict.
SELECT verdict, count(*) AS actions FROM proof_bundle GROUP BY verdict ORDER BY verdict;

-- of_actions --
-- The evidence of some actions.
SELECT action_id, bundle FROM proof_bundle WHERE action_id = ANY(%(action_ids)s);
