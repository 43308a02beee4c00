-- A database whose time is simulated says so for ever: nobody takes its books for real ones, and it never becomes one.

-- Written by the owner, once, while the database is empty. Whoever opens such a database must live by the same clock.
CREATE TABLE demonstration (
    is_one   boolean     PRIMARY KEY DEFAULT true CHECK (is_one),
    name     text        NOT NULL CHECK (name ~ '\S'),
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp()  -- real time
);
CREATE TRIGGER demonstration_is_for_ever BEFORE UPDATE OR DELETE OR TRUNCATE ON demonstration
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

CREATE FUNCTION demonstration_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE event, api_key IN SHARE MODE;
    IF EXISTS (SELECT FROM event) OR EXISTS (SELECT FROM event_outbox) OR EXISTS (SELECT FROM api_key) THEN
        RAISE EXCEPTION 'this database is in use: its time is real' USING ERRCODE = 'restrict_violation';
    END IF;
    -- Keys, deadlines and approvals are judged by the business's time too.
    INSERT INTO gate_clock (reason) VALUES ('a demonstration: the time of the business is simulated')
    ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$;
CREATE TRIGGER demonstration_begins_empty BEFORE INSERT ON demonstration
    FOR EACH ROW EXECUTE FUNCTION demonstration_begins();

GRANT SELECT ON demonstration TO steward_app;
