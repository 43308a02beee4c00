-- The books. The application may read them and call ledger_open() and ledger_post(); nothing else.

CREATE TABLE account (
    account_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code       text NOT NULL,
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    normal     text NOT NULL CHECK (normal IN ('debit', 'credit')),
    CONSTRAINT account_key UNIQUE (code, currency)
);

CREATE TABLE balance (
    account_id   integer PRIMARY KEY REFERENCES account,
    amount_minor bigint NOT NULL DEFAULT 0,
    version      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 40);

CREATE TABLE transfer (
    transfer_id     uuid        PRIMARY KEY,
    idempotency_key text        NOT NULL CONSTRAINT transfer_idempotency_key UNIQUE,
    kind            text        NOT NULL,
    source          text        NOT NULL,
    effective_at    timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    batch           text        NOT NULL,
    batch_line      integer     NOT NULL,
    body_digest     bytea       NOT NULL CHECK (length(body_digest) = 32),
    row_digest      bytea       NOT NULL CHECK (length(row_digest) = 32)
);

-- Debits are positive. (account, version) is the unbroken chain of an account's postings.
CREATE TABLE posting (
    account_id    integer NOT NULL REFERENCES account,
    version       bigint  NOT NULL CHECK (version > 0),
    transfer_id   uuid    NOT NULL REFERENCES transfer,
    line          integer NOT NULL,
    amount_minor  bigint  NOT NULL CHECK (amount_minor <> 0),
    balance_after bigint  NOT NULL,
    PRIMARY KEY (account_id, version)
);
CREATE INDEX posting_by_transfer ON posting (transfer_id);

-- The only writer of balance: runs once a statement, over all rows it inserted.
CREATE FUNCTION posting_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    bad text;
BEGIN
    SELECT n.transfer_id::text INTO bad
    FROM new_posting n JOIN account a USING (account_id)
    GROUP BY n.transfer_id, a.currency HAVING sum(n.amount_minor) <> 0 LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'transfer % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;

    SELECT c.account_id::text INTO bad
    FROM (
        SELECT n.account_id, n.version, n.balance_after,
               b.version + row_number() OVER w AS expected_version,
               b.amount_minor + sum(n.amount_minor) OVER w AS expected_balance
        FROM new_posting n JOIN balance b USING (account_id)
        WINDOW w AS (PARTITION BY n.account_id ORDER BY n.version)
    ) c
    WHERE c.version <> c.expected_version OR c.balance_after <> c.expected_balance LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % has a broken version chain', bad USING ERRCODE = 'check_violation';
    END IF;

    UPDATE balance b SET amount_minor = b.amount_minor + s.amount, version = b.version + s.postings
    FROM (SELECT account_id, sum(amount_minor) AS amount, count(*) AS postings
          FROM new_posting GROUP BY account_id) s
    WHERE b.account_id = s.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER posting_keeps_the_books AFTER INSERT ON posting
    REFERENCING NEW TABLE AS new_posting FOR EACH STATEMENT EXECUTE FUNCTION posting_guard();
CREATE TRIGGER posting_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER transfer_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER account_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

-- Open accounts that do not exist yet, each with its balance row; returns all asked for.
CREATE FUNCTION ledger_open(p_codes text[], p_currencies text[], p_normals text[])
RETURNS TABLE (o_account_id integer, o_code text, o_currency text) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    WITH asked AS (
        SELECT DISTINCT u.code, u.currency, u.normal
        FROM unnest(p_codes, p_currencies, p_normals) AS u (code, currency, normal)
    ), opened AS (
        INSERT INTO account (code, currency, normal)
        SELECT code, currency, normal FROM asked ORDER BY code, currency
        ON CONFLICT ON CONSTRAINT account_key DO NOTHING
        RETURNING account_id
    )
    INSERT INTO balance (account_id) SELECT account_id FROM opened;
    RETURN QUERY SELECT a.account_id, a.code, a.currency FROM account a
        JOIN (SELECT DISTINCT u.code, u.currency FROM unnest(p_codes, p_currencies) AS u (code, currency)) k
        ON k.code = a.code AND k.currency = a.currency;
END $$;

