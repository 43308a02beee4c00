-- Suppliers are paid as creators are. A payment to a supplier is a payout that names its bill and when it was due; a bill has at
-- most one on its way, so that nobody prepares the same money twice, whoever writes.
ALTER TABLE payout ALTER COLUMN creator_id DROP NOT NULL;
ALTER TABLE payout ADD COLUMN supplier_id text, ADD COLUMN invoice_id text, ADD COLUMN due_at timestamptz;
ALTER TABLE payout ADD CONSTRAINT payout_is_to_one CHECK ((creator_id IS NULL) <> (supplier_id IS NULL));
ALTER TABLE payout ADD CONSTRAINT payout_to_a_supplier_names_a_bill
    CHECK ((supplier_id IS NULL) = (invoice_id IS NULL) AND (supplier_id IS NULL) = (due_at IS NULL));
CREATE UNIQUE INDEX payout_of_a_bill_on_its_way ON payout (supplier_id, invoice_id) WHERE state = 'open';
ALTER TABLE payout_line DROP CONSTRAINT payout_line_kind_check;
ALTER TABLE payout_line ADD CONSTRAINT payout_line_kind_check CHECK (kind IN ('commission', 'elsewhere', 'invoice'));

-- Which bills an audit judged, as they stood: a corrected one is another row and waits for the next audit.
CREATE TABLE invoice_audited (
    invoice_id text        PRIMARY KEY REFERENCES invoice,
    run_id     text        NOT NULL,
    at         timestamptz NOT NULL
);
CREATE TRIGGER invoice_audited_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_audited
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
GRANT SELECT, INSERT ON invoice_audited TO steward_app;
