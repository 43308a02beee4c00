-- Actions that take effect in the transaction that proves them: facts are read under row locks, and caps stand here again.

ALTER TABLE action DROP CONSTRAINT action_outcome_check;
ALTER TABLE action ADD CONSTRAINT action_outcome_check
    CHECK (outcome IN ('shadowed', 'held', 'refused', 'executed'));
-- Money that takes effect is never negative and never without an amount.
ALTER TABLE action ADD CONSTRAINT action_executed_has_amount
    CHECK (outcome <> 'executed' OR (amount_minor IS NOT NULL AND amount_minor > 0));

-- Balances of accounts, locked until the transaction ends, always in the order of their ids, as the ledger's own
-- functions lock them: two that want the same accounts wait for each other and never in a circle.
CREATE FUNCTION ledger_lock(p_accounts integer[], OUT o_account integer, OUT o_amount bigint,
                            OUT o_pending_debit bigint, OUT o_pending_credit bigint)
RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT account_id, amount_minor, pending_debit_minor, pending_credit_minor FROM balance
    WHERE account_id = ANY (p_accounts) ORDER BY account_id FOR NO KEY UPDATE;
END;
REVOKE ALL ON FUNCTION ledger_lock(integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_lock(integer[]) TO steward_app;

-- What a kind took on a day in one currency. The rule in the catalog keeps it under the day's cap; so does this table,
-- without any proof, should the gate be wrong.
CREATE TABLE gate_day (
    kind       text   NOT NULL,
    currency   text   NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    day        date   NOT NULL,
    used_minor bigint NOT NULL DEFAULT 0,
    cap_minor  bigint NOT NULL,
    PRIMARY KEY (kind, currency, day),
    CONSTRAINT gate_day_under_cap CHECK (used_minor BETWEEN 0 AND cap_minor)
) WITH (fillfactor = 40);

CREATE FUNCTION gate_day_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.used_minor < OLD.used_minor THEN
        RAISE EXCEPTION 'what a day took never becomes less' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER gate_day_grows BEFORE UPDATE ON gate_day FOR EACH ROW EXECUTE FUNCTION gate_day_only_grows();
CREATE TRIGGER gate_day_is_kept BEFORE DELETE OR TRUNCATE ON gate_day
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT, UPDATE (used_minor, cap_minor) ON gate_day TO steward_app;
