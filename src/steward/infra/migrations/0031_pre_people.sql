-- Who people are, and what only they can do: keys with roles, approvals that need a person's secret, caps.

ALTER TABLE api_key ADD COLUMN role text NOT NULL DEFAULT 'service'
    CHECK (role IN ('founder', 'manager', 'operator', 'agent', 'service'));
ALTER TABLE api_key ADD COLUMN expires_at timestamptz;
ALTER TABLE api_key ADD COLUMN successor text REFERENCES api_key;
ALTER TABLE api_key ADD CONSTRAINT api_key_agents_never_decide
    CHECK (role NOT IN ('agent', 'service') OR NOT scopes && ARRAY['approvals:decide', 'keys:admin', 'breaks:resolve']);

-- A key that was ended stays ended: its end may only come sooner.
CREATE FUNCTION api_key_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS NULL OR NEW.revoked_at > OLD.revoked_at) THEN
        RAISE EXCEPTION 'a key that was ended stays ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER api_key_ends_once BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION api_key_stays_ended();

-- Every use of a key that decided or changed something.
CREATE TABLE key_use (
    use_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id  text        NOT NULL,
    name    text        NOT NULL,
    role    text        NOT NULL,
    what    text        NOT NULL,
    channel text        NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX key_use_by_key ON key_use (key_id, use_id);
CREATE TRIGGER key_use_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON key_use
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- When a person first looked at an action that waits for her: the reading time of what cannot be called back.
CREATE TABLE approval_look (
    action_id uuid        NOT NULL,
    person    text        NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (action_id, person)
);
CREATE TRIGGER approval_look_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON approval_look
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- What a day may take, by scope and currency. The ledger keeps it: an account a day with this ceiling.
CREATE TABLE cap (
    scope      text        NOT NULL CHECK (scope ~ '^(all|(kind|agent|tool|goal):[A-Za-z0-9._-]{1,100})$'),
    currency   text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    day_minor  bigint      NOT NULL CHECK (day_minor >= 0),
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL CHECK (changed_by ~ '\S'),
    reason     text        NOT NULL CHECK (reason ~ '\S'),
    PRIMARY KEY (scope, currency)
);

-- Alerts may go to Slack as well.
ALTER TABLE alert DROP CONSTRAINT alert_channel_check;
ALTER TABLE alert ADD CONSTRAINT alert_channel_check CHECK (channel IN ('webhook', 'email', 'slack'));

-- Whose clock counts where keys, deadlines and approvals are judged: the database's own. Where its owner writes a row here,
-- the caller's does: for tests, and where business time is simulated. The application cannot write it.
CREATE TABLE gate_clock (
    is_given boolean PRIMARY KEY DEFAULT true CHECK (is_given),
    reason   text    NOT NULL CHECK (reason ~ '\S')
);
CREATE FUNCTION gate_now(p_at timestamptz) RETURNS timestamptz
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN EXISTS (SELECT FROM gate_clock) THEN p_at ELSE clock_timestamp() END;
END;

-- The least a kind of action asks for, whatever the application says when it opens one. Written by the owner alone; a test
-- holds it against the catalog.
CREATE TABLE gate_floor (
    kind   text    PRIMARY KEY,
    risk   text    NOT NULL CHECK (risk IN ('L2', 'L3')),
    quorum integer NOT NULL CHECK (quorum > 0)
);
INSERT INTO gate_floor (kind, risk, quorum) VALUES
    ('commission.offer', 'L2', 1), ('order.cancel', 'L2', 1), ('po.create', 'L2', 1), ('stock.adjust', 'L2', 1),
    ('supplier.pay', 'L2', 1), ('payout.creator', 'L3', 1), ('policy.change', 'L3', 1), ('payee.change', 'L3', 2);
CREATE FUNCTION effect_keeps_floor() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM gate_floor f WHERE f.kind = NEW.kind
               AND (NEW.risk < f.risk OR NEW.quorum < f.quorum OR (f.risk = 'L3' AND NEW.role IS DISTINCT FROM 'founder'))) THEN
        RAISE EXCEPTION '% asks for more people than that', NEW.kind USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER effect_keeps_floor BEFORE INSERT ON effect FOR EACH ROW EXECUTE FUNCTION effect_keeps_floor();

-- Whose live key this is, shown by its secret. The application cannot make the answer up: it knows digests only.
CREATE FUNCTION key_of(p_key_id text, p_secret text, p_at timestamptz) RETURNS api_key
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    SELECT k FROM api_key k
    WHERE k.key_id = p_key_id AND k.digest = sha256(convert_to(p_secret, 'UTF8'))
      AND (k.revoked_at IS NULL OR k.revoked_at > p_at) AND (k.expires_at IS NULL OR k.expires_at > p_at);
END;

-- Make a key. One that may approve is made by a founder, who shows her own; the first founder's by whoever is first.
CREATE FUNCTION key_make(p_key_id text, p_name text, p_digest bytea, p_scopes text[], p_role text, p_expires timestamptz,
                         p_by_key text, p_by_secret text, p_at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    maker api_key;
    at timestamptz := gate_now(p_at);
BEGIN
    IF p_role IN ('founder', 'manager') OR 'keys:admin' = ANY (p_scopes) THEN
        maker := key_of(p_by_key, p_by_secret, at);
        IF maker.role IS DISTINCT FROM 'founder' THEN
            IF EXISTS (SELECT FROM api_key k WHERE k.role = 'founder') OR p_role <> 'founder' THEN
                RETURN 'not_a_founder';
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext('steward.first_founder'));
            IF EXISTS (SELECT FROM api_key k WHERE k.role = 'founder') THEN
                RETURN 'not_a_founder';
            END IF;
        END IF;
    END IF;
    INSERT INTO api_key (key_id, name, digest, scopes, created_at, role, expires_at)
    VALUES (p_key_id, p_name, p_digest, p_scopes, at, p_role, p_expires);
    RETURN '';