-- Post a batch of transfers with their legs, set-based. Returns only what was not posted, in batch order.
-- Result codes, in order of precedence: duplicate (same key and body: already posted, nothing to do),
-- conflict (same key, other body), no_legs, unknown_account, unbalanced.
CREATE FUNCTION ledger_post(
    p_ids uuid[], p_keys text[], p_kinds text[], p_sources text[], p_effective timestamptz[],
    p_body_digests bytea[], p_row_digests bytea[], p_recorded timestamptz, p_batch text,
    p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
RETURNS TABLE (o_line integer, o_code text) LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    refused_lines integer[];
    refused_codes text[];
BEGIN
    -- Locks first, in account order, in a statement of their own: the snapshot of what follows is newer.
    PERFORM 1 FROM balance WHERE account_id = ANY (p_leg_account) ORDER BY account_id FOR UPDATE;

    WITH batch AS (
        SELECT u.ord::integer AS line, u.key, u.body,
               row_number() OVER (PARTITION BY u.key ORDER BY u.ord) AS occurrence,
               first_value(u.body) OVER (PARTITION BY u.key ORDER BY u.ord) AS first_body
        FROM unnest(p_keys, p_body_digests) WITH ORDINALITY AS u (key, body, ord)
    ), legs AS (
        SELECT l.transfer AS line, a.currency, sum(l.amount) AS amount,
               bool_or(a.account_id IS NULL OR l.amount = 0) AS unknown
        FROM unnest(p_leg_transfer, p_leg_account, p_leg_amount) AS l (transfer, account, amount)
        LEFT JOIN account a ON a.account_id = l.account
        GROUP BY l.transfer, a.currency
    ), sums AS (
        SELECT line, bool_or(unknown) AS unknown, bool_or(amount <> 0) AS unbalanced FROM legs GROUP BY line
    ), refused AS (
    SELECT b.line, CASE
        WHEN t.idempotency_key IS NOT NULL AND t.body_digest = b.body THEN 'duplicate'
        WHEN t.idempotency_key IS NOT NULL THEN 'conflict'
        WHEN b.occurrence > 1 AND b.first_body = b.body THEN 'duplicate'
        WHEN b.occurrence > 1 THEN 'conflict'
        WHEN s.line IS NULL THEN 'no_legs'
        WHEN s.unknown THEN 'unknown_account'
        ELSE 'unbalanced' END AS code
    FROM batch b
    LEFT JOIN transfer t ON t.idempotency_key = b.key
    LEFT JOIN sums s USING (line)
    WHERE t.idempotency_key IS NOT NULL OR b.occurrence > 1 OR s.line IS NULL OR s.unknown OR s.unbalanced
    )
    SELECT coalesce(array_agg(line ORDER BY line), '{}'), coalesce(array_agg(code ORDER BY line), '{}')
    INTO refused_lines, refused_codes FROM refused;

    INSERT INTO transfer (transfer_id, idempotency_key, kind, source, effective_at, recorded_at, batch,
                          batch_line, body_digest, row_digest)
    SELECT u.id, u.key, u.kind, u.source, u.effective, p_recorded, p_batch, u.ord, u.body, u.row_digest
    FROM unnest(p_ids, p_keys, p_kinds, p_sources, p_effective, p_body_digests, p_row_digests)
         WITH ORDINALITY AS u (id, key, kind, source, effective, body, row_digest, ord)
    WHERE u.ord <> ALL (refused_lines);

    INSERT INTO posting (account_id, version, transfer_id, line, amount_minor, balance_after)
    SELECT l.account, b.version + row_number() OVER w, p_ids[l.transfer], l.leg, l.amount,
           b.amount_minor + sum(l.amount) OVER w
    FROM (
        SELECT u.transfer, u.account, u.amount, u.ord,
               row_number() OVER (PARTITION BY u.transfer ORDER BY u.ord) AS leg
        FROM unnest(p_leg_transfer, p_leg_account, p_leg_amount) WITH ORDINALITY
             AS u (transfer, account, amount, ord)
        WHERE u.transfer <> ALL (refused_lines)
    ) l
    JOIN balance b ON b.account_id = l.account
    WINDOW w AS (PARTITION BY l.account ORDER BY l.ord);

    RETURN QUERY SELECT r.line, r.code FROM unnest(refused_lines, refused_codes) AS r (line, code);
END $$;

REVOKE ALL ON FUNCTION ledger_open(text[], text[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger_post(uuid[], text[], text[], text[], timestamptz[], bytea[], bytea[],
    timestamptz, text, integer[], integer[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_open(text[], text[], text[]) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_post(uuid[], text[], text[], text[], timestamptz[], bytea[], bytea[],
    timestamptz, text, integer[], integer[], bigint[]) TO steward_app;
GRANT SELECT ON account, balance, transfer, posting TO steward_app;
