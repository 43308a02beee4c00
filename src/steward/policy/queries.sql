-- insert_decisions --
-- Decisions, whole: written once.
INSERT INTO decision (decision_id, action_id, policy_version, chosen, propensity, record, digest)
SELECT d.decision_id, d.action_id, d.policy_version, d.chosen, d.propensity, d.record, decode(d.digest, 'hex')
FROM jsonb_to_recordset(%(rows)s::jsonb) AS d (
    decision_id uuid, action_id uuid, policy_version text, chosen text, propensity text, record jsonb, digest text);

-- of_action --
-- The decision of one action.
SELECT decision_id, action_id, policy_version, chosen, propensity, record, digest FROM decision
WHERE action_id = %(action_id)s;

-- all_decisions --
-- Every decision, in id order (which is time order).
SELECT decision_id, action_id, policy_version, chosen, propensity, record, digest FROM decision
ORDER BY decision_id;

-- count --
-- How many decisions there are.
SELECT count(*) AS decisions FROM decision;
