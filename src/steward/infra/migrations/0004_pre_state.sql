-- Read models of what was sold and refunded, rebuilt from the log at any time; and snapshots.

CREATE TABLE sale_line (
    order_id    text        NOT NULL,
    line        integer     NOT NULL,
    sku         text        NOT NULL,
    customer_id text,
    quantity    bigint      NOT NULL,
    total_minor bigint      NOT NULL,
    currency    text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    position    bigint      NOT NULL,
    PRIMARY KEY (order_id, line)
);
CREATE INDEX sale_line_by_customer ON sale_line (customer_id, sku, occurred_at);
CREATE INDEX sale_line_by_sku ON sale_line (sku, occurred_at);

CREATE TABLE sale (
    order_id    text        PRIMARY KEY,
    customer_id text,
    total_minor bigint      NOT NULL,
    units       bigint      NOT NULL,
    currency    text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    position    bigint      NOT NULL
);
CREATE INDEX sale_by_time ON sale (occurred_at);

CREATE TABLE refund (
    refund_id    text        PRIMARY KEY,
    customer_id  text,
    amount_minor bigint      NOT NULL,
    currency     text        NOT NULL,
    lines        jsonb       NOT NULL,
    occurred_at  timestamptz NOT NULL,
    position     bigint      NOT NULL
);
CREATE INDEX refund_by_time ON refund (occurred_at, position);
CREATE INDEX refund_by_customer ON refund (customer_id, occurred_at);

-- Which purchase each part of a processed refund was for: the customer's latest earlier purchases first.
CREATE TABLE refund_link (
    refund_id    text        NOT NULL REFERENCES refund ON DELETE CASCADE,
    part         integer     NOT NULL,
    order_id     text        NOT NULL,
    line         integer     NOT NULL,
    sku          text        NOT NULL,
    quantity     bigint      NOT NULL,
    amount_minor bigint      NOT NULL,
    occurred_at  timestamptz NOT NULL,
    position     bigint      NOT NULL,
    PRIMARY KEY (refund_id, part)
);
CREATE INDEX refund_link_by_purchase ON refund_link (order_id, line);

CREATE TABLE snapshot (
    snapshot_id uuid        PRIMARY KEY,
    as_of       timestamptz NOT NULL UNIQUE,
    currency    text        NOT NULL,
    metrics     jsonb       NOT NULL,
    digest      bytea       NOT NULL
);
CREATE TRIGGER snapshot_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON snapshot
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT SELECT, INSERT, UPDATE, DELETE ON sale_line, sale, refund, refund_link TO steward_app;
GRANT SELECT, INSERT ON snapshot TO steward_app;
