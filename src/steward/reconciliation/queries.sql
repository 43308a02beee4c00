-- recon_turn --
-- Wait until nobody else changes what is matched; held to the end of the caller's transaction.
SELECT pg_advisory_xact_lock(hashtext('steward.reconciliation'));

-- known_file --
-- A file that was taken before, by its content.
SELECT * FROM settlement_file WHERE digest = %(digest)s AND refused = '' LIMIT 1;

-- add_file --
-- A file that came in, taken or refused; the same refusal of the same content stands once.
INSERT INTO settlement_file (file_id, provider, format, name, digest, bytes, received_at, received_by, control_total_ok,
                             controls, rejected, is_verified, refused, refused_line)
VALUES (%(file_id)s, %(provider)s, %(format)s, %(name)s, %(digest)s, %(bytes)s, %(now)s, %(by)s, %(control_total_ok)s,
        %(controls)s, %(rejected)s, %(is_verified)s, %(refused)s, %(refused_line)s)
ON CONFLICT (digest, refused) DO NOTHING;

-- current --
-- The statements that are in force among these, by provider and name.
SELECT s.* FROM settlement s
WHERE s.provider = %(provider)s AND s.statement = ANY (%(statements)s::text[]) AND s.superseded_by IS NULL FOR UPDATE;

-- add_settlement --
-- A statement of a file.
INSERT INTO settlement (settlement_id, file_id, provider, statement, account, currency, is_bank, opening_minor,
                        closing_minor, net_minor, lines, lines_digest, payout_id, starts, ends, received_at)
VALUES (%(settlement_id)s, %(file_id)s, %(provider)s, %(statement)s, %(account)s, %(currency)s, %(is_bank)s,
        %(opening_minor)s, %(closing_minor)s, %(net_minor)s, %(lines)s, %(lines_digest)s, %(payout_id)s, %(starts)s,
        %(ends)s, %(now)s);

-- supersede --
-- A statement that a corrected one takes the place of.
UPDATE settlement SET superseded_by = %(by)s, superseded_at = %(now)s
WHERE settlement_id = %(settlement_id)s AND superseded_by IS NULL;

-- copy_lines --
-- Lines of providers' statements.
COPY settlement_line (settlement_id, key, number, type, raw_type, currency, gross_minor, fee_minor, net_minor, at, day,
                      refs) FROM STDIN;

-- copy_bank_lines --
-- Entries of banks' statements.
COPY bank_line (settlement_id, key, number, currency, amount_minor, booked, value, is_pending, is_reversal, text,
                counterparty, refs) FROM STDIN;

-- settlements --
-- Statements in force, newest first, with how many of their lines are matched or resolved.
SELECT s.settlement_id, s.provider, s.statement, s.account, s.currency, s.is_bank, s.net_minor, s.lines, s.payout_id,
       s.starts, s.ends, s.received_at, f.control_total_ok, f.format, f.is_verified,
       CASE WHEN s.is_bank
       THEN (SELECT count(*) FROM recon_item i WHERE i.is_live AND i.book = 'bank' AND i.item_side = 'bank'
             AND i.key > s.provider || '/' || s.statement || '/' COLLATE "C"
             AND i.key < s.provider || '/' || s.statement || '0' COLLATE "C")  -- 0 comes after /
       ELSE (SELECT count(*) FROM recon_item i WHERE i.is_live AND i.book = 'statement' AND i.item_side = 'statement'
             AND i.key > s.provider || '/' || s.statement || '/' COLLATE "C"
             AND i.key < s.provider || '/' || s.statement || '0' COLLATE "C") END AS done
FROM settlement s JOIN settlement_file f USING (file_id)
WHERE s.superseded_by IS NULL AND (%(provider)s::text IS NULL OR s.provider = %(provider)s::text)
ORDER BY s.received_at DESC, s.settlement_id DESC LIMIT %(limit)s;

-- refused_files --
-- Files that were refused, newest first.
SELECT file_id, provider, name, encode(digest, 'hex') AS sha256, received_at, refused, refused_line
FROM settlement_file WHERE refused <> '' ORDER BY received_at DESC LIMIT %(limit)s;