END $$;

-- A new key for the holder of an old one, who shows it; the old one ends at `p_until`.
CREATE FUNCTION key_rotate(p_old text, p_secret text, p_key_id text, p_digest bytea, p_until timestamptz,
                           p_at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old api_key;
    at timestamptz := gate_now(p_at);
BEGIN
    old := key_of(p_old, p_secret, at);
    IF old.key_id IS NULL OR old.successor IS NOT NULL THEN
        RETURN 'no_such_key';
    END IF;
    INSERT INTO api_key (key_id, name, digest, scopes, created_at, role, expires_at)
    VALUES (p_key_id, old.name, p_digest, old.scopes, at, old.role, old.expires_at);
    UPDATE api_key SET revoked_at = p_until, successor = p_key_id WHERE key_id = old.key_id;
    RETURN '';
END $$;

-- Write down what a person decided about an action. She shows her key's secret; role, proposer and arguments are held
-- against the action as it stands. Empty where it was written, else why not.
CREATE FUNCTION gate_decide(p_action uuid, p_digest bytea, p_policy bytea, p_tool bytea, p_decision text, p_key_id text,
                            p_secret text, p_channel text, p_reason text, p_at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    who api_key;
    asked effect;
    at timestamptz := gate_now(p_at);
BEGIN
    who := key_of(p_key_id, p_secret, at);
    IF who.key_id IS NULL THEN
        RETURN 'unknown_key';
    END IF;
    SELECT * INTO asked FROM effect e WHERE e.action_id = p_action FOR UPDATE;
    IF NOT FOUND OR asked.state <> 'awaiting_approval' THEN
        RETURN 'not_waiting';
    END IF;
    IF who.role NOT IN ('founder', 'manager') OR NOT 'approvals:decide' = ANY (who.scopes)
       OR (asked.role = 'founder' AND who.role <> 'founder') THEN
        RETURN 'wrong_role';
    END IF;
    IF who.name = asked.proposer THEN
        RETURN 'own_proposal';
    END IF;
    IF (asked.args_digest, asked.policy_version, asked.tool_version) IS DISTINCT FROM (p_digest, p_policy, p_tool) THEN
        RETURN 'changed';
    END IF;
    IF asked.deadline <= at THEN
        RETURN 'too_late';
    END IF;
    INSERT INTO approval (action_id, args_digest, policy_version, tool_version, decision, person, role, key_id, channel,
                          reason, decided_at, expires_at)
    VALUES (p_action, p_digest, p_policy, p_tool, p_decision, who.name, who.role, who.key_id, p_channel, p_reason, at,
            coalesce(asked.deadline, at + interval '24 hours'))
    ON CONFLICT (action_id, person) DO NOTHING;
    RETURN CASE WHEN FOUND THEN '' ELSE 'decided_before' END;
END $$;

-- Turn a kill switch. Anybody may stop; to let go on takes the key of a manager or a founder, once there is one.
CREATE FUNCTION kill_turn(p_scope text, p_on boolean, p_by text, p_reason text, p_key_id text, p_secret text,
                          p_at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    who api_key;
    at timestamptz := gate_now(p_at);
BEGIN
    IF NOT p_on THEN
        who := key_of(p_key_id, p_secret, at);
        IF (who.key_id IS NULL OR who.role NOT IN ('founder', 'manager') OR NOT 'kill:write' = ANY (who.scopes))
           AND (who.key_id IS NOT NULL OR EXISTS (
               SELECT FROM api_key k WHERE k.role IN ('founder', 'manager')
               AND (k.revoked_at IS NULL OR k.revoked_at > at) AND (k.expires_at IS NULL OR k.expires_at > at))) THEN
            RETURN 'not_a_manager';
        END IF;
    END IF;
    INSERT INTO kill_switch AS k (scope, is_on, changed_at, changed_by, reason)
    SELECT p_scope, true, at, p_by, p_reason
    WHERE p_on OR EXISTS (SELECT FROM kill_switch k WHERE k.scope = p_scope AND k.is_on)
    ON CONFLICT (scope) DO UPDATE SET is_on = p_on, changed_at = at, changed_by = p_by, reason = p_reason
    WHERE k.is_on <> p_on;
    RETURN CASE WHEN FOUND THEN 'changed' ELSE '' END;
END $$;

REVOKE INSERT ON api_key FROM steward_app;
REVOKE INSERT ON approval FROM steward_app;
REVOKE INSERT, UPDATE (is_on, changed_at, changed_by, reason) ON kill_switch FROM steward_app;
REVOKE ALL ON FUNCTION key_of(text, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION key_make(text, text, bytea, text[], text, timestamptz, text, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION key_rotate(text, text, text, bytea, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION kill_turn(text, boolean, text, text, text, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION gate_decide(uuid, bytea, bytea, bytea, text, text, text, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION key_make(text, text, bytea, text[], text, timestamptz, text, text, timestamptz) TO steward_app;
GRANT EXECUTE ON FUNCTION key_rotate(text, text, text, bytea, timestamptz, timestamptz) TO steward_app;
GRANT EXECUTE ON FUNCTION kill_turn(text, boolean, text, text, text, text, timestamptz) TO steward_app;
GRANT EXECUTE ON FUNCTION gate_decide(uuid, bytea, bytea, bytea, text, text, text, text, text, timestamptz) TO steward_app;
GRANT SELECT, INSERT ON key_use, approval_look TO steward_app;
GRANT SELECT, INSERT, UPDATE (day_minor, changed_at, changed_by, reason) ON cap TO steward_app;
GRANT SELECT ON gate_clock, gate_floor TO steward_app;
