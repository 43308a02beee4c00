-- account_ids --
-- Ids of accounts that are open in these books.
SELECT a.account_id, a.code, a.currency FROM account a
JOIN unnest(%(codes)s::text[], %(currencies)s::text[]) AS u (code, currency) USING (code, currency);

-- open_accounts --
-- Open what does not exist yet; the batch, where anything was new.
SELECT ledger_open(%(codes)s::text[], %(currencies)s::text[], %(normals)s::text[], %(now)s::timestamptz) AS batch_id;

-- post --
-- Post a batch of transfers.
SELECT o_batch_id, o_recorded_at, o_posted, o_digest, o_lines, o_codes FROM ledger_post(
    %(keys)s::uuid[], %(kinds)s::text[], %(sources)s::text[], %(effective)s::timestamptz[], %(bodies)s::bytea[],
    %(reverses)s::uuid[], %(parties)s::text[], %(content)s::bytea, %(now)s::timestamptz,
    %(leg_entry)s::integer[], %(leg_line)s::smallint[], %(leg_account)s::integer[], %(leg_amount)s::bigint[]);

-- hold --
-- Set money aside.
SELECT o_batch_id, o_recorded_at, o_posted, o_digest, o_lines, o_codes FROM ledger_hold(
    %(keys)s::uuid[], %(kinds)s::text[], %(sources)s::text[], %(expires)s::timestamptz[], %(bodies)s::bytea[],
    %(parties)s::text[], %(now)s::timestamptz,
    %(leg_entry)s::integer[], %(leg_line)s::smallint[], %(leg_account)s::integer[], %(leg_amount)s::bigint[]);

-- finish --
-- Post or void holds.
SELECT o_batch_id, o_recorded_at, o_posted, o_digest, o_lines, o_codes FROM ledger_finish(
    %(keys)s::uuid[], %(holds)s::uuid[], %(hows)s::text[], %(effective)s::timestamptz[], %(end_bodies)s::bytea[],
    %(bodies)s::bytea[], %(now)s::timestamptz,
    %(leg_entry)s::integer[], %(leg_line)s::smallint[], %(leg_account)s::integer[], %(leg_amount)s::bigint[]);

-- release --
-- Release what expired.
SELECT o_batch_id, o_released FROM ledger_release(%(now)s::timestamptz, %(most)s::integer);

-- change_account --
-- Limits or closing of one account.
SELECT ledger_change_account(%(account_id)s::integer, %(limits)s::boolean, %(floor)s::bigint, %(ceiling)s::bigint,
    %(closed)s::boolean, %(by)s::text, %(reason)s::text, %(now)s::timestamptz) AS batch_id;

-- set_period --
-- Open, close or reopen a period.
SELECT ledger_set_period(%(name)s::text, %(starts)s::date, %(ends)s::date, %(state)s::text, %(by)s::text,
    %(reason)s::text, %(now)s::timestamptz) AS batch_id;

-- set_rate --
-- Write down a rate.
SELECT ledger_set_rate(%(base)s::text, %(quote)s::text, %(on)s::date, %(numerator)s::bigint, %(denominator)s::bigint,
    %(source)s::text, %(now)s::timestamptz) AS batch_id;

-- fold --
-- Fold accounts with at least so many postings since their last fold.
SELECT ledger_fold(%(least)s::bigint) AS folded;

-- batch --
-- One batch as it was sealed.
SELECT batch_id, recorded_at, rows, digest FROM ledger_batch WHERE batch_id = %(batch_id)s;

-- holds --
-- Holds with their legs.
SELECT h.key, h.kind, h.source, h.party, h.expires_at, a.code, a.currency, l.amount_minor
FROM hold h JOIN hold_leg l USING (hold_no) JOIN account a USING (account_id)
WHERE h.key = ANY (%(keys)s::uuid[]) ORDER BY h.hold_no, l.line;

-- put_unposted --
-- A money event whose rule cannot be satisfied.
INSERT INTO ledger_unposted (position, event_type, source, reason, recorded_at)
VALUES (%(position)s, %(event_type)s, %(source)s, %(reason)s, %(now)s) ON CONFLICT (position) DO NOTHING;

