-- The guards of the books: what no statement can get around, whoever runs it.

-- Only triggers may: inside one, an update by hand is a level deeper than this guard's own.
CREATE FUNCTION deny_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% is written by its triggers only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION account_opens_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balance (account_id) SELECT account_id FROM new_account;
    RETURN NULL;
END $$;

CREATE FUNCTION account_change_applies() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.change_no <> coalesce((SELECT max(change_no) FROM account_change c
                                  WHERE c.account_id = NEW.account_id AND c.change_no <> NEW.change_no), 0) + 1 THEN
        RAISE EXCEPTION 'account % has a broken chain of changes', NEW.account_id USING ERRCODE = 'check_violation';
    END IF;
    UPDATE account SET floor_minor = NEW.floor_minor, ceiling_minor = NEW.ceiling_minor, is_closed = NEW.is_closed
    WHERE account_id = NEW.account_id;
    RETURN NULL;
END $$;

-- The only writer of balance amounts: once a statement, over all postings it inserted.
CREATE FUNCTION posting_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    bad text;
    limited boolean;
BEGIN
    SELECT n.transfer_no::text INTO bad
    FROM new_posting n LEFT JOIN account a USING (account_id)
    GROUP BY n.transfer_no, a.currency HAVING sum(n.amount_minor) <> 0 LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'transfer % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;

    SELECT c.account_id::text INTO bad
    FROM (
        SELECT n.account_id, n.version, n.balance_after, n.amount_minor,
               row_number() OVER w AS place, lag(n.balance_after) OVER w AS before
        FROM new_posting n WINDOW w AS (PARTITION BY n.account_id ORDER BY n.version)
    ) c LEFT JOIN balance b USING (account_id)
    WHERE b.account_id IS NULL OR c.version <> b.version + c.place
       OR c.balance_after <> coalesce(c.before, b.amount_minor) + c.amount_minor LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % has a broken version chain', bad USING ERRCODE = 'check_violation';
    END IF;

    UPDATE balance b SET amount_minor = b.amount_minor + s.amount, version = b.version + s.postings
    FROM (SELECT account_id, sum(amount_minor)::bigint AS amount, count(*) AS postings
          FROM new_posting GROUP BY account_id) s
    WHERE b.account_id = s.account_id;

    SELECT min(a.code) FILTER (WHERE a.is_closed),
           coalesce(bool_or(a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL), false)
    INTO bad, limited
    FROM account a WHERE a.account_id IN (SELECT account_id FROM new_posting);
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % is closed', bad USING ERRCODE = 'check_violation';
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

-- Postings in chain order: after each transfer's last one on an account, the account is inside its limits.
CREATE FUNCTION posting_limits(p_account integer[], p_transfer bigint[], p_amount bigint[], p_after bigint[])
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    bad text;
BEGIN
    SELECT a.code INTO bad
    FROM (
        SELECT account, transfer, sum(amount) AS net, (array_agg(after ORDER BY ord DESC))[1] AS after
        FROM unnest(p_account, p_transfer, p_amount, p_after) WITH ORDINALITY AS u (account, transfer, amount, after, ord)
        GROUP BY account, transfer
    ) s JOIN account a ON a.account_id = s.account JOIN balance b ON b.account_id = s.account
    WHERE (s.net < 0 AND s.after - b.pending_credit_minor < a.floor_minor)
       OR (s.net > 0 AND s.after + b.pending_debit_minor > a.ceiling_minor) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % would be beyond its limit', bad USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION hold_opens() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO hold_open (hold_no, expires_at) SELECT hold_no, expires_at FROM new_hold;
    RETURN NULL;
END $$;

-- The only writers of pending amounts.
CREATE FUNCTION hold_leg_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    bad text;
BEGIN
    SELECT n.hold_no::text INTO bad FROM new_leg n LEFT JOIN account a USING (account_id)
    GROUP BY n.hold_no, a.currency HAVING sum(n.amount_minor) <> 0 OR bool_or(a.account_id IS NULL) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'hold % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;
    SELECT n.hold_no::text INTO bad FROM new_leg n JOIN hold_end e USING (hold_no) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'hold % has ended', bad USING ERRCODE = 'check_violation';
    END IF;
    UPDATE balance b SET pending_debit_minor = b.pending_debit_minor + s.debit,
                         pending_credit_minor = b.pending_credit_minor + s.credit
    FROM (SELECT account_id, coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0)::bigint AS debit,
                 coalesce(-sum(amount_minor) FILTER (WHERE amount_minor < 0), 0)::bigint AS credit
          FROM new_leg GROUP BY account_id) s
    WHERE b.account_id = s.account_id;
    SELECT a.code INTO bad
    FROM (SELECT account_id, sum(amount_minor) AS net FROM new_leg GROUP BY account_id) s
    JOIN account a USING (account_id) JOIN balance b USING (account_id)
    WHERE (s.net < 0 AND b.amount_minor - b.pending_credit_minor < a.floor_minor)
       OR (s.net > 0 AND b.amount_minor + b.pending_debit_minor > a.ceiling_minor) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % would be beyond its limit', bad USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION hold_end_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_end n WHERE NOT EXISTS (SELECT FROM hold h WHERE h.hold_no = n.hold_no)) THEN
        RAISE EXCEPTION 'the end of a hold that does not exist' USING ERRCODE = 'check_violation';
    END IF;
    DELETE FROM hold_open o USING new_end n WHERE o.hold_no = n.hold_no;
    UPDATE balance b SET pending_debit_minor = b.pending_debit_minor - s.debit,
                         pending_credit_minor = b.pending_credit_minor - s.credit
    FROM (SELECT l.account_id, coalesce(sum(l.amount_minor) FILTER (WHERE l.amount_minor > 0), 0)::bigint AS debit,
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.amount_minor < 0), 0)::bigint AS credit
          FROM new_end n JOIN hold_leg l USING (hold_no) GROUP BY l.account_id) s
    WHERE b.account_id = s.account_id;
    RETURN NULL;
