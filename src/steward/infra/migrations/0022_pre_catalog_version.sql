-- Versions of the catalog: a chain of digests. The newest is the one in force.

CREATE TABLE catalog_version (
    number         integer     PRIMARY KEY CHECK (number > 0),
    digest         bytea       NOT NULL CHECK (length(digest) = 32),
    previous       bytea       CHECK (length(previous) = 32),
    rules_digest   bytea       NOT NULL CHECK (length(rules_digest) = 32),
    theorem_digest bytea       CHECK (length(theorem_digest) = 32),
    document       text        NOT NULL,
    reason         text        NOT NULL CHECK (reason ~ '\S'),
    approved_by    text        NOT NULL CHECK (approved_by ~ '\S'),
    key_id         text,
    signature      text,
    recorded_at    timestamptz NOT NULL,
    CHECK ((number = 1) = (previous IS NULL)),
    CHECK ((key_id IS NULL) = (signature IS NULL)),
    CHECK (number = 1 OR signature IS NOT NULL),
    CHECK (sha256(convert_to(document, 'UTF8')) = digest)
);
CREATE FUNCTION catalog_version_chains() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.number > 1 AND NOT EXISTS (SELECT FROM catalog_version v
                                      WHERE v.number = NEW.number - 1 AND v.digest = NEW.previous) THEN
        RAISE EXCEPTION 'version % does not follow the one before it', NEW.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalog_version_is_a_chain BEFORE INSERT ON catalog_version
    FOR EACH ROW EXECUTE FUNCTION catalog_version_chains();
CREATE TRIGGER catalog_version_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog_version
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- What a person signed, before it is in force: the new digest after the previous one.
CREATE TABLE catalog_approval (
    digest      bytea       NOT NULL CHECK (length(digest) = 32),
    previous    bytea       NOT NULL CHECK (length(previous) = 32),
    approved_by text        NOT NULL CHECK (approved_by ~ '\S'),
    key_id      text        NOT NULL,
    signature   text        NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (digest, previous, key_id)
);
CREATE TRIGGER catalog_approval_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON catalog_approval
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT ON catalog_version, catalog_approval TO steward_app;
