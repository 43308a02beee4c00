-- Holds, limits, periods, rates and folds. Holds are taken and finished one after another: they are few beside postings,
-- and each must see what the one before it left.

-- The first code of one entry's legs by account, seen alone; '' where there is none.
CREATE FUNCTION ledger_judge_legs(p_accounts integer[], p_amounts bigint[]) RETURNS text LANGUAGE sql STABLE
SET search_path = public, pg_temp
RETURN CASE
    WHEN cardinality(p_accounts) < 2 THEN 'no_legs'
    WHEN 0 = ANY (p_amounts) THEN 'zero_amount'
    WHEN EXISTS (SELECT FROM unnest(p_amounts) AS u (n) WHERE n NOT BETWEEN -1000000000000000 AND 1000000000000000)
        THEN 'amount_too_large'
    WHEN EXISTS (SELECT FROM unnest(p_accounts) AS u (id)
                 WHERE NOT EXISTS (SELECT FROM account a WHERE a.account_id = u.id)) THEN 'unknown_account'
    WHEN EXISTS (SELECT FROM unnest(p_accounts, p_amounts) AS u (id, n) JOIN account a ON a.account_id = u.id
                 GROUP BY a.currency HAVING sum(n) <> 0) THEN 'unbalanced'
    ELSE '' END;

CREATE FUNCTION ledger_some_closed(p_accounts integer[]) RETURNS boolean LANGUAGE sql STABLE
SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM account a WHERE a.account_id = ANY (p_accounts) AND a.is_closed);

-- Which limit an entry would break: its legs move pending amounts (a hold) or balances (`p_posts`), after `p_released`
-- legs of its own hold were taken away from pending.
CREATE FUNCTION ledger_limit_broken(p_posts boolean, p_accounts integer[], p_amounts bigint[],
                                    p_released_accounts integer[], p_released_amounts bigint[]) RETURNS text
LANGUAGE sql STABLE SET search_path = public, pg_temp
RETURN coalesce((
    WITH moved AS (
        SELECT id, sum(n) AS net, coalesce(sum(n) FILTER (WHERE n > 0), 0) AS debit,
               coalesce(-sum(n) FILTER (WHERE n < 0), 0) AS credit
        FROM unnest(p_accounts, p_amounts) AS u (id, n) GROUP BY id
    ), released AS (
        SELECT id, coalesce(sum(n) FILTER (WHERE n > 0), 0) AS debit, coalesce(-sum(n) FILTER (WHERE n < 0), 0) AS credit
        FROM unnest(p_released_accounts, p_released_amounts) AS u (id, n) GROUP BY id
    ), ends AS (
        SELECT m.net, a.floor_minor, a.ceiling_minor,
               b.amount_minor + CASE WHEN p_posts THEN m.net ELSE 0 END AS amount,
               b.pending_debit_minor - coalesce(r.debit, 0) + CASE WHEN p_posts THEN 0 ELSE m.debit END AS pending_debit,
               b.pending_credit_minor - coalesce(r.credit, 0) + CASE WHEN p_posts THEN 0 ELSE m.credit END AS pending_credit
        FROM moved m JOIN account a ON a.account_id = m.id JOIN balance b ON b.account_id = m.id
        LEFT JOIN released r ON r.id = m.id
    )
    SELECT CASE WHEN bool_or(net < 0 AND amount - pending_credit < floor_minor) THEN 'below_limit'
                WHEN bool_or(net > 0 AND amount + pending_debit > ceiling_minor) THEN 'above_limit' END FROM ends), '');

