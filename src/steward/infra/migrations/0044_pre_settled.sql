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

-- No item is in two matches, whoever writes: the same rule as before in smaller indexes, of which a row enters one.
ALTER TABLE recon_item ADD CONSTRAINT recon_item_side_of_its_book CHECK (item_side IN ('books', book));
CREATE UNIQUE INDEX recon_item_line_once ON recon_item (key)
    WHERE is_live AND book = 'statement' AND item_side = 'statement';
CREATE UNIQUE INDEX recon_item_movement_once ON recon_item (key)
    WHERE is_live AND book = 'statement' AND item_side = 'books';
CREATE UNIQUE INDEX recon_item_entry_once ON recon_item (key) WHERE is_live AND book = 'bank' AND item_side = 'bank';
CREATE UNIQUE INDEX recon_item_arrival_once ON recon_item (key) WHERE is_live AND book = 'bank' AND item_side = 'books';
CREATE UNIQUE INDEX recon_item_billed_once ON recon_item (key) WHERE is_live AND book = 'invoice' AND item_side = 'invoice';
CREATE UNIQUE INDEX recon_item_owed_once ON recon_item (key) WHERE is_live AND book = 'invoice' AND item_side = 'books';
DROP INDEX recon_item_once;