-- drop_unposted --
-- They were posted after all.
DELETE FROM ledger_unposted WHERE position = ANY (%(positions)s::bigint[]);

-- unposted --
-- Everything that waits for somebody.
SELECT position, event_type, source, reason, recorded_at FROM ledger_unposted ORDER BY position;

-- periods --
-- Every period with its state.
SELECT p.name, p.starts_on, p.ends_on, p.state, p.changed_by, p.reason, b.recorded_at
FROM period p JOIN ledger_batch b USING (batch_id) ORDER BY p.starts_on;

-- rate --
-- The newest rate on or before a day.
SELECT base, quote, on_date, numerator, denominator, source FROM fx_rate
WHERE base = %(base)s AND quote = %(quote)s AND on_date <= %(on)s ORDER BY on_date DESC, batch_id DESC LIMIT 1;

-- accounts_now --
-- Every account with its balance as it stands.
SELECT a.account_id, a.code, a.currency, a.normal, a.floor_minor, a.ceiling_minor, a.is_closed, b.amount_minor,
       b.pending_debit_minor, b.pending_credit_minor, b.version
FROM account a JOIN balance b USING (account_id) ORDER BY a.code, a.currency;

-- totals --
-- Debits and credits by account of what happened from one day up to another, known by a third; all three exclusive at
-- their end and absent where open. Folded days are added up; what came after an account's last fold is read.
WITH bounds AS (
    -- Whole months between the first of a month on or after `since` and the one on or before `until`; none where what is
    -- asked for is what was known once, or lies within one month.
    SELECT coalesce(date_trunc('month', %(since)s::date::timestamp + interval '1 month - 1 day')::date, '-infinity'::date) AS low,
           CASE WHEN %(known)s::date IS NOT NULL THEN '-infinity'::date
                ELSE coalesce(date_trunc('month', %(until)s::date::timestamp)::date, 'infinity'::date) END AS high
), parts AS (
    SELECT m.account_id, m.debit_minor, m.credit_minor, m.postings
    FROM posting_month m, bounds b WHERE m.month >= b.low AND m.month < b.high
    UNION ALL
    SELECT d.account_id, d.debit_minor, d.credit_minor, d.postings
    FROM posting_day d, bounds b
    WHERE b.low < b.high AND d.effective_on >= b.high AND d.effective_on < coalesce(%(until)s::date, 'infinity'::date)
    UNION ALL
    SELECT d.account_id, d.debit_minor, d.credit_minor, d.postings
    FROM posting_day d, bounds b
    WHERE b.low < b.high AND d.effective_on >= coalesce(%(since)s::date, '-infinity'::date) AND d.effective_on < b.low
    UNION ALL
    SELECT d.account_id, d.debit_minor, d.credit_minor, d.postings
    FROM posting_day d, bounds b
    WHERE b.low >= b.high AND d.effective_on >= coalesce(%(since)s::date, '-infinity'::date)
      AND d.effective_on < coalesce(%(until)s::date, 'infinity'::date)
      AND (%(known)s::date IS NULL OR d.recorded_on < %(known)s::date)
    UNION ALL
    SELECT k.account_id, t.debit_minor, t.credit_minor, t.postings
    FROM account k
    CROSS JOIN LATERAL (SELECT max(up_to_version) AS version FROM posting_fold x WHERE x.account_id = k.account_id) f
    CROSS JOIN LATERAL (
        -- Added up here, so that only what came after the fold can be read.
        SELECT sum(greatest(p.amount_minor, 0))::bigint AS debit_minor, sum(greatest(-p.amount_minor, 0))::bigint AS credit_minor,
               count(*) AS postings
        FROM posting p
        WHERE p.account_id = k.account_id AND p.version > coalesce(f.version, 0)
          AND (%(until)s::date IS NULL OR p.effective_on < %(until)s::date)
          AND (%(since)s::date IS NULL OR p.effective_on >= %(since)s::date)
          AND (%(known)s::date IS NULL OR EXISTS (
              SELECT FROM transfer x JOIN ledger_batch b USING (batch_id)
              WHERE x.transfer_no = p.transfer_no AND b.recorded_at < %(known)s::date::timestamp AT TIME ZONE 'UTC'))
    ) t
)
-- Joined before they are added up: how many accounts have parts cannot be estimated, how many accounts there are can.
SELECT a.code, a.currency, a.normal, coalesce(sum(p.debit_minor), 0)::bigint AS debit_minor,
       coalesce(sum(p.credit_minor), 0)::bigint AS credit_minor, coalesce(sum(p.postings), 0)::bigint AS postings
