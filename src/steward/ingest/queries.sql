-- insert_file --
-- A file that was read whole; the same bytes again are the same file.
INSERT INTO source_file (sha256, name, lines, summary, read_at)
VALUES (%(sha256)s, %(name)s, %(lines)s, %(summary)s, %(read_at)s)
ON CONFLICT (sha256) DO NOTHING;

-- insert_listed --
-- Lines set aside by a rule; a line that another file already listed is the same line.
INSERT INTO listed_line (document, line, rule, value_minor, currency, raw, sha256, file_line)
SELECT l.document, l.line, l.rule, l.value_minor, l.currency, l.raw, %(sha256)s, l.file_line
FROM jsonb_to_recordset(%(rows)s::jsonb) AS l (document text, line integer, rule text, value_minor bigint,
                                               currency text, raw jsonb, file_line bigint)
ON CONFLICT (document, line) DO NOTHING;

-- listed_by_rule --
-- How many documents and lines each rule set aside, and their value.
SELECT rule, count(DISTINCT document) AS documents, count(*) AS lines, sum(value_minor)::bigint AS value_minor,
       min(currency) AS currency
FROM listed_line GROUP BY rule ORDER BY rule;

-- listed_lines --
-- The listed lines of one rule, as they stood in the file.
SELECT document, line, value_minor, currency, raw, file_line FROM listed_line
WHERE rule = %(rule)s ORDER BY document, line LIMIT %(limit)s;

-- people_by_alias --
-- Who is known by these keyed digests.
SELECT a.alias, p.person_id, p.salt FROM person_alias a JOIN person p USING (person_id)
WHERE a.alias = ANY (%(aliases)s::bytea[]);

-- people_by_event --
-- Who these events were about, and the digest that stands in the log.
SELECT f.event_key, f.digest, p.person_id, p.salt FROM person_field f JOIN person p USING (person_id)
WHERE f.event_key = ANY (%(keys)s::uuid[]);

-- lock_people --
-- One at a time makes new people.
SELECT pg_advisory_xact_lock(724655);

-- insert_person --
-- A person with a salt of their own.
INSERT INTO person (person_id, salt, created_at) VALUES (%(person_id)s, %(salt)s, %(created_at)s);

-- insert_aliases --
-- By what the person is recognised from now on; what already names somebody stays theirs.
INSERT INTO person_alias (alias, person_id)
SELECT a, %(person_id)s FROM unnest(%(aliases)s::bytea[]) a ON CONFLICT (alias) DO NOTHING;

-- insert_fields --
-- What one event said about a person.
INSERT INTO person_field (event_key, person_id, fields, digest)
VALUES (%(key)s, %(person_id)s, %(fields)s, %(digest)s) ON CONFLICT (event_key) DO NOTHING;

-- fields_of --
-- Everything kept about a person.
SELECT event_key, fields FROM person_field WHERE person_id = %(person_id)s ORDER BY event_key;

-- get_person --
-- One person.
SELECT person_id, created_at, erased_at FROM person WHERE person_id = %(person_id)s;

-- erase_person --
-- Forget a person: salt, names, fields, and the raw deliveries they came in. The log keeps an id that leads nowhere.
WITH keys AS (
    SELECT array_agg(event_key) AS of FROM person_field WHERE person_id = %(person_id)s
), fields AS (
    UPDATE person_field SET fields = NULL WHERE person_id = %(person_id)s AND fields IS NOT NULL RETURNING 1
), names AS (
    DELETE FROM person_alias WHERE person_id = %(person_id)s RETURNING 1
), raw AS (
    UPDATE delivery SET body = NULL, headers = '{}', state = 'erased', reason = 'a person in it was erased'
    WHERE state <> 'erased' AND event_keys && (SELECT of FROM keys) RETURNING 1
), gone AS (
    UPDATE person SET salt = NULL, erased_at = %(at)s WHERE person_id = %(person_id)s AND erased_at IS NULL RETURNING 1
)
SELECT (SELECT count(*) FROM gone) AS people, (SELECT count(*) FROM fields) AS events,
       (SELECT count(*) FROM names) AS names, (SELECT count(*) FROM raw) AS deliveries;

-- insert_delivery --
-- A delivery as it came; the same one again changes nothing.
INSERT INTO delivery (provider, delivery_key, origin, headers, body, body_sha256, received_at, state, reason)
VALUES (%(provider)s, %(delivery_key)s, %(origin)s, %(headers)s, %(body)s, %(body_sha256)s, %(received_at)s, %(state)s,
        %(reason)s)
ON CONFLICT (provider, delivery_key, body_sha256) WHERE state <> 'refused' DO NOTHING
RETURNING delivery_id;

-- open_deliveries --
-- What is stored and not yet understood, oldest first, fewest attempts first.
SELECT delivery_id, provider, delivery_key, headers, body, attempts FROM delivery
WHERE state IN ('received', 'failed') AND attempts < %(most_attempts)s
ORDER BY attempts, delivery_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- settle_delivery --
-- What became of a delivery.
UPDATE delivery SET state = %(state)s, reason = %(reason)s, event_keys = %(event_keys)s::uuid[], attempts = %(attempts)s
WHERE delivery_id = %(delivery_id)s;

-- list_deliveries --
-- Deliveries without their bodies, newest first.
SELECT delivery_id, provider, delivery_key, origin, received_at, state, reason, attempts,
       cardinality(event_keys) AS events
FROM delivery
WHERE (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(provider)s::text IS NULL OR provider = %(provider)s::text)
ORDER BY delivery_id DESC LIMIT %(limit)s;

-- count_deliveries --
-- How many deliveries of each provider are in each state.
SELECT provider, state, count(*) AS deliveries FROM delivery GROUP BY provider, state ORDER BY provider, state;

-- retry_deliveries --
-- Failed deliveries are tried again from the start.
UPDATE delivery SET attempts = 0
WHERE state = 'failed' AND (%(provider)s::text IS NULL OR provider = %(provider)s::text);

-- forget_refused --
-- Only so many refused deliveries are kept.
DELETE FROM delivery WHERE state = 'refused' AND delivery_id <= (
    SELECT delivery_id FROM delivery WHERE state = 'refused' ORDER BY delivery_id DESC OFFSET %(keep)s LIMIT 1);
