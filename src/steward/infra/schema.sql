-- All migrations together. Written by `python -m steward.infra.schema_dump`; never edited.

CREATE TABLE account (
    account_id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL,
    currency text NOT NULL,
    normal text NOT NULL
);

CREATE TABLE action (
    action_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    kind text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    proposer text NOT NULL,
    snapshot_id uuid NOT NULL,
    proposal jsonb NOT NULL,
    outcome text NOT NULL,
    risk text NOT NULL,
    amount_minor bigint,
    result jsonb NOT NULL
);

CREATE TABLE api_key (
    key_id text NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

CREATE TABLE balance (
    account_id integer NOT NULL,
    amount_minor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
);

CREATE TABLE checkpoint (
    reader text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE decision (
    decision_id uuid NOT NULL,
    action_id uuid NOT NULL,
    policy_version text NOT NULL,
    chosen text NOT NULL,
    propensity text NOT NULL,
    record jsonb NOT NULL,
    digest bytea NOT NULL
);

CREATE TABLE delivery (
    delivery_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    provider text NOT NULL,
    delivery_key text NOT NULL,
    origin text NOT NULL,
    headers jsonb NOT NULL,
    body bytea,
    body_sha256 bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    event_keys uuid[] NOT NULL DEFAULT '{}'::uuid[]
);

CREATE TABLE event_1 (
    "position" bigint NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    schema_version integer NOT NULL,
    correlation_id text,
    causation_id text,
    data jsonb NOT NULL,
    body_digest bytea NOT NULL,
    leaf_hash bytea NOT NULL
);

CREATE TABLE event_conflict (
    conflict_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    event_id text NOT NULL,
    body_digest bytea NOT NULL,
    envelope jsonb NOT NULL,
    received_at timestamp with time zone NOT NULL,
    "position" bigint
);

CREATE TABLE event_key (
    key uuid NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE event_outbox (
    outbox_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    event_id text NOT NULL,
    envelope jsonb NOT NULL
);

CREATE TABLE forecast (
    forecast_id uuid NOT NULL,
    action_id uuid NOT NULL,
    option text NOT NULL,
    quantity text NOT NULL,
    low bigint NOT NULL,
    mid bigint NOT NULL,
    high bigint NOT NULL,
    level text NOT NULL,
    horizon_end timestamp with time zone NOT NULL,
    basis jsonb NOT NULL
);

CREATE TABLE forecast_settlement (
    forecast_id uuid NOT NULL,
    actual bigint NOT NULL,
    baseline bigint
);

CREATE TABLE idempotency (
    key_id text NOT NULL,
    idempotency_key text NOT NULL,
    request_digest bytea NOT NULL,
    status integer,
    answer bytea,
    started_at timestamp with time zone NOT NULL
);

CREATE TABLE listed_line (
    document text NOT NULL,
    line integer NOT NULL,
    rule text NOT NULL,
    value_minor bigint NOT NULL,
    currency text NOT NULL,
    raw jsonb NOT NULL,
    sha256 bytea NOT NULL,
    file_line bigint NOT NULL
);

CREATE TABLE log_head (
    only_row boolean NOT NULL DEFAULT true,
    size bigint NOT NULL,
    frontier bytea[] NOT NULL,
    root bytea NOT NULL,
    room bigint NOT NULL DEFAULT 0,
    partition_rows bigint NOT NULL DEFAULT 10000000
);

CREATE TABLE log_node (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE TABLE person (
    person_id text NOT NULL,
    salt bytea,
    created_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone
);

CREATE TABLE person_alias (
    alias bytea NOT NULL,
    person_id text NOT NULL
);

CREATE TABLE person_field (
    event_key uuid NOT NULL,
    person_id text NOT NULL,
    fields jsonb,
    digest text NOT NULL
);

CREATE TABLE posting (
    account_id integer NOT NULL,
    version bigint NOT NULL,
    transfer_id uuid NOT NULL,
    line integer NOT NULL,
    amount_minor bigint NOT NULL,
    balance_after bigint NOT NULL
);

CREATE TABLE proof_bundle (
    action_id uuid NOT NULL,
    verdict text NOT NULL,
    answer jsonb NOT NULL,
    bundle text NOT NULL,
    bundle_digest bytea NOT NULL
);

CREATE TABLE refund (
    refund_id text NOT NULL,
    customer_id text,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    lines jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE refund_link (
    refund_id text NOT NULL,
    part integer NOT NULL,
    order_id text NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    quantity bigint NOT NULL,
    amount_minor bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE sale (
    order_id text NOT NULL,
    customer_id text,
    total_minor bigint NOT NULL,
    units bigint NOT NULL,
    currency text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE sale_line (
    order_id text NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    customer_id text,
    quantity bigint NOT NULL,
    total_minor bigint NOT NULL,
    currency text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE sequencer (
    only_row boolean NOT NULL DEFAULT true,
    holder text,
    lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
    generation bigint NOT NULL DEFAULT 0
);

CREATE TABLE snapshot (
    snapshot_id uuid NOT NULL,
    as_of timestamp with time zone NOT NULL,
    currency text NOT NULL,
    metrics jsonb NOT NULL,
    digest bytea NOT NULL
);

CREATE TABLE source_file (
    sha256 bytea NOT NULL,
    name text NOT NULL,
    lines bigint NOT NULL,
    summary jsonb NOT NULL,
    read_at timestamp with time zone NOT NULL
);

CREATE TABLE transfer (
    transfer_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    batch text NOT NULL,
    batch_line integer NOT NULL,
    body_digest bytea NOT NULL,
    row_digest bytea NOT NULL
);

ALTER TABLE account ADD CONSTRAINT account_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE account ADD CONSTRAINT account_key UNIQUE (code, currency);
ALTER TABLE account ADD CONSTRAINT account_normal_check CHECK ((normal = ANY (ARRAY['debit'::text, 'credit'::text])));
ALTER TABLE account ADD CONSTRAINT account_pkey PRIMARY KEY (account_id);
ALTER TABLE action ADD CONSTRAINT action_idempotency_key UNIQUE (idempotency_key);
ALTER TABLE action ADD CONSTRAINT action_outcome_check CHECK ((outcome = ANY (ARRAY['shadowed'::text, 'held'::text, 'refused'::text])));
ALTER TABLE action ADD CONSTRAINT action_pkey PRIMARY KEY (action_id);
ALTER TABLE action ADD CONSTRAINT action_risk_check CHECK ((risk = ANY (ARRAY['L0'::text, 'L1'::text, 'L2'::text, 'L3'::text])));
ALTER TABLE api_key ADD CONSTRAINT api_key_digest_check CHECK ((length(digest) = 32));
ALTER TABLE api_key ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_id);
ALTER TABLE balance ADD CONSTRAINT balance_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id);
ALTER TABLE balance ADD CONSTRAINT balance_pkey PRIMARY KEY (account_id);
ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (reader);
ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_position_check CHECK (("position" >= 0));
ALTER TABLE decision ADD CONSTRAINT decision_action_id_key UNIQUE (action_id);
ALTER TABLE decision ADD CONSTRAINT decision_digest_check CHECK ((length(digest) = 32));
ALTER TABLE decision ADD CONSTRAINT decision_pkey PRIMARY KEY (decision_id);
ALTER TABLE delivery ADD CONSTRAINT delivery_body_sha256_check CHECK ((length(body_sha256) = 32));
ALTER TABLE delivery ADD CONSTRAINT delivery_origin_check CHECK ((origin = ANY (ARRAY['webhook'::text, 'poll'::text])));
ALTER TABLE delivery ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id);
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['received'::text, 'done'::text, 'ignored'::text, 'failed'::text, 'refused'::text, 'erased'::text])));
ALTER TABLE event ADD CONSTRAINT event_body_digest_check CHECK ((length(body_digest) = 32));
ALTER TABLE event ADD CONSTRAINT event_leaf_hash_check CHECK ((length(leaf_hash) = 32));
ALTER TABLE event ADD CONSTRAINT event_pkey PRIMARY KEY ("position");
ALTER TABLE event ADD CONSTRAINT event_position_check CHECK (("position" > 0));
ALTER TABLE event ADD CONSTRAINT event_schema_version_check CHECK ((schema_version > 0));
ALTER TABLE event_1 ADD CONSTRAINT event_1_pkey PRIMARY KEY ("position");
ALTER TABLE event_1 ADD CONSTRAINT event_body_digest_check CHECK ((length(body_digest) = 32));
ALTER TABLE event_1 ADD CONSTRAINT event_leaf_hash_check CHECK ((length(leaf_hash) = 32));
ALTER TABLE event_1 ADD CONSTRAINT event_position_check CHECK (("position" > 0));
ALTER TABLE event_1 ADD CONSTRAINT event_schema_version_check CHECK ((schema_version > 0));
ALTER TABLE event_conflict ADD CONSTRAINT event_conflict_key UNIQUE (source, event_id, body_digest);
ALTER TABLE event_conflict ADD CONSTRAINT event_conflict_pkey PRIMARY KEY (conflict_id);
ALTER TABLE event_key ADD CONSTRAINT event_key_pkey PRIMARY KEY (key);
ALTER TABLE event_outbox ADD CONSTRAINT event_outbox_key UNIQUE (source, event_id);
ALTER TABLE event_outbox ADD CONSTRAINT event_outbox_pkey PRIMARY KEY (outbox_id);
ALTER TABLE forecast ADD CONSTRAINT forecast_check CHECK (((low <= mid) AND (mid <= high)));
ALTER TABLE forecast ADD CONSTRAINT forecast_pkey PRIMARY KEY (forecast_id);
ALTER TABLE forecast_settlement ADD CONSTRAINT forecast_settlement_forecast_id_fkey FOREIGN KEY (forecast_id) REFERENCES forecast(forecast_id);
ALTER TABLE forecast_settlement ADD CONSTRAINT forecast_settlement_pkey PRIMARY KEY (forecast_id);
ALTER TABLE idempotency ADD CONSTRAINT idempotency_key_id_fkey FOREIGN KEY (key_id) REFERENCES api_key(key_id);
ALTER TABLE idempotency ADD CONSTRAINT idempotency_pkey PRIMARY KEY (key_id, idempotency_key);
ALTER TABLE idempotency ADD CONSTRAINT idempotency_request_digest_check CHECK ((length(request_digest) = 32));
ALTER TABLE listed_line ADD CONSTRAINT listed_line_pkey PRIMARY KEY (document, line);
ALTER TABLE listed_line ADD CONSTRAINT listed_line_sha256_fkey FOREIGN KEY (sha256) REFERENCES source_file(sha256);
ALTER TABLE log_head ADD CONSTRAINT log_head_only_row_check CHECK (only_row);
ALTER TABLE log_head ADD CONSTRAINT log_head_partition_rows_check CHECK ((partition_rows > 0));
ALTER TABLE log_head ADD CONSTRAINT log_head_pkey PRIMARY KEY (only_row);
ALTER TABLE log_head ADD CONSTRAINT log_head_size_check CHECK ((size >= 0));
ALTER TABLE log_node ADD CONSTRAINT log_node_hash_check CHECK ((length(hash) = 32));
ALTER TABLE log_node ADD CONSTRAINT log_node_index_check CHECK ((index >= 0));
ALTER TABLE log_node ADD CONSTRAINT log_node_level_check CHECK (((level > 0) AND (((level)::integer % 8) = 0)));
ALTER TABLE log_node ADD CONSTRAINT log_node_pkey PRIMARY KEY (level, index);
ALTER TABLE person ADD CONSTRAINT person_check CHECK (((salt IS NULL) = (erased_at IS NOT NULL)));
ALTER TABLE person ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);
ALTER TABLE person_alias ADD CONSTRAINT person_alias_alias_check CHECK ((length(alias) = 32));
ALTER TABLE person_alias ADD CONSTRAINT person_alias_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id);
ALTER TABLE person_alias ADD CONSTRAINT person_alias_pkey PRIMARY KEY (alias);
ALTER TABLE person_field ADD CONSTRAINT person_field_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id);
ALTER TABLE person_field ADD CONSTRAINT person_field_pkey PRIMARY KEY (event_key);
ALTER TABLE posting ADD CONSTRAINT posting_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id);
ALTER TABLE posting ADD CONSTRAINT posting_amount_minor_check CHECK ((amount_minor <> 0));
ALTER TABLE posting ADD CONSTRAINT posting_pkey PRIMARY KEY (account_id, version);
ALTER TABLE posting ADD CONSTRAINT posting_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES transfer(transfer_id);
ALTER TABLE posting ADD CONSTRAINT posting_version_check CHECK ((version > 0));
ALTER TABLE proof_bundle ADD CONSTRAINT proof_bundle_bundle_digest_check CHECK ((length(bundle_digest) = 32));
ALTER TABLE proof_bundle ADD CONSTRAINT proof_bundle_pkey PRIMARY KEY (action_id);
ALTER TABLE proof_bundle ADD CONSTRAINT proof_bundle_verdict_check CHECK ((verdict = ANY (ARRAY['ALLOW'::text, 'DENY'::text, 'ESCALATE'::text])));
ALTER TABLE refund ADD CONSTRAINT refund_pkey PRIMARY KEY (refund_id);
ALTER TABLE refund_link ADD CONSTRAINT refund_link_pkey PRIMARY KEY (refund_id, part);
ALTER TABLE refund_link ADD CONSTRAINT refund_link_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refund(refund_id) ON DELETE CASCADE;
ALTER TABLE sale ADD CONSTRAINT sale_pkey PRIMARY KEY (order_id);
ALTER TABLE sale_line ADD CONSTRAINT sale_line_pkey PRIMARY KEY (order_id, line);
ALTER TABLE sequencer ADD CONSTRAINT sequencer_only_row_check CHECK (only_row);
ALTER TABLE sequencer ADD CONSTRAINT sequencer_pkey PRIMARY KEY (only_row);
ALTER TABLE snapshot ADD CONSTRAINT snapshot_as_of_key UNIQUE (as_of);
ALTER TABLE snapshot ADD CONSTRAINT snapshot_pkey PRIMARY KEY (snapshot_id);
ALTER TABLE source_file ADD CONSTRAINT source_file_pkey PRIMARY KEY (sha256);
ALTER TABLE source_file ADD CONSTRAINT source_file_sha256_check CHECK ((length(sha256) = 32));
ALTER TABLE transfer ADD CONSTRAINT transfer_body_digest_check CHECK ((length(body_digest) = 32));
ALTER TABLE transfer ADD CONSTRAINT transfer_idempotency_key UNIQUE (idempotency_key);
ALTER TABLE transfer ADD CONSTRAINT transfer_pkey PRIMARY KEY (transfer_id);
ALTER TABLE transfer ADD CONSTRAINT transfer_row_digest_check CHECK ((length(row_digest) = 32));