-- Set money aside. Answers like ledger_post.
CREATE FUNCTION ledger_hold(
    p_keys uuid[], p_kinds text[], p_sources text[], p_expires timestamptz[], p_bodies bytea[], p_parties text[],
    p_now timestamptz, p_leg_hold integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[],
    OUT o_batch_id bigint, OUT o_recorded_at timestamptz, OUT o_posted integer, OUT o_digest bytea,
    OUT o_lines integer[], OUT o_codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r record;
    code text;
    number bigint;
    stored bytea;
    content bytea := '';
BEGIN
    PERFORM 1 FROM balance WHERE account_id IN (SELECT unnest(p_leg_account)) ORDER BY account_id FOR NO KEY UPDATE;
    o_lines := '{}';
    o_codes := '{}';
    o_posted := 0;
    FOR r IN
        SELECT u.line, u.key, u.kind, u.source, u.expires, u.body, u.party,
               coalesce(array_agg(l.account ORDER BY l.ord) FILTER (WHERE l.hold IS NOT NULL), '{}') AS accounts,
               coalesce(array_agg(l.amount ORDER BY l.ord) FILTER (WHERE l.hold IS NOT NULL), '{}') AS amounts,
               array_agg(l.line ORDER BY l.ord) AS numbers
        FROM unnest(p_keys, p_kinds, p_sources, p_expires, p_bodies, p_parties) WITH ORDINALITY
             AS u (key, kind, source, expires, body, party, line)
        LEFT JOIN unnest(p_leg_hold, p_leg_line, p_leg_account, p_leg_amount) WITH ORDINALITY
             AS l (hold, line, account, amount, ord) ON l.hold = u.line
        GROUP BY u.line, u.key, u.kind, u.source, u.expires, u.body, u.party ORDER BY u.line
    LOOP
        SELECT h.body_digest INTO stored FROM hold h WHERE h.key = r.key;
        IF FOUND THEN
            code := CASE WHEN stored = r.body THEN 'duplicate' ELSE 'conflict' END;
        ELSE
            code := ledger_judge_legs(r.accounts, r.amounts);
            IF code = '' THEN
                code := CASE WHEN ledger_some_closed(r.accounts) THEN 'account_closed'
                             WHEN r.expires <= p_now THEN 'hold_expired'
                             ELSE ledger_limit_broken(false, r.accounts, r.amounts, '{}', '{}') END;
            END IF;
        END IF;
        IF code <> '' THEN
            o_lines := o_lines || r.line::integer;
            o_codes := o_codes || code;
            CONTINUE;
        END IF;
        o_batch_id := coalesce(o_batch_id, ledger_next_batch());
        number := nextval('hold_no');
        INSERT INTO hold (hold_no, batch_id, expires_at, key, kind, source, party, body_digest)
        VALUES (number, o_batch_id, r.expires, r.key, r.kind, r.source, r.party, r.body);
        INSERT INTO hold_leg (hold_no, line, account_id, amount_minor)
        SELECT number, u.line, u.account, u.amount FROM unnest(r.numbers, r.accounts, r.amounts) AS u (line, account, amount);
        content := content || uuid_send(r.key) || r.body;
        o_posted := o_posted + 1;
    END LOOP;
    IF o_posted > 0 THEN
        o_recorded_at := ledger_now(p_now);
        PERFORM ledger_seal(o_batch_id, o_recorded_at, o_posted, content);
        o_digest := sha256(content);
    END IF;
END $$;

-- The code of one finish; '' where it may go ahead. The hold's accounts are locked.
CREATE FUNCTION ledger_judge_finish(
    p_key uuid, p_hold uuid, p_how text, p_effective timestamptz, p_end_body bytea, p_now timestamptz,
    p_accounts integer[], p_amounts bigint[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    held hold;
    ended hold_end;
    code text;
    held_accounts integer[];
    held_amounts bigint[];
BEGIN
    SELECT * INTO ended FROM hold_end e WHERE e.key = p_key;
    IF FOUND THEN
        RETURN CASE WHEN ended.body_digest = p_end_body THEN 'duplicate' ELSE 'conflict' END;
    END IF;
    IF EXISTS (SELECT FROM transfer t WHERE t.key = p_key) THEN
        RETURN 'conflict';
    END IF;
    SELECT * INTO held FROM hold h WHERE h.key = p_hold;
    IF NOT FOUND THEN
        RETURN 'unknown_hold';
    END IF;
    SELECT * INTO ended FROM hold_end e WHERE e.hold_no = held.hold_no;
    IF FOUND THEN
        RETURN 'hold_' || ended.how;
    END IF;
    IF held.expires_at <= p_now THEN
        RETURN 'hold_expired';
    END IF;
    IF p_how = 'void' THEN
        RETURN '';
    END IF;
    code := ledger_judge_legs(p_accounts, p_amounts);
    IF code <> '' THEN
        RETURN code;
    END IF;
    SELECT array_agg(l.account_id), array_agg(l.amount_minor) INTO held_accounts, held_amounts
    FROM hold_leg l WHERE l.hold_no = held.hold_no;
    IF EXISTS (
        SELECT FROM (SELECT id, sum(n) AS net FROM unnest(p_accounts, p_amounts) AS u (id, n) GROUP BY id) p
        LEFT JOIN (SELECT id, sum(n) AS net FROM unnest(held_accounts, held_amounts) AS u (id, n) GROUP BY id) h USING (id)
        WHERE p.net NOT BETWEEN least(coalesce(h.net, 0), 0) AND greatest(coalesce(h.net, 0), 0)) THEN
        RETURN 'more_than_held';
    END IF;
    RETURN CASE
        WHEN ledger_some_closed(p_accounts) THEN 'account_closed'
        WHEN ledger_is_shut(p_effective, held.kind) THEN 'period_closed'
        ELSE ledger_limit_broken(true, p_accounts, p_amounts, held_accounts, held_amounts) END;
END $$;

-- End holds: post the legs given (all of them, or the part that is wanted) or void. Answers like ledger_post.
CREATE FUNCTION ledger_finish(
    p_keys uuid[], p_holds uuid[], p_hows text[], p_effective timestamptz[], p_end_bodies bytea[], p_bodies bytea[],
    p_now timestamptz, p_leg_end integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[],
    OUT o_batch_id bigint, OUT o_recorded_at timestamptz, OUT o_posted integer, OUT o_digest bytea,
    OUT o_lines integer[], OUT o_codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    r record;
    code text;
    held hold;
    number bigint;
    content bytea := '';
    ends bytea[] := '{}';
    end_holds bigint[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock_shared(724656);
    PERFORM 1 FROM balance WHERE account_id IN (
        SELECT unnest(p_leg_account) UNION
        SELECT l.account_id FROM hold_leg l JOIN hold h USING (hold_no) WHERE h.key = ANY (p_holds))
    ORDER BY account_id FOR NO KEY UPDATE;
    o_lines := '{}';
    o_codes := '{}';
    o_posted := 0;
    FOR r IN
        SELECT u.line, u.key, u.hold, u.how, u.effective, u.end_body, u.body,
               coalesce(array_agg(l.account ORDER BY l.ord) FILTER (WHERE l.finish IS NOT NULL), '{}') AS accounts,
               coalesce(array_agg(l.amount ORDER BY l.ord) FILTER (WHERE l.finish IS NOT NULL), '{}') AS amounts,
               array_agg(l.line ORDER BY l.ord) AS numbers
        FROM unnest(p_keys, p_holds, p_hows, p_effective, p_end_bodies, p_bodies) WITH ORDINALITY
             AS u (key, hold, how, effective, end_body, body, line)
        LEFT JOIN unnest(p_leg_end, p_leg_line, p_leg_account, p_leg_amount) WITH ORDINALITY
             AS l (finish, line, account, amount, ord) ON l.finish = u.line
        GROUP BY u.line, u.key, u.hold, u.how, u.effective, u.end_body, u.body ORDER BY u.line
    LOOP
        code := ledger_judge_finish(r.key, r.hold, r.how, r.effective, r.end_body, p_now, r.accounts, r.amounts);
        IF code <> '' THEN
            o_lines := o_lines || r.line::integer;
            o_codes := o_codes || code;
            CONTINUE;
        END IF;
        SELECT * INTO held FROM hold h WHERE h.key = r.hold;
        o_batch_id := coalesce(o_batch_id, ledger_next_batch());
        number := CASE WHEN r.how = 'post' THEN nextval('transfer_no') END;
        INSERT INTO hold_end (hold_no, batch_id, key, how, transfer_no, body_digest)
        VALUES (held.hold_no, o_batch_id, r.key, CASE r.how WHEN 'post' THEN 'posted' ELSE 'voided' END, number, r.end_body);
        IF number IS NOT NULL THEN
            PERFORM ledger_write(o_batch_id, ARRAY[number], ARRAY[r.key], ARRAY[held.kind], ARRAY[held.source],
                ARRAY[r.effective], ARRAY[r.body], ARRAY[NULL]::uuid[], ARRAY[held.party],
                array_fill(1, ARRAY[cardinality(r.accounts)]), r.numbers, r.accounts, r.amounts);
            content := content || uuid_send(r.key) || r.body;
            o_posted := o_posted + 1;
        END IF;
        end_holds := end_holds || held.hold_no;
        ends := ends || ledger_row('hold_end', held.hold_no::text, r.key::text,
                                   CASE r.how WHEN 'post' THEN 'posted' ELSE 'voided' END, number::text,
                                   encode(r.end_body, 'hex'));
        o_posted := o_posted + 1;
    END LOOP;
    IF o_posted > 0 THEN
        o_recorded_at := ledger_now(p_now);
        content := content || (SELECT string_agg(e, '' ORDER BY h) FROM unnest(end_holds, ends) AS u (h, e));
        PERFORM ledger_seal(o_batch_id, o_recorded_at, o_posted, content);
        o_digest := sha256(content);
    END IF;
END $$;

-- Release up to `p_most` holds that expired; how many, and the batch.
CREATE FUNCTION ledger_release(p_now timestamptz, p_most integer, OUT o_batch_id bigint, OUT o_released integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due bigint[] := ARRAY(SELECT hold_no FROM hold_open WHERE expires_at <= p_now ORDER BY hold_no LIMIT p_most);
BEGIN
    o_released := 0;
    PERFORM 1 FROM balance WHERE account_id IN (SELECT account_id FROM hold_leg WHERE hold_no = ANY (due))
    ORDER BY account_id FOR NO KEY UPDATE;
    due := ARRAY(SELECT hold_no FROM hold_open WHERE hold_no = ANY (due) ORDER BY hold_no);
    IF cardinality(due) = 0 THEN
        RETURN;
    END IF;
    o_batch_id := ledger_next_batch();
    o_released := cardinality(due);
    INSERT INTO hold_end (hold_no, batch_id, how) SELECT u.hold_no, o_batch_id, 'expired' FROM unnest(due) AS u (hold_no);
    PERFORM ledger_seal(o_batch_id, ledger_now(p_now), o_released, (
        SELECT string_agg(ledger_row('hold_end', u.hold_no::text, NULL, 'expired', NULL, NULL), '' ORDER BY u.hold_no)
        FROM unnest(due) AS u (hold_no)));
END $$;