FROM account a LEFT JOIN parts p USING (account_id)
GROUP BY a.account_id ORDER BY a.code, a.currency;

-- part_of_day --
-- Debits and credits by account of what happened between two instants of one day.
SELECT a.code, a.currency, a.normal, coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint AS debit_minor,
       coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint AS credit_minor, count(*) AS postings
FROM transfer t JOIN posting p USING (transfer_no) JOIN account a USING (account_id)
WHERE t.effective_at >= %(since)s AND t.effective_at < %(until)s GROUP BY a.code, a.currency, a.normal;

-- counts --
-- How much is in the books.
SELECT (SELECT count(*) FROM transfer) AS transfers, (SELECT count(*) FROM posting) AS postings;

-- trial_balance --
-- Zero per currency, or the books are wrong.
SELECT a.currency, sum(b.amount_minor)::bigint AS amount_minor
FROM balance b JOIN account a USING (account_id) GROUP BY a.currency ORDER BY a.currency;

-- journal --
-- Every posting with its transfer, in posted order.
SELECT t.transfer_no, t.key, t.kind, t.source, t.party, t.effective_at, a.code, a.currency, p.amount_minor, p.balance_after
FROM transfer t JOIN posting p USING (transfer_no) JOIN account a USING (account_id)
ORDER BY t.transfer_no, p.line;

-- general_ledger --
-- Postings of accounts in a span of days, a page.
SELECT a.code, a.currency, p.version, p.effective_on, p.amount_minor, p.balance_after, t.key, t.kind, t.source, t.party,
       t.effective_at
FROM account a JOIN posting p USING (account_id) JOIN transfer t USING (transfer_no)
WHERE (%(code)s::text IS NULL OR a.code = %(code)s OR starts_with(a.code, %(code)s || ':'))
  AND (%(since)s::date IS NULL OR p.effective_on >= %(since)s::date)
  AND (%(until)s::date IS NULL OR p.effective_on < %(until)s::date)
ORDER BY a.account_id, p.version OFFSET %(offset)s LIMIT %(limit)s;

-- transfers_page --
-- Transfers in posted order, a page, each with its legs.
SELECT t.transfer_no, t.key, t.kind, t.source, t.party, t.effective_at, b.recorded_at, o.key AS reverses_key,
       o.effective_at AS reverses_at,
       (SELECT json_agg(json_build_object('account', a.code, 'currency', a.currency, 'amount_minor', p.amount_minor)
                        ORDER BY p.line)
        FROM posting p JOIN account a USING (account_id) WHERE p.transfer_no = t.transfer_no) AS legs
FROM transfer t JOIN ledger_batch b USING (batch_id) LEFT JOIN transfer o ON o.transfer_no = t.reverses
WHERE t.transfer_no > %(after)s ORDER BY t.transfer_no LIMIT %(limit)s;

-- transfer_between --
-- The transfer whose key lies in a range.
SELECT t.transfer_no FROM transfer t WHERE t.key BETWEEN %(low)s AND %(high)s ORDER BY t.key LIMIT 2;

-- broken_chains --
-- Postings that do not follow their predecessor, by version or by balance.
SELECT c.account_id, c.version, c.balance_after, c.place, c.running
FROM (SELECT account_id, version, balance_after, row_number() OVER w AS place, sum(amount_minor) OVER w AS running
      FROM posting WINDOW w AS (PARTITION BY account_id ORDER BY version)) c
WHERE c.version <> c.place OR c.balance_after <> c.running LIMIT 1000;

-- wrong_balances --
-- Accounts whose balance row is not what their postings and open holds make it.
SELECT coalesce(a.account_id, b.account_id) AS account_id, a.code, a.currency, b.amount_minor, p.amount, b.version,
       p.postings, b.pending_debit_minor, h.debit, b.pending_credit_minor, h.credit
