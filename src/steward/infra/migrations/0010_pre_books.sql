-- The books anew: compact rows, limits, holds, periods, rates, and one digest a batch. The earlier books were computed
-- from the log and nothing else, so they are dropped here and posted again from its beginning by whoever posts next.

DROP FUNCTION ledger_post(uuid[], text[], text[], text[], timestamptz[], bytea[], bytea[], timestamptz, text,
    integer[], integer[], bigint[]);
DROP FUNCTION ledger_open(text[], text[], text[]);
DROP TABLE posting, transfer, balance, account;
DROP FUNCTION posting_guard();
DELETE FROM checkpoint WHERE reader = 'ledger';

-- One row for each transaction that wrote to the books. Its digest covers the rows it wrote and is anchored in the log.
CREATE TABLE ledger_batch (
    batch_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    rows        integer     NOT NULL CHECK (rows > 0),
    digest      bytea       NOT NULL CHECK (length(digest) = 32)
);
CREATE INDEX ledger_batch_by_time ON ledger_batch (recorded_at);

CREATE TABLE account (
    account_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code          text    NOT NULL CHECK (length(code) <= 256),
    currency      text    NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    normal        text    NOT NULL CHECK (normal IN ('debit', 'credit')),
    floor_minor   bigint,
    ceiling_minor bigint,
    is_closed     boolean NOT NULL DEFAULT false,
    batch_id      bigint  NOT NULL,
    CONSTRAINT account_key UNIQUE (code, currency)
);

-- Limits and closing, as they were set: the last row of an account is what its own columns say.
CREATE TABLE account_change (
    account_id    integer NOT NULL,
    change_no     integer NOT NULL CHECK (change_no > 0),
    floor_minor   bigint,
    ceiling_minor bigint,
    is_closed     boolean NOT NULL,
    changed_by    text    NOT NULL,
    reason        text    NOT NULL,
    batch_id      bigint  NOT NULL,
    PRIMARY KEY (account_id, change_no)
);

-- Pending is what open holds would add on each side if they were posted.
CREATE TABLE balance (
    account_id           integer PRIMARY KEY,
    amount_minor         bigint NOT NULL DEFAULT 0,
    pending_debit_minor  bigint NOT NULL DEFAULT 0 CHECK (pending_debit_minor >= 0),
    pending_credit_minor bigint NOT NULL DEFAULT 0 CHECK (pending_credit_minor >= 0),
    version              bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 40);

