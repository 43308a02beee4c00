-- Limits, closed accounts, periods, rates and folds: what changes seldom, each change a row that stays.

-- Set an account's limits (`p_limits`), whether it is closed (`p_closed`, NULL leaves it), or both. Returns the batch.
CREATE FUNCTION ledger_change_account(
    p_account integer, p_limits boolean, p_floor bigint, p_ceiling bigint, p_closed boolean,
    p_by text, p_reason text, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    was account;
    batch bigint := ledger_next_batch();
    number integer;
BEGIN
    PERFORM 1 FROM balance WHERE account_id = p_account FOR NO KEY UPDATE;
    SELECT * INTO STRICT was FROM account WHERE account_id = p_account;
    SELECT coalesce(max(change_no), 0) + 1 INTO number FROM account_change WHERE account_id = p_account;
    IF NOT p_limits THEN
        p_floor := was.floor_minor;
        p_ceiling := was.ceiling_minor;
    END IF;
    p_closed := coalesce(p_closed, was.is_closed);
    INSERT INTO account_change (account_id, change_no, floor_minor, ceiling_minor, is_closed, changed_by, reason, batch_id)
    VALUES (p_account, number, p_floor, p_ceiling, p_closed, p_by, p_reason, batch);
    PERFORM ledger_seal(batch, ledger_now(p_now), 1, ledger_row('account_change', p_account::text, number::text,
        p_floor::text, p_ceiling::text, p_closed::text, p_by, p_reason));
    RETURN batch;
END $$;

-- Open, close or reopen a period. Waits for everybody who is posting. Returns the batch.
CREATE FUNCTION ledger_set_period(p_name text, p_starts date, p_ends date, p_state text, p_by text, p_reason text,
                                  p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    batch bigint := ledger_next_batch();
    number integer;
BEGIN
    PERFORM pg_advisory_xact_lock(724656);
    SELECT coalesce(max(change_no), 0) + 1 INTO number FROM period_change WHERE name = p_name;
    INSERT INTO period_change (name, change_no, starts_on, ends_on, state, changed_by, reason, batch_id)
    VALUES (p_name, number, p_starts, p_ends, p_state, p_by, p_reason, batch);
    PERFORM ledger_seal(batch, ledger_now(p_now), 1, ledger_row('period_change', p_name, number::text,
        to_char(p_starts, 'YYYY-MM-DD'), to_char(p_ends, 'YYYY-MM-DD'), p_state, p_by, p_reason));
    RETURN batch;
END $$;

-- Write down a rate. Returns the batch.
CREATE FUNCTION ledger_set_rate(p_base text, p_quote text, p_on date, p_numerator bigint, p_denominator bigint,
                                p_source text, p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    batch bigint := ledger_next_batch();
BEGIN
    INSERT INTO fx_rate (base, quote, on_date, numerator, denominator, source, batch_id)
    VALUES (p_base, p_quote, p_on, p_numerator, p_denominator, p_source, batch);
    PERFORM ledger_seal(batch, ledger_now(p_now), 1, ledger_row('fx_rate', p_base, p_quote, to_char(p_on, 'YYYY-MM-DD'),
        p_numerator::text, p_denominator::text, p_source));
    RETURN batch;
END $$;

-- Fold every account with at least `p_least` postings since its last fold into the sums by day. Returns how many.
CREATE FUNCTION ledger_fold(p_least bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    folded integer;
BEGIN
    PERFORM pg_advisory_xact_lock(724657);
    INSERT INTO posting_fold (account_id, up_to_version, postings)
    SELECT b.account_id, b.version, b.version - coalesce(f.version, 0) FROM balance b
    LEFT JOIN (SELECT account_id, max(up_to_version) AS version FROM posting_fold GROUP BY account_id) f USING (account_id)
    WHERE b.version - coalesce(f.version, 0) >= greatest(p_least, 1) ORDER BY b.account_id;
    GET DIAGNOSTICS folded = ROW_COUNT;
    RETURN folded;
END $$;

-- The functions are the only way to write, and the application may call just these.
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS signature, p.proname FROM pg_proc p
             WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'ledger\_%' LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f.signature);
        IF f.proname IN ('ledger_open', 'ledger_post', 'ledger_hold', 'ledger_finish', 'ledger_release',
                         'ledger_change_account', 'ledger_set_period', 'ledger_set_rate', 'ledger_fold') THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO steward_app', f.signature);
        END IF;
    END LOOP;
END $$;
