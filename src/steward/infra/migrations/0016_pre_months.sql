-- Sums by month beside the sums by day: a balance at a date adds up whole months and the days of one. Only the trigger of
-- a day's sums writes them. The days that belong to one month are found by their day.

CREATE TABLE posting_month (
    account_id   integer NOT NULL,
    month        date    NOT NULL,
    debit_minor  bigint  NOT NULL CHECK (debit_minor >= 0),
    credit_minor bigint  NOT NULL CHECK (credit_minor >= 0),
    postings     bigint  NOT NULL CHECK (postings > 0),
    PRIMARY KEY (account_id, month),
    CHECK (month = date_trunc('month', month::timestamp)::date)
);
CREATE INDEX posting_day_by_day ON posting_day (effective_on);
INSERT INTO posting_month (account_id, month, debit_minor, credit_minor, postings)
SELECT account_id, date_trunc('month', effective_on::timestamp)::date, sum(debit_minor), sum(credit_minor), sum(postings)
FROM posting_day GROUP BY 1, 2;

-- Adds what an account was posted since its last fold to the sums by day and by month.
CREATE OR REPLACE FUNCTION posting_fold_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    WITH days AS MATERIALIZED (
        SELECT p.effective_on, (b.recorded_at AT TIME ZONE 'UTC')::date AS recorded_on,
               coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint AS debit,
               coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint AS credit, count(*) AS postings
        FROM posting p JOIN transfer t USING (transfer_no) JOIN ledger_batch b USING (batch_id)
        WHERE p.account_id = NEW.account_id AND p.version > folded AND p.version <= NEW.up_to_version
        GROUP BY 1, 2
    ), by_month AS (
        INSERT INTO posting_month (account_id, month, debit_minor, credit_minor, postings)
        SELECT NEW.account_id, date_trunc('month', d.effective_on::timestamp)::date, sum(d.debit), sum(d.credit),
               sum(d.postings)
        FROM days d GROUP BY 2
        ON CONFLICT (account_id, month) DO UPDATE SET
            debit_minor = posting_month.debit_minor + excluded.debit_minor,
            credit_minor = posting_month.credit_minor + excluded.credit_minor,
            postings = posting_month.postings + excluded.postings
    )
    INSERT INTO posting_day (account_id, effective_on, recorded_on, debit_minor, credit_minor, postings)
    SELECT NEW.account_id, d.effective_on, d.recorded_on, d.debit, d.credit, d.postings FROM days d
    ON CONFLICT (account_id, effective_on, recorded_on) DO UPDATE SET
        debit_minor = posting_day.debit_minor + excluded.debit_minor,
        credit_minor = posting_day.credit_minor + excluded.credit_minor,
        postings = posting_day.postings + excluded.postings;
    RETURN NULL;
END $$;

CREATE TRIGGER posting_month_is_guarded BEFORE INSERT OR UPDATE ON posting_month
    FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER posting_month_is_kept BEFORE DELETE OR TRUNCATE ON posting_month
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT ON posting_month TO steward_app;