CREATE INDEX action_by_time ON public.action USING btree (kind, proposed_at);
CREATE INDEX delivery_by_event ON public.delivery USING gin (event_keys);
CREATE INDEX delivery_open ON public.delivery USING btree (delivery_id) WHERE (state = ANY (ARRAY['received'::text, 'failed'::text]));
CREATE INDEX event_1_by_subject ON public.event_1 USING btree (subject, "position");
CREATE INDEX event_1_by_type ON public.event_1 USING btree (type, "position");
CREATE INDEX event_by_subject ON ONLY public.event USING btree (subject, "position");
CREATE INDEX event_by_type ON ONLY public.event USING btree (type, "position");
CREATE INDEX forecast_by_action ON public.forecast USING btree (action_id);
CREATE INDEX idempotency_by_age ON public.idempotency USING btree (started_at);
CREATE INDEX person_alias_by_person ON public.person_alias USING btree (person_id);
CREATE INDEX person_field_by_person ON public.person_field USING btree (person_id);
CREATE INDEX posting_by_transfer ON public.posting USING btree (transfer_id);
CREATE INDEX refund_by_customer ON public.refund USING btree (customer_id, occurred_at);
CREATE INDEX refund_by_time ON public.refund USING btree (occurred_at, "position");
CREATE INDEX refund_link_by_purchase ON public.refund_link USING btree (order_id, line);
CREATE INDEX sale_by_time ON public.sale USING btree (occurred_at);
CREATE INDEX sale_line_by_customer ON public.sale_line USING btree (customer_id, sku, occurred_at);
CREATE INDEX sale_line_by_sku ON public.sale_line USING btree (sku, occurred_at);
CREATE UNIQUE INDEX delivery_once ON public.delivery USING btree (provider, delivery_key, body_sha256) WHERE (state <> 'refused'::text);

