-- Bills of vendors as they came, what the log says happened that they may bill, and a side of breaks for what is in dispute.

CREATE TABLE invoice_file (
    file_id          text        PRIMARY KEY,
    vendor           text        NOT NULL,
    format           text        NOT NULL,
    name             text        NOT NULL,
    digest           bytea       NOT NULL CHECK (length(digest) = 32),
    bytes            bigint      NOT NULL CHECK (bytes >= 0),
    received_at      timestamptz NOT NULL,
    received_by      text        NOT NULL CHECK (received_by ~ '\S'),
    control_total_ok boolean,
    controls         jsonb       NOT NULL DEFAULT '[]',
    rejected         jsonb       NOT NULL DEFAULT '[]',
    refused          text        NOT NULL DEFAULT '',
    refused_line     integer,
    CHECK (refused <> '' OR control_total_ok IS DISTINCT FROM false)
);
CREATE UNIQUE INDEX invoice_file_once ON invoice_file (digest, refused);
CREATE TRIGGER invoice_file_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_file
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

CREATE TABLE invoice (
    invoice_id    text        PRIMARY KEY,
    file_id       text        NOT NULL REFERENCES invoice_file,
    vendor        text        NOT NULL,
    number        text        NOT NULL,
    version       integer     NOT NULL CHECK (version >= 1),
    issued        date,
    due           date,
    totals        jsonb       NOT NULL,
    lines         integer     NOT NULL CHECK (lines > 0),
    lines_digest  bytea       NOT NULL CHECK (length(lines_digest) = 32),
    received_at   timestamptz NOT NULL,
    superseded_by text        REFERENCES invoice DEFERRABLE INITIALLY DEFERRED,
    superseded_at timestamptz,
    UNIQUE (vendor, number, version),
    CHECK ((superseded_by IS NULL) = (superseded_at IS NULL))
);
CREATE UNIQUE INDEX invoice_current ON invoice (vendor, number) WHERE superseded_by IS NULL;
CREATE TRIGGER invoice_is_kept BEFORE DELETE OR TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

CREATE TABLE invoice_line (
    invoice_id   text    NOT NULL,
    number       integer NOT NULL,
    service      text    NOT NULL,
    subject      text    NOT NULL,
    sku          text    NOT NULL,
    day          date    NOT NULL,
    at           timestamptz,
    quantity     bigint  NOT NULL CHECK (quantity > 0),
    unit_minor   bigint,
    amount_minor bigint  NOT NULL,
    currency     text    NOT NULL,
    PRIMARY KEY (invoice_id, number)
);
CREATE TRIGGER invoice_line_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_line
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- What happened that somebody may bill: derived from the log, and can be derived again.
CREATE TABLE invoice_fact (
    kind         text        NOT NULL,
    key          text        NOT NULL,
    subject      text        NOT NULL,
    sku          text        NOT NULL,
    party        text        NOT NULL,
    at           timestamptz NOT NULL,
    quantity     bigint      NOT NULL,
    amount_minor bigint      NOT NULL,
    currency     text        NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (kind, key)
);

-- A disputed line, and a credit that did not come, stand where the other breaks stand.
ALTER TABLE recon_run DROP CONSTRAINT recon_run_side_check;
ALTER TABLE recon_run ADD CONSTRAINT recon_run_side_check CHECK (side IN ('statement', 'bank', 'invoice'));
ALTER TABLE recon_item DROP CONSTRAINT recon_item_item_side_check;
ALTER TABLE recon_item ADD CONSTRAINT recon_item_item_side_check CHECK (item_side IN ('statement', 'books', 'bank', 'invoice'));
ALTER TABLE recon_item DROP CONSTRAINT recon_item_book_check;
ALTER TABLE recon_item ADD CONSTRAINT recon_item_book_check CHECK (book IN ('statement', 'bank', 'invoice'));

GRANT SELECT, INSERT ON invoice_file, invoice_line TO steward_app;
GRANT SELECT, INSERT, UPDATE (superseded_by, superseded_at) ON invoice TO steward_app;
GRANT SELECT, INSERT, DELETE ON invoice_fact TO steward_app;
