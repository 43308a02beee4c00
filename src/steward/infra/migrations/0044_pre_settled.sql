-- What the last run left of each statement in force: its lines are matched or settled, or stand in an open break.

CREATE TABLE recon_settled (
    settlement_id text        PRIMARY KEY REFERENCES settlement,
    matched       integer     NOT NULL CHECK (matched >= 0),
    mismatches    integer     NOT NULL CHECK (mismatches >= 0),
    run_id        text        NOT NULL,
    at            timestamptz NOT NULL
);
CREATE TRIGGER recon_settled_is_kept BEFORE DELETE OR TRUNCATE ON recon_settled
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT, UPDATE (matched, mismatches, run_id, at) ON recon_settled TO steward_app;
