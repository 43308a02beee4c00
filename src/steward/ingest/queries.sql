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
