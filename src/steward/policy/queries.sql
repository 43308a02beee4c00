-- insert_decision --
-- One decision, whole: written once.
INSERT INTO decision (decision_id, action_id, policy_version, chosen, propensity, record, digest)
VALUES (%(decision_id)s, %(action_id)s, %(policy_version)s, %(chosen)s, %(propensity)s, %(record)s, %(digest)s);

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
