-- Rules that proposers ran into, who is shut out for it, and the alerts that tell a person.

-- One row for each rule, proposer and window of time; `times` counts what was refused in it.
CREATE TABLE violation (
    invariant    text        NOT NULL CHECK (octet_length(invariant) BETWEEN 1 AND 1024),
    proposer     text        NOT NULL CHECK (octet_length(proposer) BETWEEN 1 AND 4000),
    window_start timestamptz NOT NULL,
    times        bigint      NOT NULL DEFAULT 1 CHECK (times > 0),
    first_action uuid,
    reason       text        NOT NULL,
    PRIMARY KEY (proposer, window_start, invariant)
) WITH (fillfactor = 50);
CREATE FUNCTION violation_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.times <= OLD.times THEN
        RAISE EXCEPTION 'violations only become more' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER violation_grows BEFORE UPDATE ON violation FOR EACH ROW EXECUTE FUNCTION violation_only_grows();
CREATE TRIGGER violation_is_kept BEFORE DELETE OR TRUNCATE ON violation
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- Who may propose nothing until a person lets them; one open row a proposer.
CREATE TABLE quarantine (
    quarantine_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    proposer      text        NOT NULL,
    since         timestamptz NOT NULL,
    reason        text        NOT NULL,
    lifted_at     timestamptz,
    lifted_by     text,
    lifted_why    text        CHECK (lifted_why ~ '\S'),
    CHECK (num_nulls(lifted_at, lifted_by, lifted_why) IN (0, 3))
);
CREATE UNIQUE INDEX quarantine_open ON quarantine (proposer) WHERE lifted_at IS NULL;
CREATE FUNCTION quarantine_lifts_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.lifted_at IS NOT NULL THEN
        RAISE EXCEPTION 'a quarantine is lifted once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quarantine_lifts BEFORE UPDATE ON quarantine FOR EACH ROW EXECUTE FUNCTION quarantine_lifts_once();
CREATE TRIGGER quarantine_is_kept BEFORE DELETE OR TRUNCATE ON quarantine
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- What is to be told, once for each channel that is configured; delivered by the worker, never by who decides.
CREATE TABLE alert (
    alert_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel      text        NOT NULL CHECK (channel IN ('webhook', 'email')),
    message_id   text        NOT NULL,
    body         jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    state        text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts     integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at      timestamptz NOT NULL,
    CONSTRAINT alert_once UNIQUE (channel, message_id)
);
CREATE INDEX alert_due ON alert (next_at) WHERE state = 'waiting';
CREATE TRIGGER alert_is_kept BEFORE DELETE OR TRUNCATE ON alert FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TABLE alert_attempt (
    alert_id bigint      NOT NULL,
    attempt  integer     NOT NULL CHECK (attempt > 0),
    at       timestamptz NOT NULL,
    answer   text        NOT NULL,
    PRIMARY KEY (alert_id, attempt)
);
CREATE TRIGGER alert_attempt_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON alert_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT, UPDATE (times) ON violation TO steward_app;
GRANT SELECT, INSERT, UPDATE (lifted_at, lifted_by, lifted_why) ON quarantine TO steward_app;
GRANT SELECT, INSERT, UPDATE (state, attempts, next_at) ON alert TO steward_app;
GRANT SELECT, INSERT ON alert_attempt TO steward_app;
