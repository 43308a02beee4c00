-- Actions that go outside. The proposal, its evidence and its outcome stay as written in `action`; what becomes of it
-- afterwards is one row here, which is also its place in the queue. Every step, attempt and answer is kept beside it.

ALTER TABLE action DROP CONSTRAINT action_outcome_check;
ALTER TABLE action ADD CONSTRAINT action_outcome_check
    CHECK (outcome IN ('shadowed', 'held', 'refused', 'executed', 'receipt'));

CREATE TABLE effect (
    action_id      uuid        PRIMARY KEY REFERENCES action DEFERRABLE INITIALLY DEFERRED,
    kind           text        NOT NULL,
    proposer       text        NOT NULL,
    department     text        NOT NULL,
    goal           text,
    stage          text        NOT NULL CHECK (stage IN ('shadow', 'live')),
    tool           text        NOT NULL,
    verb           text        NOT NULL,
    mode           text        NOT NULL CHECK (mode IN ('native', 'probe', 'none')),
    args           jsonb       NOT NULL,
    args_digest    bytea       NOT NULL CHECK (length(args_digest) = 32),
    policy_version bytea       NOT NULL CHECK (length(policy_version) = 32),
    tool_version   bytea       NOT NULL CHECK (length(tool_version) = 32),
    risk           text        NOT NULL CHECK (risk IN ('L0', 'L1', 'L2', 'L3')),
    amount_minor   bigint      CHECK (amount_minor >= 0),
    currency       text        CHECK (currency ~ '^[A-Z]{3}$'),
    quorum         integer     NOT NULL CHECK (quorum >= 0),
    role           text,
    escalated_to   text,
    reason         text        NOT NULL DEFAULT '',
    hold           text,
    deadline       timestamptz,
    opened_at      timestamptz NOT NULL,
    state          text        NOT NULL CHECK (state IN ('awaiting_approval', 'ready', 'executing', 'succeeded', 'failed',
                               'unknown', 'probing', 'settled', 'compensating', 'compensated', 'cancelled', 'expired',
                               'rejected', 'shadowed')),
    fence          bigint      NOT NULL DEFAULT 0 CHECK (fence >= 0),
    owner          text,
    lease_until    timestamptz,
    due_at         timestamptz NOT NULL,
    attempts       integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    probes         integer     NOT NULL DEFAULT 0 CHECK (probes >= 0),
    first_sent_at  timestamptz,
    last_sent_at   timestamptz,
    remote_ref     text,
    result         jsonb       NOT NULL DEFAULT '{}',
    is_unanswered  boolean     NOT NULL DEFAULT false,
    doubt_until    timestamptz,
    refused        text        NOT NULL DEFAULT '',
    needs_person   text        NOT NULL DEFAULT '',
    checked_at     timestamptz,
    confirmed      text        NOT NULL DEFAULT '',
    changed_at     timestamptz NOT NULL,
    CHECK ((amount_minor IS NULL) = (currency IS NULL)),
    CHECK ((quorum = 0) = (role IS NULL)),
    CHECK (state <> 'executing' OR (owner IS NOT NULL AND lease_until IS NOT NULL AND first_sent_at IS NOT NULL)),
    CHECK (stage = 'live' OR state IN ('awaiting_approval', 'shadowed', 'cancelled', 'expired', 'rejected'))
) WITH (fillfactor = 60);
-- The queue: what a worker may take up now or later. What waits for a person is not in it.
CREATE INDEX effect_due ON effect (due_at, action_id)
    WHERE state IN ('ready', 'executing', 'unknown', 'probing', 'compensating') AND needs_person = '';
CREATE INDEX effect_waiting ON effect (deadline) WHERE state = 'awaiting_approval';
CREATE INDEX effect_person ON effect (changed_at) WHERE needs_person <> '';
CREATE INDEX effect_by_ref ON effect (remote_ref) WHERE remote_ref IS NOT NULL AND state = 'succeeded';