CREATE OR REPLACE FUNCTION public.deny_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_open(p_codes text[], p_currencies text[], p_normals text[])
 RETURNS TABLE(o_account_id integer, o_code text, o_currency text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_post(p_ids uuid[], p_keys text[], p_kinds text[], p_sources text[], p_effective timestamp with time zone[], p_body_digests bytea[], p_row_digests bytea[], p_recorded timestamp with time zone, p_batch text, p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS TABLE(o_line integer, o_code text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION public.log_make_room(wanted bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    head log_head;
    name text;
BEGIN
    SELECT * INTO head FROM log_head FOR UPDATE;
    IF wanted > head.size + 100 * head.partition_rows THEN
        RAISE EXCEPTION 'room for position % is far beyond the log''s % events', wanted, head.size;
    END IF;
    WHILE head.room < wanted LOOP
        name := 'event_' || head.room + 1;
        EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING ALL)', name);
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION deny_change()', name || '_is_append_only', name);
        EXECUTE format('ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            name, head.room + 1, head.room + head.partition_rows + 1);
        head.room := head.room + head.partition_rows;
    END LOOP;
    UPDATE log_head SET room = head.room;
    RETURN head.room;
END $function$
;
CREATE OR REPLACE FUNCTION public.posting_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION public.state_bare()
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
    TRUNCATE refund_link, refund, sale, sale_line;
    DROP INDEX sale_line_by_customer, sale_line_by_sku, sale_by_time;
    ALTER TABLE sale_line DROP CONSTRAINT sale_line_pkey;
    ALTER TABLE sale DROP CONSTRAINT sale_pkey;
$function$
;
CREATE OR REPLACE FUNCTION public.state_indexed()
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    ALTER TABLE sale ADD CONSTRAINT sale_pkey PRIMARY KEY (order_id);
    ALTER TABLE sale_line ADD CONSTRAINT sale_line_pkey PRIMARY KEY (order_id, line);
    CREATE INDEX sale_by_time ON sale (occurred_at);
    CREATE INDEX sale_line_by_customer ON sale_line (customer_id, sku, occurred_at);
    CREATE INDEX sale_line_by_sku ON sale_line (sku, occurred_at);
    ANALYZE sale, sale_line, refund;  -- plans for what follows in this transaction
END $function$
;
CREATE OR REPLACE FUNCTION public.upcast_event(event_type text, version integer, data jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (version <> 1) THEN data WHEN (event_type = 'OrderPlaced'::text) THEN (CASE WHEN (jsonb_typeof((data -> 'channel'::text)) = 'string'::text) THEN data ELSE (data || '{"channel": "unknown"}'::jsonb) END - CASE WHEN (data ?| '{customer,person_id,person_digest,discount_minor}'::text[]) THEN ARRAY['customer'::text, CASE WHEN (jsonb_typeof((data -> 'person_id'::text)) = 'null'::text) THEN NULL::text WHEN ((jsonb_typeof((data -> 'person_id'::text)) = 'string'::text) AND ((length((data ->> 'person_id'::text)) >= 1) AND (length((data ->> 'person_id'::text)) <= 256))) THEN NULL::text ELSE 'person_id'::text END, CASE WHEN (jsonb_typeof((data -> 'person_digest'::text)) = 'null'::text) THEN NULL::text WHEN ((jsonb_typeof((data -> 'person_digest'::text)) = 'string'::text) AND ((data ->> 'person_digest'::text) ~ '^[0-9a-f]{64}$'::text)) THEN NULL::text ELSE 'person_digest'::text END, CASE WHEN (jsonb_typeof((data -> 'discount_minor'::text)) <> 'number'::text) THEN 'discount_minor'::text WHEN ((((data ->> 'discount_minor'::text))::numeric < (0)::numeric) OR (((data ->> 'discount_minor'::text))::numeric > ('1000000000000000'::bigint)::numeric)) THEN 'discount_minor'::text ELSE NULL::text END] ELSE '{}'::text[] END) WHEN (event_type = 'RefundProcessed'::text) THEN (CASE WHEN ((data -> 'method'::text) = ANY (ARRAY['"original"'::jsonb, '"store_credit"'::jsonb, '"other"'::jsonb, '"unknown"'::jsonb])) THEN data ELSE (data || '{"method": "unknown"}'::jsonb) END - CASE WHEN (data ?| '{customer,person_id,person_digest}'::text[]) THEN ARRAY['customer'::text, CASE WHEN (jsonb_typeof((data -> 'person_id'::text)) = 'null'::text) THEN NULL::text WHEN ((jsonb_typeof((data -> 'person_id'::text)) = 'string'::text) AND ((length((data ->> 'person_id'::text)) >= 1) AND (length((data ->> 'person_id'::text)) <= 256))) THEN NULL::text ELSE 'person_id'::text END, CASE WHEN (jsonb_typeof((data -> 'person_digest'::text)) = 'null'::text) THEN NULL::text WHEN ((jsonb_typeof((data -> 'person_digest'::text)) = 'string'::text) AND ((data ->> 'person_digest'::text) ~ '^[0-9a-f]{64}$'::text)) THEN NULL::text ELSE 'person_digest'::text END] ELSE '{}'::text[] END) WHEN (event_type = 'TicketOpened'::text) THEN ((data - 'message'::text) || CASE WHEN (jsonb_typeof((data -> 'message'::text)) = 'string'::text) THEN jsonb_set('{"messages": [{"text": "", "author": "customer"}]}'::jsonb, '{messages,0,text}'::text[], (data -> 'message'::text)) ELSE '{"messages": []}'::jsonb END) ELSE data END
;

CREATE TRIGGER account_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.account FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER action_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.action FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.decision FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_conflict_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_conflict FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_1 FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_key_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_key FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER forecast_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.forecast FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER forecast_settlement_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.forecast_settlement FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER listed_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.listed_line FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER log_node_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.log_node FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER posting_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.posting FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER posting_keeps_the_books AFTER INSERT ON public.posting REFERENCING NEW TABLE AS new_posting FOR EACH STATEMENT EXECUTE FUNCTION posting_guard();
CREATE TRIGGER proof_bundle_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.proof_bundle FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER snapshot_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.snapshot FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER source_file_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.source_file FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER transfer_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.transfer FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT DELETE, INSERT, SELECT ON delivery TO steward_app;
GRANT DELETE, INSERT, SELECT ON event_outbox TO steward_app;
GRANT DELETE, INSERT, SELECT ON person_alias TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON refund TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON refund_link TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON sale TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON sale_line TO steward_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON idempotency TO steward_app;
GRANT INSERT, SELECT ON action TO steward_app;
GRANT INSERT, SELECT ON api_key TO steward_app;
GRANT INSERT, SELECT ON decision TO steward_app;
GRANT INSERT, SELECT ON event TO steward_app;
GRANT INSERT, SELECT ON event_conflict TO steward_app;
GRANT INSERT, SELECT ON event_key TO steward_app;
GRANT INSERT, SELECT ON forecast TO steward_app;
GRANT INSERT, SELECT ON forecast_settlement TO steward_app;
GRANT INSERT, SELECT ON listed_line TO steward_app;
GRANT INSERT, SELECT ON log_node TO steward_app;
GRANT INSERT, SELECT ON person TO steward_app;
GRANT INSERT, SELECT ON person_field TO steward_app;
GRANT INSERT, SELECT ON proof_bundle TO steward_app;
GRANT INSERT, SELECT ON snapshot TO steward_app;
GRANT INSERT, SELECT ON source_file TO steward_app;
GRANT INSERT, SELECT, UPDATE ON checkpoint TO steward_app;
GRANT SELECT ON account TO steward_app;
GRANT SELECT ON balance TO steward_app;
GRANT SELECT ON log_head TO steward_app;
GRANT SELECT ON posting TO steward_app;
GRANT SELECT ON transfer TO steward_app;
GRANT SELECT, UPDATE ON sequencer TO steward_app;

GRANT EXECUTE ON FUNCTION ledger_open(text[],text[],text[]) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_post(uuid[],text[],text[],text[],timestamp with time zone[],bytea[],bytea[],timestamp with time zone,text,integer[],integer[],bigint[]) TO steward_app;
GRANT EXECUTE ON FUNCTION log_make_room(bigint) TO steward_app;
GRANT EXECUTE ON FUNCTION state_bare() TO steward_app;
GRANT EXECUTE ON FUNCTION state_indexed() TO steward_app;
GRANT EXECUTE ON FUNCTION upcast_event(text,integer,jsonb) TO steward_app;