END $$;

CREATE FUNCTION period_change_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.change_no <> coalesce((SELECT max(change_no) FROM period_change c
                                  WHERE c.name = NEW.name AND c.change_no <> NEW.change_no), 0) + 1 THEN
        RAISE EXCEPTION 'period % has a broken chain of changes', NEW.name USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM period_change c
               WHERE CASE WHEN c.name = NEW.name THEN (c.starts_on, c.ends_on) <> (NEW.starts_on, NEW.ends_on)
                          ELSE c.starts_on < NEW.ends_on AND NEW.starts_on < c.ends_on END) THEN
        RAISE EXCEPTION 'period % would overlap another or change its days', NEW.name USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

-- Adds what an account was posted since its last fold to the sums by day.
CREATE FUNCTION posting_fold_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    folded bigint;
BEGIN
    SELECT coalesce(max(up_to_version), 0) INTO folded FROM posting_fold
    WHERE account_id = NEW.account_id AND up_to_version <> NEW.up_to_version;
    IF NEW.up_to_version <> folded + NEW.postings OR NEW.up_to_version >
        (SELECT coalesce(max(version), 0) FROM balance WHERE account_id = NEW.account_id) THEN
        RAISE EXCEPTION 'account % cannot be folded up to version %', NEW.account_id, NEW.up_to_version
            USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO posting_day (account_id, effective_on, recorded_on, debit_minor, credit_minor, postings)
    SELECT NEW.account_id, p.effective_on, (b.recorded_at AT TIME ZONE 'UTC')::date,
           coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint,
           coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint, count(*)
    FROM posting p JOIN transfer t USING (transfer_no) JOIN ledger_batch b USING (batch_id)
    WHERE p.account_id = NEW.account_id AND p.version > folded AND p.version <= NEW.up_to_version
    GROUP BY 2, 3
    ON CONFLICT (account_id, effective_on, recorded_on) DO UPDATE SET
        debit_minor = posting_day.debit_minor + excluded.debit_minor,
        credit_minor = posting_day.credit_minor + excluded.credit_minor,
        postings = posting_day.postings + excluded.postings;
    RETURN NULL;
END $$;

CREATE TRIGGER account_opens AFTER INSERT ON account
    REFERENCING NEW TABLE AS new_account FOR EACH STATEMENT EXECUTE FUNCTION account_opens_balance();
CREATE TRIGGER account_is_guarded BEFORE UPDATE ON account FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER account_is_kept BEFORE DELETE OR TRUNCATE ON account FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER account_change_is_applied AFTER INSERT ON account_change
    FOR EACH ROW EXECUTE FUNCTION account_change_applies();
CREATE TRIGGER balance_is_guarded BEFORE INSERT OR UPDATE ON balance FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER balance_is_kept BEFORE DELETE OR TRUNCATE ON balance FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER posting_keeps_the_books AFTER INSERT ON posting
    REFERENCING NEW TABLE AS new_posting FOR EACH STATEMENT EXECUTE FUNCTION posting_guard();
CREATE TRIGGER hold_is_listed AFTER INSERT ON hold
    REFERENCING NEW TABLE AS new_hold FOR EACH STATEMENT EXECUTE FUNCTION hold_opens();
CREATE TRIGGER hold_open_is_guarded BEFORE INSERT OR UPDATE OR DELETE ON hold_open
    FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER hold_open_is_kept BEFORE TRUNCATE ON hold_open FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER hold_leg_keeps_pending AFTER INSERT ON hold_leg
    REFERENCING NEW TABLE AS new_leg FOR EACH STATEMENT EXECUTE FUNCTION hold_leg_guard();
CREATE TRIGGER hold_end_keeps_pending AFTER INSERT ON hold_end
    REFERENCING NEW TABLE AS new_end FOR EACH STATEMENT EXECUTE FUNCTION hold_end_guard();
CREATE TRIGGER period_change_is_checked AFTER INSERT ON period_change
    FOR EACH ROW EXECUTE FUNCTION period_change_guard();
CREATE TRIGGER posting_fold_adds AFTER INSERT ON posting_fold
    FOR EACH ROW EXECUTE FUNCTION posting_fold_guard();
CREATE TRIGGER posting_day_is_guarded BEFORE INSERT OR UPDATE ON posting_day
    FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER posting_day_is_kept BEFORE DELETE OR TRUNCATE ON posting_day
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledger_batch', 'account_change', 'transfer', 'posting', 'hold', 'hold_leg', 'hold_end',
                                'period_change', 'fx_rate', 'posting_fold'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION deny_change()', name || '_is_append_only', name);
    END LOOP;
END $$;

GRANT SELECT ON ledger_batch, account, account_change, balance, transfer, posting, hold, hold_open, hold_leg, hold_end,
    period_change, period, fx_rate, posting_fold, posting_day TO steward_app;
GRANT SELECT, INSERT, DELETE ON ledger_unposted TO steward_app;