FROM account a FULL JOIN balance b USING (account_id)
LEFT JOIN (SELECT account_id, sum(amount_minor) AS amount, count(*) AS postings FROM posting GROUP BY account_id) p
    USING (account_id)
LEFT JOIN (SELECT l.account_id, sum(l.amount_minor) FILTER (WHERE l.amount_minor > 0) AS debit,
                  -sum(l.amount_minor) FILTER (WHERE l.amount_minor < 0) AS credit
           FROM hold_leg l WHERE NOT EXISTS (SELECT FROM hold_end e WHERE e.hold_no = l.hold_no) GROUP BY l.account_id) h
    USING (account_id)
WHERE a.account_id IS NULL OR b.account_id IS NULL OR b.amount_minor <> coalesce(p.amount, 0)
   OR b.version <> coalesce(p.postings, 0) OR b.pending_debit_minor <> coalesce(h.debit, 0)
   OR b.pending_credit_minor <> coalesce(h.credit, 0);

-- orphans --
-- Rows that belong to nothing.
SELECT 'posting' AS where_, p.transfer_no::text AS row_, 'belongs to no transfer' AS what FROM posting p
WHERE NOT EXISTS (SELECT FROM transfer t WHERE t.transfer_no = p.transfer_no)
UNION ALL SELECT 'posting', p.account_id || ' version ' || p.version, 'belongs to no account' FROM posting p
WHERE NOT EXISTS (SELECT FROM account a WHERE a.account_id = p.account_id)
UNION ALL SELECT 'hold_leg', l.hold_no || ' line ' || l.line, 'belongs to no hold or no account' FROM hold_leg l
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.hold_no = l.hold_no)
   OR NOT EXISTS (SELECT FROM account a WHERE a.account_id = l.account_id)
UNION ALL SELECT 'hold_end', e.hold_no::text, 'belongs to no hold' FROM hold_end e
WHERE NOT EXISTS (SELECT FROM hold h WHERE h.hold_no = e.hold_no)
UNION ALL SELECT 'hold_end', e.hold_no::text, 'names a transfer with another key, or none' FROM hold_end e
WHERE e.how = 'posted' AND NOT EXISTS (SELECT FROM transfer t WHERE t.transfer_no = e.transfer_no AND t.key = e.key)
UNION ALL SELECT 'hold_open', coalesce(o.hold_no, h.hold_no)::text, 'is not the list of holds that have not ended'
FROM hold_open o FULL JOIN (SELECT h.hold_no, h.expires_at FROM hold h
                            WHERE NOT EXISTS (SELECT FROM hold_end e WHERE e.hold_no = h.hold_no)) h USING (hold_no)
WHERE o.hold_no IS NULL OR h.hold_no IS NULL OR o.expires_at <> h.expires_at
UNION ALL SELECT 'account_change', c.account_id::text, 'belongs to no account' FROM account_change c
WHERE NOT EXISTS (SELECT FROM account a WHERE a.account_id = c.account_id)
UNION ALL SELECT 'account', a.code || ' ' || a.currency, 'is not what its last change says' FROM account a
LEFT JOIN (SELECT DISTINCT ON (account_id) account_id, floor_minor, ceiling_minor, is_closed FROM account_change
           ORDER BY account_id, change_no DESC) c USING (account_id)
WHERE (a.floor_minor, a.ceiling_minor, a.is_closed)
      IS DISTINCT FROM (c.floor_minor, c.ceiling_minor, coalesce(c.is_closed, false))
LIMIT 1000;

-- wrong_days --
-- Sums by day that differ from the postings they fold, and folds that do not follow one another.
WITH folded AS (SELECT account_id, max(up_to_version) AS version FROM posting_fold GROUP BY account_id),
made AS (
    SELECT p.account_id, p.effective_on, (b.recorded_at AT TIME ZONE 'UTC')::date AS recorded_on,
           coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0) AS debit_minor,
           coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0) AS credit_minor, count(*) AS postings
    FROM posting p JOIN folded f ON f.account_id = p.account_id AND p.version <= f.version
    JOIN transfer t USING (transfer_no) JOIN ledger_batch b USING (batch_id) GROUP BY 1, 2, 3
)
SELECT 'posting_day' AS where_, coalesce(m.account_id, d.account_id) || ' ' || coalesce(m.effective_on, d.effective_on) AS row_
FROM made m FULL JOIN posting_day d USING (account_id, effective_on, recorded_on)
WHERE (m.debit_minor, m.credit_minor, m.postings) IS DISTINCT FROM (d.debit_minor, d.credit_minor, d.postings)
UNION ALL
SELECT 'posting_month', coalesce(s.account_id, m.account_id) || ' ' || coalesce(s.month, m.month)
FROM (SELECT account_id, date_trunc('month', effective_on::timestamp)::date AS month, sum(debit_minor) AS debit_minor,
             sum(credit_minor) AS credit_minor, sum(postings) AS postings FROM posting_day GROUP BY 1, 2) s
