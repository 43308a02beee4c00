-- insert_bundle --
-- The evidence of one action, byte for byte, with its verdict.
INSERT INTO proof_bundle (action_id, verdict, answer, bundle, bundle_digest)
VALUES (%(action_id)s, %(verdict)s, %(answer)s, %(bundle)s, %(bundle_digest)s);

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
