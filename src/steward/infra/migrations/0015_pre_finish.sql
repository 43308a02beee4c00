-- A hold that was placed while its end was on the way is unknown to that end: when the caller looked, and when the accounts
-- were locked, it was not there. Before, its end was answered 'no_legs', or failed for want of a body.

-- End holds: post the legs given (all of them, or the part that is wanted) or void. Answers like ledger_post.
CREATE OR REPLACE FUNCTION ledger_finish(
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
    seen uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(724656);
    seen := ARRAY(SELECT h.key FROM hold h WHERE h.key = ANY (p_holds));
    PERFORM 1 FROM balance WHERE account_id IN (
        SELECT unnest(p_leg_account) UNION
        SELECT l.account_id FROM hold_leg l JOIN hold h USING (hold_no) WHERE h.key = ANY (seen))
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
        IF code NOT IN ('duplicate', 'conflict') AND (r.hold <> ALL (seen) OR (r.how = 'post' AND r.body IS NULL)) THEN
            code := 'unknown_hold';
        END IF;
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