FULL JOIN posting_month m USING (account_id, month)
WHERE (s.debit_minor, s.credit_minor, s.postings) IS DISTINCT FROM (m.debit_minor, m.credit_minor, m.postings)
UNION ALL
SELECT 'posting_fold', account_id || ' ' || up_to_version
FROM (SELECT account_id, up_to_version, postings,
             lag(up_to_version, 1, 0::bigint) OVER (PARTITION BY account_id ORDER BY up_to_version) AS before
      FROM posting_fold) f
LEFT JOIN balance b USING (account_id)
WHERE f.up_to_version <> f.before + f.postings OR f.up_to_version > coalesce(b.version, 0)
LIMIT 1000;

-- audit_transfers --
-- Every transfer with its legs, in posted order, to have its digests computed again.
SELECT t.transfer_no, t.batch_id, t.effective_at, t.key, t.kind, t.source, t.party, t.body_digest, t.reverses, o.key AS reverses_key,
       array_agg(a.code ORDER BY p.line) AS codes, array_agg(a.currency ORDER BY p.line) AS currencies,
       array_agg(p.amount_minor ORDER BY p.line) AS amounts, array_agg(p.line ORDER BY p.line) AS lines,
       bool_and(p.effective_on = (t.effective_at AT TIME ZONE 'UTC')::date) AS days_fit
FROM transfer t LEFT JOIN posting p USING (transfer_no) LEFT JOIN account a USING (account_id)
LEFT JOIN transfer o ON o.transfer_no = t.reverses
GROUP BY t.transfer_no, o.key ORDER BY t.transfer_no;

-- audit_holds --
-- Every hold with its legs.
SELECT h.hold_no, h.batch_id, h.expires_at, h.key, h.kind, h.source, h.party, h.body_digest,
       array_agg(a.code ORDER BY l.line) AS codes, array_agg(a.currency ORDER BY l.line) AS currencies,
       array_agg(l.amount_minor ORDER BY l.line) AS amounts, array_agg(l.line ORDER BY l.line) AS lines
FROM hold h LEFT JOIN hold_leg l USING (hold_no) LEFT JOIN account a USING (account_id)
GROUP BY h.hold_no ORDER BY h.hold_no;

-- audit_rows --
-- Every other row with what its digest covers, batch by batch in the order of their digests.
SELECT batch_id, columns FROM (
    SELECT batch_id, 1 AS kind, account_id::bigint AS first, 0 AS second, '' AS third,
           ARRAY['account', account_id::text, code, currency, normal] AS columns FROM account
    UNION ALL SELECT batch_id, 2, account_id, change_no, '', ARRAY['account_change', account_id::text, change_no::text,
           floor_minor::text, ceiling_minor::text, is_closed::text, changed_by, reason] FROM account_change
    UNION ALL SELECT batch_id, 3, hold_no, 0, '', ARRAY['hold_end', hold_no::text, key::text, how, transfer_no::text,
           encode(body_digest, 'hex')] FROM hold_end
    UNION ALL SELECT batch_id, 4, change_no, 0, name, ARRAY['period_change', name, change_no::text,
           to_char(starts_on, 'YYYY-MM-DD'), to_char(ends_on, 'YYYY-MM-DD'), state, changed_by, reason] FROM period_change
    UNION ALL SELECT batch_id, 5, 0, 0, base || quote || on_date, ARRAY['fx_rate', base, quote,
           to_char(on_date, 'YYYY-MM-DD'), numerator::text, denominator::text, source] FROM fx_rate
) r ORDER BY batch_id, kind, first, second, third;

