-- Who people are, and what only they can do: keys with roles, approvals that need a person's secret, caps.

ALTER TABLE api_key ADD COLUMN role text NOT NULL DEFAULT 'service'
    CHECK (role IN ('founder', 'manager', 'operator', 'agent', 'service'));
ALTER TABLE api_key ADD COLUMN expires_at timestamptz;
ALTER TABLE api_key ADD COLUMN successor text REFERENCES api_key;
ALTER TABLE api_key ADD CONSTRAINT api_key_agents_never_decide
    CHECK (role NOT IN ('agent', 'service') OR NOT scopes && ARRAY['approvals:decide', 'keys:admin']);

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
BEGIN
    IF p_role IN ('founder', 'manager') OR 'keys:admin' = ANY (p_scopes) THEN
        maker := key_of(p_by_key, p_by_secret, p_at);
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
    VALUES (p_key_id, p_name, p_digest, p_scopes, p_at, p_role, p_expires);
    RETURN '';
END $$;

-- A new key for the holder of an old one, who shows it; the old one ends at `p_until`.
CREATE FUNCTION key_rotate(p_old text, p_secret text, p_key_id text, p_digest bytea, p_until timestamptz,
                           p_at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old api_key;
BEGIN
    old := key_of(p_old, p_secret, p_at);
    IF old.key_id IS NULL OR old.successor IS NOT NULL THEN
        RETURN 'no_such_key';
    END IF;
    INSERT INTO api_key (key_id, name, digest, scopes, created_at, role, expires_at)
    VALUES (p_key_id, old.name, p_digest, old.scopes, p_at, old.role, old.expires_at);
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
BEGIN
    who := key_of(p_key_id, p_secret, p_at);
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
    IF asked.deadline <= p_at THEN
        RETURN 'too_late';
    END IF;
    INSERT INTO approval (action_id, args_digest, policy_version, tool_version, decision, person, role, key_id, channel,
                          reason, decided_at, expires_at)
    VALUES (p_action, p_digest, p_policy, p_tool, p_decision, who.name, who.role, who.key_id, p_channel, p_reason, p_at,
            coalesce(asked.deadline, p_at + interval '24 hours'))
    ON CONFLICT (action_id, person) DO NOTHING;
    RETURN CASE WHEN FOUND THEN '' ELSE 'decided_before' END;
END $$;

REVOKE INSERT ON api_key FROM steward_app;
REVOKE INSERT ON approval FROM steward_app;
REVOKE ALL ON FUNCTION key_of(text, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION key_make(text, text, bytea, text[], text, timestamptz, text, text, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION key_rotate(text, text, text, bytea, timestamptz, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION gate_decide(uuid, bytea, bytea, bytea, text, text, text, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION key_make(text, text, bytea, text[], text, timestamptz, text, text, timestamptz) TO steward_app;
GRANT EXECUTE ON FUNCTION key_rotate(text, text, text, bytea, timestamptz, timestamptz) TO steward_app;
GRANT EXECUTE ON FUNCTION gate_decide(uuid, bytea, bytea, bytea, text, text, text, text, text, timestamptz) TO steward_app;
GRANT SELECT, INSERT ON key_use, approval_look TO steward_app;
GRANT SELECT, INSERT, UPDATE (day_minor, changed_at, changed_by, reason) ON cap TO steward_app;