-- Numbers are drawn while the accounts are locked: two transfers that share an account are numbered in posted order.
CREATE SEQUENCE transfer_no;
CREATE TABLE transfer (
    transfer_no  bigint      PRIMARY KEY,
    batch_id     bigint      NOT NULL,
    effective_at timestamptz NOT NULL,
    reverses     bigint,
    key          uuid        NOT NULL,
    kind         text        NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 256),
    source       text        NOT NULL CHECK (octet_length(source) <= 4400),
    party        text        CHECK (octet_length(party) <= 1024),
    body_digest  bytea       NOT NULL CHECK (octet_length(body_digest) = 32),
    CONSTRAINT transfer_key UNIQUE (key)
);
CREATE UNIQUE INDEX transfer_reversal ON transfer (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX transfer_by_time ON transfer USING brin (effective_at) WITH (autosummarize = on);

-- Debits are positive. (account, version) is the unbroken chain of an account's postings. No foreign keys: the guard
-- looks at whole statements, at a tenth of their price.
CREATE TABLE posting (
    version       bigint   NOT NULL,
    transfer_no   bigint   NOT NULL,
    amount_minor  bigint   NOT NULL
        CHECK (amount_minor <> 0 AND amount_minor BETWEEN -1000000000000000 AND 1000000000000000),
    balance_after bigint   NOT NULL,
    account_id    integer  NOT NULL,
    effective_on  date     NOT NULL,
    line          smallint NOT NULL,
    PRIMARY KEY (account_id, version)
);
CREATE INDEX posting_by_transfer ON posting USING brin (transfer_no) WITH (autosummarize = on, pages_per_range = 16);

CREATE SEQUENCE hold_no;
CREATE TABLE hold (
    hold_no     bigint      PRIMARY KEY,
    batch_id    bigint      NOT NULL,
    expires_at  timestamptz NOT NULL,
    key         uuid        NOT NULL,
    kind        text        NOT NULL CHECK (octet_length(kind) BETWEEN 1 AND 256),
    source      text        NOT NULL CHECK (octet_length(source) <= 4400),
    party       text        CHECK (octet_length(party) <= 1024),
    body_digest bytea       NOT NULL CHECK (octet_length(body_digest) = 32),
    CONSTRAINT hold_key UNIQUE (key)
);
-- What has not ended yet, kept by triggers, so that releasing what expired need not look at what ended long ago.
CREATE TABLE hold_open (
    hold_no    bigint      PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX hold_open_by_expiry ON hold_open (expires_at);

CREATE TABLE hold_leg (
    hold_no      bigint   NOT NULL,
    line         smallint NOT NULL,
    account_id   integer  NOT NULL,
    amount_minor bigint   NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (hold_no, line)
);

CREATE TABLE hold_end (
    hold_no     bigint PRIMARY KEY,
    batch_id    bigint NOT NULL,
    key         uuid   CONSTRAINT hold_end_key UNIQUE,
    how         text   NOT NULL CHECK (how IN ('posted', 'voided', 'expired')),
    transfer_no bigint,
    body_digest bytea  CHECK (octet_length(body_digest) = 32),
    CHECK ((how = 'posted') = (transfer_no IS NOT NULL)),
    CHECK ((how = 'expired') = (key IS NULL)),
    CHECK ((key IS NULL) = (body_digest IS NULL))
);

-- Periods of the books as they were opened and closed; the last row of a name is its state. `ends_on` is the day after.
CREATE TABLE period_change (
    name       text    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    change_no  integer NOT NULL CHECK (change_no > 0),
    starts_on  date    NOT NULL,
    ends_on    date    NOT NULL,
    state      text    NOT NULL CHECK (state IN ('open', 'soft', 'closed')),
    changed_by text    NOT NULL,
    reason     text    NOT NULL,
    batch_id   bigint  NOT NULL,
    PRIMARY KEY (name, change_no),
    CHECK (starts_on < ends_on)
);
CREATE VIEW period AS
    SELECT DISTINCT ON (name) name, starts_on, ends_on, state, change_no, changed_by, reason, batch_id
    FROM period_change ORDER BY name, change_no DESC;

-- One unit of `base` is numerator/denominator units of `quote` (major units of both).
CREATE TABLE fx_rate (
    base        text    NOT NULL CHECK (base ~ '^[A-Z]{3}$'),
    quote       text    NOT NULL CHECK (quote ~ '^[A-Z]{3}$' AND quote <> base),
    on_date     date    NOT NULL,
    numerator   bigint  NOT NULL CHECK (numerator > 0),
    denominator bigint  NOT NULL CHECK (denominator > 0),
    source      text    NOT NULL CHECK (length(source) <= 256),
    batch_id    bigint  NOT NULL,
    PRIMARY KEY (base, quote, on_date, batch_id)
);

-- Sums of an account's postings by day it happened and day it was recorded: what balances at any date are added from.
-- A fold covers the versions after the last one up to `up_to_version`; its trigger alone writes the sums.
CREATE TABLE posting_fold (
    account_id    integer NOT NULL,
    up_to_version bigint  NOT NULL,
    postings      bigint  NOT NULL CHECK (postings > 0),
    PRIMARY KEY (account_id, up_to_version)
);
CREATE TABLE posting_day (
    account_id   integer NOT NULL,
    effective_on date    NOT NULL,
    recorded_on  date    NOT NULL,
    debit_minor  bigint  NOT NULL CHECK (debit_minor >= 0),
    credit_minor bigint  NOT NULL CHECK (credit_minor >= 0),
    postings     bigint  NOT NULL CHECK (postings > 0),
    PRIMARY KEY (account_id, effective_on, recorded_on)
);

-- Money events whose rule could not be satisfied, with the reason; posting goes on behind them.
CREATE TABLE ledger_unposted (
    position    bigint      PRIMARY KEY,
    event_type  text        NOT NULL,
    source      text        NOT NULL,
    reason      text        NOT NULL,
    recorded_at timestamptz NOT NULL
);