-- put_expectations --
-- What events say is to come; the same fact again changes nothing.
INSERT INTO expectation (side, key, provider, type, currency, gross_minor, fee_minor, at, refs, position)
SELECT r.side, r.key, r.provider, r.type, r.currency, r.gross_minor, r.fee_minor, r.at, r.refs, r.position
FROM jsonb_to_recordset(%(rows)s) AS r (side text, key text, provider text, type text, currency text,
                                        gross_minor bigint, fee_minor bigint, at timestamptz, refs jsonb, position bigint)
ON CONFLICT (side, key) DO NOTHING;

-- add_fees --
-- Fees that were charged for payments the books know; those without such a payment come back.
WITH fee AS (
    SELECT r.key, r.currency, sum(r.amount_minor)::bigint AS amount_minor
    FROM jsonb_to_recordset(%(rows)s) AS r (key text, currency text, amount_minor bigint) GROUP BY 1, 2
), known AS (
    UPDATE expectation e SET fee_minor = coalesce(e.fee_minor, 0) + fee.amount_minor
    FROM fee WHERE e.side = 'statement' AND e.key = fee.key AND e.currency = fee.currency RETURNING e.key
)
SELECT key FROM fee WHERE key NOT IN (SELECT key FROM known);

-- join_by_loop --
-- Whether the planner may join by loops until this transaction ends: over sets of which it has no statistics yet it would.
SELECT set_config('enable_nestloop', %(value)s, true);

-- pool_lines --
-- Lines of statements in force that are free, or young enough that a run may see them again; nothing a person settled.
SELECT s.provider, s.statement, l.number, l.key, l.type, l.raw_type, l.currency, l.gross_minor, l.fee_minor, l.net_minor,
       l.at, l.day, l.refs::text
FROM settlement s JOIN settlement_line l USING (settlement_id)
LEFT JOIN recon_item i ON i.is_live AND i.book = 'statement' AND i.item_side = 'statement'
     AND i.key = s.provider || '/' || s.statement || '/' || l.key
LEFT JOIN recon_match m ON m.match_no = i.match_no
WHERE s.superseded_by IS NULL AND NOT s.is_bank AND i.break_id IS NULL
  AND (m.match_no IS NULL OR (m.made_by = 'machine' AND (m.made_at >= %(since)s OR m.match_no = ANY (%(again)s::bigint[]))));

-- tellers --
-- Providers that ever sent a statement, and whether a line of theirs ever told of a payout.
SELECT p.provider, EXISTS (SELECT FROM settlement s JOIN settlement_line l USING (settlement_id)
                           WHERE s.provider = p.provider AND l.type = 'payout') AS tells_payouts
FROM (SELECT DISTINCT provider FROM settlement WHERE NOT is_bank) AS p;

-- oldest_match --
-- When the first match that is kept was made.
SELECT made_at FROM recon_match ORDER BY match_no LIMIT 1;

-- told_again --
-- Old matches of the machine whose movement a free line names by its own id: a run looks at them again.
SELECT DISTINCT m.match_no
FROM settlement s JOIN settlement_line l USING (settlement_id)
CROSS JOIN LATERAL jsonb_array_elements(l.refs) AS ref
JOIN recon_item i ON i.is_live AND i.book = 'statement' AND i.item_side = 'books'
     AND i.key = s.provider || '/' || (ref ->> 0) || '/' || (ref ->> 1)
JOIN recon_match m ON m.match_no = i.match_no AND m.made_by = 'machine' AND m.made_at < %(since)s
WHERE s.superseded_by IS NULL AND NOT s.is_bank AND ref ->> 0 IN ('payment', 'refund', 'dispute', 'payout')
  AND NOT EXISTS (SELECT FROM recon_item own WHERE own.is_live AND own.book = 'statement' AND own.item_side = 'statement'
                  AND own.key = s.provider || '/' || s.statement || '/' || l.key);

-- pool_bank_lines --
-- The same for entries of banks.
SELECT s.provider, s.statement, l.number, l.key, l.currency, l.amount_minor, l.booked, l.value, l.is_pending,
       l.is_reversal, l.text, l.counterparty, l.refs::text
FROM settlement s JOIN bank_line l USING (settlement_id)
LEFT JOIN recon_item i ON i.is_live AND i.book = 'bank' AND i.item_side = 'bank'
     AND i.key = s.provider || '/' || s.statement || '/' || l.key
LEFT JOIN recon_match m ON m.match_no = i.match_no
WHERE s.superseded_by IS NULL AND s.is_bank AND i.break_id IS NULL
  AND (m.match_no IS NULL OR (m.made_by = 'machine' AND (m.made_at >= %(since)s OR m.match_no = ANY (%(again)s::bigint[]))));