CREATE TABLE effect_step (
    action_id uuid        NOT NULL,
    n         integer     NOT NULL CHECK (n > 0),
    state     text        NOT NULL,
    at        timestamptz NOT NULL,
    by        text        NOT NULL,
    fence     bigint      NOT NULL,
    detail    text        NOT NULL DEFAULT '',
    PRIMARY KEY (action_id, n)
);
CREATE TRIGGER effect_step_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect_step
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- An attempt is written before anything is sent; its answer afterwards, if there is one.
CREATE TABLE effect_attempt (
    action_id      uuid        NOT NULL,
    n              integer     NOT NULL CHECK (n > 0),
    purpose        text        NOT NULL CHECK (purpose IN ('send', 'probe', 'confirm', 'undo')),
    fence          bigint      NOT NULL,
    started_at     timestamptz NOT NULL,
    request_digest bytea       NOT NULL CHECK (length(request_digest) = 32),
    PRIMARY KEY (action_id, n)
);
CREATE TRIGGER effect_attempt_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TABLE effect_answer (
    action_id       uuid        NOT NULL,
    n               integer     NOT NULL,
    ended_at        timestamptz NOT NULL,
    outcome         text        NOT NULL,
    status          integer,
    remote_ref      text,
    response_digest bytea,
    detail          text        NOT NULL DEFAULT '',
    PRIMARY KEY (action_id, n)
);
CREATE TRIGGER effect_answer_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON effect_answer
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- What a person said about an action, under exactly these arguments, rules and tool.
CREATE TABLE approval (
    approval_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action_id      uuid        NOT NULL,
    args_digest    bytea       NOT NULL CHECK (length(args_digest) = 32),
    policy_version bytea       NOT NULL CHECK (length(policy_version) = 32),
    tool_version   bytea       NOT NULL CHECK (length(tool_version) = 32),
    decision       text        NOT NULL CHECK (decision IN ('approve', 'reject')),
    person         text        NOT NULL,
    role           text        NOT NULL,
    key_id         text        NOT NULL,
    channel        text        NOT NULL,
    reason         text        NOT NULL DEFAULT '',
    decided_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);
CREATE UNIQUE INDEX approval_once ON approval (action_id, person);
CREATE TRIGGER approval_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- Which moves there are (gateway/core/machine.py says why); this table refuses all others, whoever asks. A fence only
-- grows; the arguments of an action never change; nothing is sent without its approvals.
CREATE FUNCTION effect_moves() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    agreed integer;
BEGIN
    IF (NEW.action_id, NEW.kind, NEW.proposer, NEW.stage, NEW.tool, NEW.verb, NEW.mode, NEW.args_digest, NEW.args,
        NEW.policy_version, NEW.tool_version, NEW.risk, NEW.quorum, NEW.opened_at)
       IS DISTINCT FROM
       (OLD.action_id, OLD.kind, OLD.proposer, OLD.stage, OLD.tool, OLD.verb, OLD.mode, OLD.args_digest, OLD.args,
        OLD.policy_version, OLD.tool_version, OLD.risk, OLD.quorum, OLD.opened_at) THEN
        RAISE EXCEPTION 'what an action is does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.fence < OLD.fence OR (NEW.owner IS DISTINCT FROM OLD.owner AND NEW.owner IS NOT NULL AND NEW.fence = OLD.fence) THEN
        RAISE EXCEPTION 'a new owner has a new fence' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('awaiting_approval', 'ready'), ('awaiting_approval', 'rejected'), ('awaiting_approval', 'expired'),
        ('awaiting_approval', 'cancelled'), ('awaiting_approval', 'shadowed'),
        ('ready', 'executing'), ('ready', 'cancelled'), ('ready', 'expired'), ('ready', 'failed'),
        ('executing', 'succeeded'), ('executing', 'failed'), ('executing', 'unknown'), ('executing', 'ready'),
        ('unknown', 'probing'), ('unknown', 'executing'), ('unknown', 'succeeded'), ('unknown', 'failed'),
        ('unknown', 'settled'),
        ('executing', 'probing'),
        ('probing', 'unknown'), ('probing', 'succeeded'), ('probing', 'ready'), ('probing', 'failed'),
        ('succeeded', 'settled'), ('succeeded', 'compensating'), ('settled', 'compensating'),
        ('compensating', 'compensated')) THEN
        RAISE EXCEPTION 'an action does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'executing' AND OLD.state <> 'executing' THEN
        IF NEW.fence <= OLD.fence THEN
            RAISE EXCEPTION 'whoever sends takes a new fence' USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.quorum > 0 THEN
            SELECT count(DISTINCT a.person) INTO agreed FROM approval a
            WHERE a.action_id = NEW.action_id AND a.decision = 'approve' AND a.args_digest = NEW.args_digest
              AND a.policy_version = NEW.policy_version AND a.tool_version = NEW.tool_version AND a.person <> NEW.proposer
              AND (OLD.state <> 'ready' OR a.expires_at > gate_now(NEW.changed_at));
            IF agreed < NEW.quorum
               OR EXISTS (SELECT FROM approval a WHERE a.action_id = NEW.action_id AND a.decision = 'reject') THEN
                RAISE EXCEPTION 'an action goes out with % approvals, not %', NEW.quorum, agreed
                    USING ERRCODE = 'restrict_violation';
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER effect_moves_in_order BEFORE UPDATE ON effect FOR EACH ROW EXECUTE FUNCTION effect_moves();
CREATE TRIGGER effect_is_kept BEFORE DELETE OR TRUNCATE ON effect FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE FUNCTION effect_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state NOT IN ('awaiting_approval', 'ready') OR NEW.fence <> 0 OR (NEW.quorum > 0 AND NEW.state = 'ready')
       OR (NEW.risk IN ('L2', 'L3') AND NEW.quorum = 0) THEN
        RAISE EXCEPTION 'an action begins ready, or waiting for its approvals' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER effect_begins_waiting BEFORE INSERT ON effect FOR EACH ROW EXECUTE FUNCTION effect_begins();

