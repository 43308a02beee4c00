-- Payouts to creators. What was prepared is kept as it was; the state goes one way. A creator has at most one payout on its
-- way in a currency, so that nobody prepares the same money twice, whoever writes.
CREATE TABLE payout (
    payout_id       text        PRIMARY KEY,
    batch_id        text        NOT NULL,
    creator_id      text        NOT NULL,
    currency        text        NOT NULL,
    amount_minor    bigint      NOT NULL CHECK (amount_minor > 0),
    clawed_minor    bigint      NOT NULL CHECK (clawed_minor <= 0),
    held_back_minor bigint      NOT NULL CHECK (held_back_minor >= 0),
    payee           text        NOT NULL,
    reference       text        NOT NULL UNIQUE,
    digest          bytea       NOT NULL,
    screening       jsonb       NOT NULL,
    prepared_at     timestamptz NOT NULL,
    prepared_by     text        NOT NULL,
    action_id       text        UNIQUE,
    state           text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sent', 'landed', 'dropped')),
    why             text        NOT NULL DEFAULT '',
    moved_at        timestamptz,
    landed_ref      text,
    CHECK ((state = 'open') = (moved_at IS NULL)),
    CHECK ((state = 'landed') = (landed_ref IS NOT NULL))
);
CREATE UNIQUE INDEX payout_on_its_way ON payout (creator_id, currency) WHERE state = 'open';
CREATE INDEX payout_sent ON payout (moved_at) WHERE state = 'sent';
CREATE TABLE payout_line (
    payout_id    text   NOT NULL REFERENCES payout,
    kind         text   NOT NULL CHECK (kind IN ('commission', 'elsewhere')),
    ref          text   NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (payout_id, kind, ref)
);
CREATE INDEX payout_line_by_ref ON payout_line (kind, ref);
CREATE TRIGGER payout_line_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_line
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER payout_is_kept BEFORE DELETE OR TRUNCATE ON payout FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- The lines of a payout make its amount, when the transaction that writes them ends.
CREATE FUNCTION payout_adds_up() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF (SELECT amount_minor FROM public.payout WHERE payout_id = NEW.payout_id)
       IS DISTINCT FROM (SELECT sum(amount_minor) FROM public.payout_line WHERE payout_id = NEW.payout_id) THEN
        RAISE EXCEPTION 'the lines of payout % do not make its amount', NEW.payout_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payout_adds_up AFTER INSERT ON payout DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payout_adds_up();
CREATE CONSTRAINT TRIGGER payout_line_adds_up AFTER INSERT ON payout_line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payout_adds_up();

-- What a payee is called, said with the change that people are asked about: a name that nobody agreed to is in force nowhere.
CREATE TABLE payee_name (
    change_id text        PRIMARY KEY,
    party     text        NOT NULL,
    payee     text        NOT NULL,
    name      text        NOT NULL,
    named_at  timestamptz NOT NULL,
    named_by  text        NOT NULL
);
CREATE TRIGGER payee_name_is_kept BEFORE DELETE OR TRUNCATE ON payee_name FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT, UPDATE (action_id, state, why, moved_at, landed_ref) ON payout TO steward_app;
GRANT SELECT, INSERT ON payout_line TO steward_app;
GRANT SELECT, INSERT ON payee_name TO steward_app;