-- pool_expected --
-- What the books expect on a side, as far as nobody settled it for good.
SELECT e.key, e.type, e.currency, e.gross_minor, e.fee_minor, e.at, e.refs::text, e.provider
FROM expectation e
LEFT JOIN recon_item i ON i.is_live AND i.book = %(side)s AND i.item_side = 'books' AND i.key = e.key
LEFT JOIN recon_match m ON m.match_no = i.match_no
WHERE e.side = %(side)s AND e.at <= %(as_of)s AND i.break_id IS NULL
  AND (m.match_no IS NULL OR (m.made_by = 'machine' AND (m.made_at >= %(since)s OR m.match_no = ANY (%(again)s::bigint[]))));

-- live_matches --
-- Matches of the machine that a run may make again, with their items in order.
SELECT m.match_no, array_agg(i.item_side || ' ' || i.key ORDER BY i.item_side, i.key) AS items
FROM recon_match m JOIN recon_item i USING (match_no)
WHERE m.side = %(side)s AND m.made_by = 'machine' AND (m.made_at >= %(since)s OR m.match_no = ANY (%(again)s::bigint[]))
  AND m.undone_at IS NULL AND i.is_live
GROUP BY m.match_no;

-- match_numbers --
-- So many new numbers of matches, in order.
SELECT coalesce(array_agg(n), '{}') AS numbers
FROM (SELECT nextval('recon_match_match_no_seq') AS n FROM generate_series(1, %(count)s)) AS fresh;

-- copy_matches --
-- Matches of a run.
COPY recon_match (match_no, run_id, side, rule, confidence, currency, rounding_minor, evidence, made_at, made_by) FROM STDIN;

-- copy_items --
-- Where items stand.
COPY recon_item (item_side, book, key, match_no, break_id, amount_minor, currency) FROM STDIN;

-- undo_matches --
-- Undo matches: their items are free again.
WITH undone AS (
    UPDATE recon_match SET undone_at = %(now)s, undone_by = %(by)s, undone_why = %(why)s
    WHERE match_no = ANY (%(numbers)s::bigint[]) AND undone_at IS NULL RETURNING match_no
)
UPDATE recon_item i SET is_live = false FROM undone u WHERE i.match_no = u.match_no AND i.is_live;

-- matches_of_statement --
-- Live matches that a statement's lines stand in.
SELECT DISTINCT i.match_no FROM recon_item i
WHERE i.is_live AND i.match_no IS NOT NULL AND i.key = ANY (%(keys)s::text[])
  AND i.book = %(side)s AND i.item_side = %(side)s;

-- keys_of_statement --
-- What the lines of a statement are called.
SELECT l.key FROM settlement_line l WHERE l.settlement_id = %(settlement_id)s
UNION ALL SELECT b.key FROM bank_line b WHERE b.settlement_id = %(settlement_id)s;

-- put_settled --
-- What a run left of each statement in force that is not half open; those of which it says something new.
WITH told AS (
    SELECT r.provider, r.statement, r.mismatches, r.waiting
    FROM jsonb_to_recordset(%(rows)s) AS r (provider text, statement text, mismatches integer, waiting integer)
), put AS (
    INSERT INTO recon_settled AS old (settlement_id, matched, mismatches, run_id, at)
    SELECT s.settlement_id, s.lines - coalesce(t.mismatches, 0), coalesce(t.mismatches, 0), %(run_id)s, %(now)s
    FROM settlement s LEFT JOIN told t ON t.provider = s.provider AND t.statement = s.statement
    WHERE s.superseded_by IS NULL AND s.is_bank = %(is_bank)s AND coalesce(t.waiting, 0) = 0
    ON CONFLICT (settlement_id) DO UPDATE
    SET matched = excluded.matched, mismatches = excluded.mismatches, run_id = excluded.run_id, at = excluded.at
    WHERE (old.matched, old.mismatches) IS DISTINCT FROM (excluded.matched, excluded.mismatches)
    RETURNING settlement_id, matched, mismatches
)
SELECT p.settlement_id, p.matched, p.mismatches, s.provider, s.statement, s.currency, s.net_minor
FROM put p JOIN settlement s USING (settlement_id) ORDER BY p.settlement_id;