-- audit_batches --
-- Every batch as it was sealed.
SELECT batch_id, recorded_at, rows, digest FROM ledger_batch ORDER BY batch_id;

-- cash_counterparts --
-- The legs that are not cash of transfers with a cash leg, added up by account: where cash came from and went.
SELECT a.code, a.currency, a.normal,
       coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint AS debit_minor,
       coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint AS credit_minor
FROM transfer t JOIN ledger_batch b USING (batch_id) JOIN posting p USING (transfer_no) JOIN account a USING (account_id)
WHERE NOT a.code = ANY (%(cash)s)
  AND t.transfer_no IN (
      SELECT c.transfer_no FROM posting c JOIN account k USING (account_id)
      WHERE k.code = ANY (%(cash)s)
        AND (%(since)s::date IS NULL OR c.effective_on >= %(since)s::date)
        AND (%(until)s::date IS NULL OR c.effective_on < %(until)s::date))
  AND (%(known)s::date IS NULL OR b.recorded_at < %(known)s::date::timestamp AT TIME ZONE 'UTC')
GROUP BY a.code, a.currency, a.normal ORDER BY a.code, a.currency;

-- party_days --
-- What moved on accounts below a code, by party and day.
SELECT a.code, a.currency, coalesce(t.party, '') AS party, p.effective_on, sum(p.amount_minor)::bigint AS amount_minor
FROM account a JOIN posting p USING (account_id) JOIN transfer t USING (transfer_no) JOIN ledger_batch b ON b.batch_id = t.batch_id
WHERE (a.code = ANY (%(codes)s) OR a.code LIKE ANY (SELECT c || ':%%' FROM unnest(%(codes)s::text[]) AS u (c)))
  AND p.effective_on < %(until)s::date
  AND (%(known)s::date IS NULL OR b.recorded_at < %(known)s::date::timestamp AT TIME ZONE 'UTC')
GROUP BY 1, 2, 3, 4;

-- cash_days --
-- Net movement of cash by currency and day, up to a day.
SELECT a.currency, p.effective_on, sum(p.amount_minor)::bigint AS amount_minor
FROM account a JOIN posting p USING (account_id)
WHERE a.code = ANY (%(cash)s) AND p.effective_on < %(until)s::date
GROUP BY 1, 2 ORDER BY 1, 2;

-- result_legs --
-- Legs of the profit and loss account with what they come from.
SELECT t.source, a.code, a.currency, p.amount_minor
FROM account a JOIN posting p USING (account_id) JOIN transfer t USING (transfer_no) JOIN ledger_batch b ON b.batch_id = t.batch_id
WHERE (a.code LIKE 'income:%%' OR a.code LIKE 'contra:%%' OR a.code LIKE 'expenses:%%')
  AND (%(since)s::date IS NULL OR p.effective_on >= %(since)s::date)
  AND (%(until)s::date IS NULL OR p.effective_on < %(until)s::date)
  AND (%(known)s::date IS NULL OR b.recorded_at < %(known)s::date::timestamp AT TIME ZONE 'UTC');

-- open_holds --
-- Holds that have not ended, how many of them are past their time.
SELECT count(*) AS open, count(*) FILTER (WHERE expires_at <= %(now)s) AS expired FROM hold_open;

-- locked --
-- Balances and pending amounts, locked in the order of their ids until the transaction ends.
SELECT o_account, o_amount, o_pending_debit, o_pending_credit FROM ledger_lock(%(accounts)s::integer[]);

-- standings --
-- The same, only read.
SELECT account_id AS o_account, amount_minor AS o_amount, pending_debit_minor AS o_pending_debit,
       pending_credit_minor AS o_pending_credit
FROM balance WHERE account_id = ANY (%(accounts)s::integer[]);

-- budgets --
-- What is granted to each budget, what is set aside of it, and what may still be.
SELECT a.code, a.currency, -b.amount_minor AS granted_minor, b.pending_debit_minor AS held_minor,
       -b.amount_minor - b.pending_debit_minor AS free_minor
FROM account a JOIN balance b USING (account_id) WHERE a.code LIKE %(like)s ORDER BY a.code, a.currency;