-- What stops effects, by scope: all, department:X, agent:X, tool:X, kind:X. One row a scope; its history is in the log.
CREATE TABLE kill_switch (
    scope      text        PRIMARY KEY CHECK (scope ~ '^(all|(department|agent|tool|kind):[^\s]{1,200})$'),
    is_on      boolean     NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL CHECK (changed_by ~ '\S'),
    reason     text        NOT NULL CHECK (reason ~ '\S')
);
CREATE TRIGGER kill_switch_is_kept BEFORE DELETE OR TRUNCATE ON kill_switch
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- Token buckets: `level` millionths of a token were there at `at`. One row a tool or verb; every process draws from it.
CREATE UNLOGGED TABLE rate_bucket (
    name  text        PRIMARY KEY,
    level bigint      NOT NULL CHECK (level >= 0),
    granted bigint    NOT NULL,
    at    timestamptz NOT NULL
) WITH (fillfactor = 30);
-- Circuit breakers by tool: open until `open_until`, then one call tries.
CREATE TABLE breaker (
    tool       text        PRIMARY KEY,
    failures   integer     NOT NULL CHECK (failures >= 0),
    open_until timestamptz,
    changed_at timestamptz NOT NULL
) WITH (fillfactor = 30);

-- Which of an owner's own checks of a tool's credentials passed: before that, `documented` verbs move no money.
CREATE TABLE tool_check (
    check_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tool         text        NOT NULL,
    tool_version bytea       NOT NULL CHECK (length(tool_version) = 32),
    address      text        NOT NULL,
    passed       boolean     NOT NULL,
    detail       text        NOT NULL,
    checked_at   timestamptz NOT NULL
);
CREATE TRIGGER tool_check_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tool_check
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
-- OAuth tokens, encrypted under a key that is in a file and never here.
CREATE TABLE tool_token (
    tool           text        PRIMARY KEY,
    sealed         bytea,
    expires_at     timestamptz,
    renewing_until timestamptz,
    changed_at     timestamptz NOT NULL
);

-- What was taken by a payment and given back of it is asked for before each refund.
CREATE INDEX event_by_payment ON event ((data->>'payment_id'))
    WHERE type IN ('PaymentCaptured', 'RefundProcessed', 'DisputeOpened');

GRANT SELECT, INSERT ON effect TO steward_app;
GRANT UPDATE (state, fence, owner, lease_until, due_at, attempts, probes, first_sent_at, last_sent_at, remote_ref,
              result, is_unanswered, doubt_until, refused, needs_person, checked_at, confirmed, changed_at, escalated_to) ON effect TO steward_app;
GRANT SELECT, INSERT ON effect_step, effect_attempt, effect_answer, approval, tool_check TO steward_app;
GRANT SELECT, INSERT, UPDATE (is_on, changed_at, changed_by, reason) ON kill_switch TO steward_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_bucket TO steward_app;
GRANT SELECT, INSERT, UPDATE ON breaker, tool_token TO steward_app;
