-- The guard of postings in one pass: chain, balances, closed accounts and whether any has a limit are read off the rows it
-- updates. Arrays are unrolled side by side as they are projected, without a stored copy of each.

-- The only writer of balance amounts: once a statement, over all postings it inserted.
CREATE OR REPLACE FUNCTION posting_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    bad text;
    broken integer;
    closed text;
    limited boolean;
    covered bigint;
BEGIN
    SELECT n.transfer_no::text INTO bad
    FROM new_posting n LEFT JOIN account a USING (account_id)
    GROUP BY n.transfer_no, a.currency HAVING sum(n.amount_minor) <> 0 LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'transfer % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;

    WITH chain AS (
        SELECT n.account_id, n.amount_minor,
               n.version = coalesce(lag(n.version) OVER w, b.version) + 1
               AND n.balance_after = coalesce(lag(n.balance_after) OVER w, b.amount_minor) + n.amount_minor AS follows
        FROM new_posting n JOIN balance b USING (account_id) WINDOW w AS (PARTITION BY n.account_id ORDER BY n.version)
    ), moved AS (
        SELECT account_id, sum(amount_minor)::bigint AS amount, count(*) AS postings, bool_and(follows) AS follows
        FROM chain GROUP BY account_id
    ), written AS (
        UPDATE balance b SET amount_minor = b.amount_minor + m.amount, version = b.version + m.postings
        FROM moved m JOIN account a USING (account_id) WHERE b.account_id = m.account_id
        RETURNING m.account_id, m.postings, m.follows, a.code, a.is_closed,
                  a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL AS limited
    )
    SELECT min(account_id) FILTER (WHERE NOT follows), min(code) FILTER (WHERE is_closed), bool_or(w.limited), sum(postings)
    INTO broken, closed, limited, covered FROM written w;
    IF broken IS NOT NULL OR covered IS DISTINCT FROM (SELECT count(*) FROM new_posting) THEN
        broken := coalesce(broken, (SELECT min(account_id) FROM new_posting n
                                    WHERE NOT EXISTS (SELECT FROM balance b WHERE b.account_id = n.account_id)));
        RAISE EXCEPTION 'account % has a broken version chain', broken USING ERRCODE = 'check_violation';
    END IF;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'account % is closed', closed USING ERRCODE = 'check_violation';
    END IF;
    IF limited THEN
        PERFORM posting_limits(array_agg(n.account_id ORDER BY n.account_id, n.version),
                               array_agg(n.transfer_no ORDER BY n.account_id, n.version),
                               array_agg(n.amount_minor ORDER BY n.account_id, n.version),
                               array_agg(n.balance_after ORDER BY n.account_id, n.version))
        FROM new_posting n JOIN account a USING (account_id)
        WHERE a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

-- Write the lines whose number is not zero. The caller holds the locks and has judged every line.
CREATE OR REPLACE FUNCTION ledger_write(
    p_batch bigint, p_numbers bigint[], p_keys uuid[], p_kinds text[], p_sources text[], p_effective timestamptz[],
    p_bodies bytea[], p_reverses uuid[], p_parties text[],
    p_leg_transfer integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[])
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO transfer (transfer_no, batch_id, effective_at, reverses, key, kind, source, party, body_digest)
    SELECT u.no, p_batch, u.effective,
           CASE WHEN u.reverses IS NOT NULL THEN (SELECT o.transfer_no FROM transfer o WHERE o.key = u.reverses) END,
           u.key, u.kind, u.source, u.party, u.body
    FROM (SELECT unnest(p_numbers) AS no, unnest(p_keys) AS key, unnest(p_kinds) AS kind, unnest(p_sources) AS source,
                 unnest(p_effective) AS effective, unnest(p_bodies) AS body, unnest(p_reverses) AS reverses,
                 unnest(p_parties) AS party) u
    WHERE u.no <> 0;

    INSERT INTO posting (version, transfer_no, amount_minor, balance_after, account_id, effective_on, line)
    SELECT b.version + row_number() OVER w, p_numbers[l.transfer], l.amount, b.amount_minor + sum(l.amount) OVER w,
           l.account, (p_effective[l.transfer] AT TIME ZONE 'UTC')::date, l.line
    FROM (SELECT unnest(p_leg_transfer) AS transfer, unnest(p_leg_line) AS line, unnest(p_leg_account) AS account,
                 unnest(p_leg_amount) AS amount) l
    JOIN balance b ON b.account_id = l.account
    WHERE p_numbers[l.transfer] <> 0
    WINDOW w AS (PARTITION BY l.account ORDER BY l.transfer, l.line);
END $$;