-- add_run --
-- A run and what it came to.
INSERT INTO recon_run (run_id, side, as_of, at, by, report)
VALUES (%(run_id)s, %(side)s, %(as_of)s, %(now)s, %(by)s, %(report)s);

-- open_breaks --
-- Breaks that are open on a side.
SELECT break_id FROM recon_break WHERE side = %(side)s AND state = 'open';

-- reopen_breaks --
-- Breaks that were gone and are there again.
UPDATE recon_break SET state = 'open', ended_at = NULL, ended_by = NULL, ended_how = NULL, ended_why = NULL
WHERE break_id = ANY (%(ids)s::text[]) AND state = 'gone' RETURNING break_id;

-- put_breaks --
-- New breaks with what they are about; those that are known stay as they are.
WITH made AS (
    INSERT INTO recon_break (break_id, side, type, provider, currency, amount_minor, evidence, suggestion, proposals,
                             opened_at, opened_by)
    SELECT r.break_id, %(side)s, r.type, r.provider, r.currency, r.amount_minor, r.evidence, r.suggestion, r.proposals,
           %(now)s, %(run_id)s
    FROM jsonb_to_recordset(%(rows)s) AS r (break_id text, type text, provider text, currency text, amount_minor bigint,
                                            evidence jsonb, suggestion text, proposals jsonb)
    ON CONFLICT (break_id) DO NOTHING RETURNING break_id
), items AS (
    INSERT INTO recon_break_item (break_id, item_side, key, amount_minor, currency)
    SELECT i.break_id, i.item_side, i.key, i.amount_minor, i.currency
    FROM jsonb_to_recordset(%(items)s) AS i (break_id text, item_side text, key text, amount_minor bigint, currency text)
    JOIN made USING (break_id)
)
SELECT break_id FROM made;

-- end_breaks --
-- Breaks that a run no longer finds.
UPDATE recon_break SET state = 'gone', ended_at = %(now)s, ended_by = %(by)s, ended_how = 'gone', ended_why = %(why)s
WHERE break_id = ANY (%(ids)s::text[]) AND state = 'open';

-- breaks --
-- Breaks by state, the oldest first, with their items.
SELECT b.*, (SELECT jsonb_agg(jsonb_build_object('side', i.item_side, 'key', i.key, 'amount_minor', i.amount_minor,
                                                 'currency', i.currency) ORDER BY i.item_side, i.key)
             FROM recon_break_item i WHERE i.break_id = b.break_id) AS items
FROM recon_break b
WHERE (%(state)s::text IS NULL OR b.state = %(state)s::text) AND (%(type)s::text IS NULL OR b.type = %(type)s::text)
  AND (%(break_id)s::text IS NULL OR b.break_id = %(break_id)s::text)
ORDER BY b.opened_at, b.break_id LIMIT %(limit)s OFFSET %(offset)s;

-- resolve_break --
-- End a break by a person's word.
UPDATE recon_break SET state = 'resolved', ended_at = %(now)s, ended_by = %(by)s, ended_how = %(how)s, ended_why = %(why)s
WHERE break_id = %(break_id)s AND state = 'open' RETURNING break_id;

-- own_break --
-- Who looks after a break.
UPDATE recon_break SET owner = %(owner)s WHERE break_id = %(break_id)s RETURNING break_id;

-- matches --
-- Live matches with their items, newest first; of one item where it is named.
SELECT m.match_no, m.side, m.rule, m.confidence, m.currency, m.rounding_minor, m.evidence, m.made_at, m.made_by,
       jsonb_agg(jsonb_build_object('side', i.item_side, 'key', i.key, 'amount_minor', i.amount_minor)
                 ORDER BY i.item_side, i.key) AS items
FROM recon_match m JOIN recon_item i USING (match_no)
WHERE m.undone_at IS NULL AND (%(key)s::text IS NULL OR m.match_no IN (
    SELECT f.match_no FROM recon_item f WHERE f.is_live AND f.key = %(key)s::text
      AND ((f.book = 'statement' AND f.item_side = 'statement') OR (f.book = 'statement' AND f.item_side = 'books')
           OR (f.book = 'bank' AND f.item_side = 'bank') OR (f.book = 'bank' AND f.item_side = 'books'))))
  AND (%(rule)s::text IS NULL OR m.rule = %(rule)s::text)
GROUP BY m.match_no ORDER BY m.match_no DESC LIMIT %(limit)s;
