-- Forecasts, proof bundles, decisions and action outcomes: written once, together, never changed.

CREATE TABLE forecast (
    forecast_id uuid        PRIMARY KEY,
    action_id   uuid        NOT NULL,
    option      text        NOT NULL,
    quantity    text        NOT NULL,
    low         bigint      NOT NULL,
    mid         bigint      NOT NULL,
    high        bigint      NOT NULL,
    level       text        NOT NULL,
    horizon_end timestamptz NOT NULL,
    basis       jsonb       NOT NULL,
    CHECK (low <= mid AND mid <= high)
);
CREATE INDEX forecast_by_action ON forecast (action_id);

CREATE TABLE forecast_settlement (
    forecast_id uuid   PRIMARY KEY REFERENCES forecast,
    actual      bigint NOT NULL,
    baseline    bigint
);

-- `bundle` is the evidence as text, byte for byte what the checker read; its digest is anchored in the log.
CREATE TABLE proof_bundle (
    action_id     uuid  PRIMARY KEY,
    verdict       text  NOT NULL CHECK (verdict IN ('ALLOW', 'DENY', 'ESCALATE')),
    answer        jsonb NOT NULL,
    bundle        text  NOT NULL,
    bundle_digest bytea NOT NULL CHECK (length(bundle_digest) = 32)
);

CREATE TABLE decision (
    decision_id    uuid  PRIMARY KEY,
    action_id      uuid  NOT NULL UNIQUE,
    policy_version text  NOT NULL,
    chosen         text  NOT NULL,
    propensity     text  NOT NULL,
    record         jsonb NOT NULL,
    digest         bytea NOT NULL CHECK (length(digest) = 32)
);

CREATE TABLE action (
    action_id       uuid        PRIMARY KEY,
    idempotency_key text        NOT NULL CONSTRAINT action_idempotency_key UNIQUE,
    kind            text        NOT NULL,
    proposed_at     timestamptz NOT NULL,
    proposer        text        NOT NULL,
    snapshot_id     uuid        NOT NULL,
    proposal        jsonb       NOT NULL,
    outcome         text        NOT NULL CHECK (outcome IN ('shadowed', 'held', 'refused')),
    risk            text        NOT NULL CHECK (risk IN ('L0', 'L1', 'L2', 'L3')),
    amount_minor    bigint,
    result          jsonb       NOT NULL
);
CREATE INDEX action_by_time ON action (kind, proposed_at);

CREATE TRIGGER forecast_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forecast
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER forecast_settlement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON forecast_settlement
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER proof_bundle_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proof_bundle
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER decision_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decision
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER action_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON action
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT ON forecast, forecast_settlement, proof_bundle, decision, action TO steward_app;
