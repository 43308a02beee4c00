-- All migrations together. Written by `python -m steward.infra.schema_dump`; never edited.

CREATE TABLE account (
    account_id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    code text NOT NULL,
    currency text NOT NULL,
    normal text NOT NULL,
    floor_minor bigint,
    ceiling_minor bigint,
    is_closed boolean NOT NULL DEFAULT false,
    batch_id bigint NOT NULL
);

CREATE TABLE account_change (
    account_id integer NOT NULL,
    change_no integer NOT NULL,
    floor_minor bigint,
    ceiling_minor bigint,
    is_closed boolean NOT NULL,
    changed_by text NOT NULL,
    reason text NOT NULL,
    batch_id bigint NOT NULL
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

CREATE TABLE alert (
    alert_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    channel text NOT NULL,
    message_id text NOT NULL,
    body jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    state text NOT NULL DEFAULT 'waiting'::text,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamp with time zone NOT NULL
);

CREATE TABLE alert_attempt (
    alert_id bigint NOT NULL,
    attempt integer NOT NULL,
    at timestamp with time zone NOT NULL,
    answer text NOT NULL
);

CREATE TABLE api_key (
    key_id text NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    role text NOT NULL DEFAULT 'service'::text,
    expires_at timestamp with time zone,
    successor text
);

CREATE TABLE approval (
    approval_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    action_id uuid NOT NULL,
    args_digest bytea NOT NULL,
    policy_version bytea NOT NULL,
    tool_version bytea NOT NULL,
    decision text NOT NULL,
    person text NOT NULL,
    role text NOT NULL,
    key_id text NOT NULL,
    channel text NOT NULL,
    reason text NOT NULL DEFAULT ''::text,
    decided_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE approval_look (
    action_id uuid NOT NULL,
    person text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE balance (
    account_id integer NOT NULL,
    amount_minor bigint NOT NULL DEFAULT 0,
    pending_debit_minor bigint NOT NULL DEFAULT 0,
    pending_credit_minor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
);

CREATE TABLE bank_line (
    settlement_id text NOT NULL,
    key text NOT NULL,
    number integer NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    booked date,
    value date,
    is_pending boolean NOT NULL,
    is_reversal boolean NOT NULL,
    text text NOT NULL,
    counterparty text NOT NULL,
    refs jsonb NOT NULL
);

CREATE TABLE breaker (
    tool text NOT NULL,
    failures integer NOT NULL,
    open_until timestamp with time zone,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE cap (
    scope text NOT NULL,
    currency text NOT NULL,
    day_minor bigint NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    reason text NOT NULL
);

CREATE TABLE catalog_approval (
    digest bytea NOT NULL,
    previous bytea NOT NULL,
    approved_by text NOT NULL,
    key_id text NOT NULL,
    signature text NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

CREATE TABLE catalog_version (
    number integer NOT NULL,
    digest bytea NOT NULL,
    previous bytea,
    rules_digest bytea NOT NULL,
    theorem_digest bytea,
    document text NOT NULL,
    reason text NOT NULL,
    approved_by text NOT NULL,
    key_id text,
    signature text,
    recorded_at timestamp with time zone NOT NULL
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

CREATE TABLE demonstration (
    is_one boolean NOT NULL DEFAULT true,
    name text NOT NULL,
    begun_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE effect (
    action_id uuid NOT NULL,
    kind text NOT NULL,
    proposer text NOT NULL,
    department text NOT NULL,
    goal text,
    stage text NOT NULL,
    tool text NOT NULL,
    verb text NOT NULL,
    mode text NOT NULL,
    args jsonb NOT NULL,
    args_digest bytea NOT NULL,
    policy_version bytea NOT NULL,
    tool_version bytea NOT NULL,
    risk text NOT NULL,
    amount_minor bigint,
    currency text,
    quorum integer NOT NULL,
    role text,
    escalated_to text,
    reason text NOT NULL DEFAULT ''::text,
    hold text,
    deadline timestamp with time zone,
    opened_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    owner text,
    lease_until timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    probes integer NOT NULL DEFAULT 0,
    first_sent_at timestamp with time zone,
    last_sent_at timestamp with time zone,
    remote_ref text,
    result jsonb NOT NULL DEFAULT '{}'::jsonb,
    is_unanswered boolean NOT NULL DEFAULT false,
    doubt_until timestamp with time zone,
    refused text NOT NULL DEFAULT ''::text,
    needs_person text NOT NULL DEFAULT ''::text,
    checked_at timestamp with time zone,
    confirmed text NOT NULL DEFAULT ''::text,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE effect_answer (
    action_id uuid NOT NULL,
    n integer NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    status integer,
    remote_ref text,
    response_digest bytea,
    detail text NOT NULL DEFAULT ''::text
);

CREATE TABLE effect_attempt (
    action_id uuid NOT NULL,
    n integer NOT NULL,
    purpose text NOT NULL,
    fence bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    request_digest bytea NOT NULL
);

CREATE TABLE effect_evidence (
    type text NOT NULL,
    ref text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE effect_step (
    action_id uuid NOT NULL,
    n integer NOT NULL,
    state text NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL,
    fence bigint NOT NULL,
    detail text NOT NULL DEFAULT ''::text
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

CREATE TABLE expectation (
    side text NOT NULL,
    key text NOT NULL,
    provider text NOT NULL,
    type text NOT NULL,
    currency text NOT NULL,
    gross_minor bigint NOT NULL,
    fee_minor bigint,
    at timestamp with time zone NOT NULL,
    refs jsonb NOT NULL,
    "position" bigint NOT NULL
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

CREATE TABLE fx_rate (
    base text NOT NULL,
    quote text NOT NULL,
    on_date date NOT NULL,
    numerator bigint NOT NULL,
    denominator bigint NOT NULL,
    source text NOT NULL,
    batch_id bigint NOT NULL
);

CREATE TABLE gate_clock (
    is_given boolean NOT NULL DEFAULT true,
    reason text NOT NULL
);

CREATE TABLE gate_day (
    kind text NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    used_minor bigint NOT NULL DEFAULT 0,
    cap_minor bigint NOT NULL
);

CREATE TABLE gate_floor (
    kind text NOT NULL,
    risk text NOT NULL,
    quorum integer NOT NULL
);

CREATE TABLE hold (
    hold_no bigint NOT NULL,
    batch_id bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    key uuid NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    party text,
    body_digest bytea NOT NULL
);

CREATE TABLE hold_end (
    hold_no bigint NOT NULL,
    batch_id bigint NOT NULL,
    key uuid,
    how text NOT NULL,
    transfer_no bigint,
    body_digest bytea
);

CREATE TABLE hold_leg (
    hold_no bigint NOT NULL,
    line smallint NOT NULL,
    account_id integer NOT NULL,
    amount_minor bigint NOT NULL
);

CREATE TABLE hold_open (
    hold_no bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE idempotency (
    key_id text NOT NULL,
    idempotency_key text NOT NULL,
    request_digest bytea NOT NULL,
    status integer,
    answer bytea,
    started_at timestamp with time zone NOT NULL
);

CREATE TABLE invoice (
    invoice_id text NOT NULL,
    file_id text NOT NULL,
    vendor text NOT NULL,
    number text NOT NULL,
    version integer NOT NULL,
    issued date,
    due date,
    totals jsonb NOT NULL,
    lines integer NOT NULL,
    lines_digest bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    superseded_by text,
    superseded_at timestamp with time zone
);

CREATE TABLE invoice_audited (
    invoice_id text NOT NULL,
    run_id text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE invoice_fact (
    kind text NOT NULL,
    key text NOT NULL,
    subject text NOT NULL,
    sku text NOT NULL,
    party text NOT NULL,
    at timestamp with time zone NOT NULL,
    quantity bigint NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    "position" bigint NOT NULL
);

CREATE TABLE invoice_file (
    file_id text NOT NULL,
    vendor text NOT NULL,
    format text NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    bytes bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    received_by text NOT NULL,
    control_total_ok boolean,
    controls jsonb NOT NULL DEFAULT '[]'::jsonb,
    rejected jsonb NOT NULL DEFAULT '[]'::jsonb,
    refused text NOT NULL DEFAULT ''::text,
    refused_line integer
);

CREATE TABLE invoice_line (
    invoice_id text NOT NULL,
    number integer NOT NULL,
    service text NOT NULL,
    subject text NOT NULL,
    sku text NOT NULL,
    day date NOT NULL,
    at timestamp with time zone,
    quantity bigint NOT NULL,
    unit_minor bigint,
    amount_minor bigint NOT NULL,
    currency text NOT NULL
);

CREATE TABLE key_use (
    use_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    key_id text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    what text NOT NULL,
    channel text NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE kill_switch (
    scope text NOT NULL,
    is_on boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    reason text NOT NULL
);

CREATE TABLE ledger_batch (
    batch_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    recorded_at timestamp with time zone NOT NULL,
    rows integer NOT NULL,
    digest bytea NOT NULL
);

CREATE TABLE ledger_unposted (
    "position" bigint NOT NULL,
    event_type text NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone NOT NULL
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

CREATE TABLE mcp_pin (
    pin_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    server text NOT NULL,
    tool text NOT NULL,
    digest bytea NOT NULL,
    description text NOT NULL,
    accepted_by text NOT NULL,
    reason text NOT NULL,
    accepted_at timestamp with time zone NOT NULL
);

CREATE TABLE payee_name (
    change_id text NOT NULL,
    party text NOT NULL,
    payee text NOT NULL,
    name text NOT NULL,
    named_at timestamp with time zone NOT NULL,
    named_by text NOT NULL
);

CREATE TABLE payout (
    payout_id text NOT NULL,
    batch_id text NOT NULL,
    creator_id text,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    clawed_minor bigint NOT NULL,
    held_back_minor bigint NOT NULL,
    payee text NOT NULL,
    reference text NOT NULL,
    digest bytea NOT NULL,
    screening jsonb NOT NULL,
    prepared_at timestamp with time zone NOT NULL,
    prepared_by text NOT NULL,
    action_id text,
    state text NOT NULL DEFAULT 'open'::text,
    why text NOT NULL DEFAULT ''::text,
    moved_at timestamp with time zone,
    landed_ref text,
    supplier_id text,
    invoice_id text,
    due_at timestamp with time zone
);

CREATE TABLE payout_line (
    payout_id text NOT NULL,
    kind text NOT NULL,
    ref text NOT NULL,
    amount_minor bigint NOT NULL
);

CREATE TABLE period_change (
    name text NOT NULL,
    change_no integer NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    state text NOT NULL,
    changed_by text NOT NULL,
    reason text NOT NULL,
    batch_id bigint NOT NULL
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
    version bigint NOT NULL,
    transfer_no bigint NOT NULL,
    amount_minor bigint NOT NULL,
    balance_after bigint NOT NULL,
    account_id integer NOT NULL,
    effective_on date NOT NULL,
    line smallint NOT NULL
);

CREATE TABLE posting_day (
    account_id integer NOT NULL,
    effective_on date NOT NULL,
    recorded_on date NOT NULL,
    debit_minor bigint NOT NULL,
    credit_minor bigint NOT NULL,
    postings bigint NOT NULL
);

CREATE TABLE posting_fold (
    account_id integer NOT NULL,
    up_to_version bigint NOT NULL,
    postings bigint NOT NULL
);

CREATE TABLE posting_month (
    account_id integer NOT NULL,
    month date NOT NULL,
    debit_minor bigint NOT NULL,
    credit_minor bigint NOT NULL,
    postings bigint NOT NULL
);

CREATE TABLE proof_bundle (
    action_id uuid NOT NULL,
    verdict text NOT NULL,
    answer jsonb NOT NULL,
    bundle text NOT NULL,
    bundle_digest bytea NOT NULL
);

CREATE TABLE quarantine (
    quarantine_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    proposer text NOT NULL,
    since timestamp with time zone NOT NULL,
    reason text NOT NULL,
    lifted_at timestamp with time zone,
    lifted_by text,
    lifted_why text
);

CREATE TABLE rate_bucket (
    name text NOT NULL,
    level bigint NOT NULL,
    granted bigint NOT NULL,
    at timestamp with time zone NOT NULL
);

CREATE TABLE recon_break (
    break_id text NOT NULL,
    side text NOT NULL,
    type text NOT NULL,
    provider text NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    evidence jsonb NOT NULL,
    suggestion text NOT NULL,
    proposals jsonb NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    opened_by text NOT NULL,
    owner text,
    state text NOT NULL DEFAULT 'open'::text,
    ended_at timestamp with time zone,
    ended_by text,
    ended_how text,
    ended_why text
);

CREATE TABLE recon_break_item (
    break_id text NOT NULL,
    item_side text NOT NULL,
    key text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL
);

CREATE TABLE recon_item (
    item_side text NOT NULL,
    book text NOT NULL,
    key text NOT NULL,
    match_no bigint,
    break_id text,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    is_live boolean NOT NULL DEFAULT true
);

CREATE TABLE recon_match (
    match_no bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    run_id text NOT NULL,
    side text NOT NULL,
    rule text NOT NULL,
    confidence integer NOT NULL,
    currency text NOT NULL,
    rounding_minor bigint NOT NULL,
    evidence jsonb NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by text NOT NULL,
    undone_at timestamp with time zone,
    undone_by text,
    undone_why text
);

CREATE TABLE recon_run (
    run_id text NOT NULL,
    side text NOT NULL,
    as_of timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL,
    report jsonb NOT NULL
);

CREATE TABLE recon_settled (
    settlement_id text NOT NULL,
    matched integer NOT NULL,
    mismatches integer NOT NULL,
    run_id text NOT NULL,
    at timestamp with time zone NOT NULL
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

CREATE TABLE schedule_mark (
    name text NOT NULL,
    through timestamp with time zone NOT NULL
);

CREATE TABLE sequencer (
    only_row boolean NOT NULL DEFAULT true,
    holder text,
    lease_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
    generation bigint NOT NULL DEFAULT 0
);

CREATE TABLE settlement (
    settlement_id text NOT NULL,
    file_id text NOT NULL,
    provider text NOT NULL,
    statement text NOT NULL,
    account text NOT NULL,
    currency text NOT NULL,
    is_bank boolean NOT NULL,
    opening_minor bigint,
    closing_minor bigint,
    net_minor bigint NOT NULL,
    lines integer NOT NULL,
    lines_digest bytea NOT NULL,
    payout_id text,
    starts date,
    ends date,
    received_at timestamp with time zone NOT NULL,
    superseded_by text,
    superseded_at timestamp with time zone
);

CREATE TABLE settlement_file (
    file_id text NOT NULL,
    provider text NOT NULL,
    format text NOT NULL,
    name text NOT NULL,
    digest bytea NOT NULL,
    bytes bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    received_by text NOT NULL,
    control_total_ok boolean,
    controls jsonb NOT NULL DEFAULT '[]'::jsonb,
    rejected jsonb NOT NULL DEFAULT '[]'::jsonb,
    is_verified boolean NOT NULL,
    refused text NOT NULL DEFAULT ''::text,
    refused_line integer
);

CREATE TABLE settlement_line (
    settlement_id text NOT NULL,
    key text NOT NULL,
    number integer NOT NULL,
    type text NOT NULL,
    raw_type text NOT NULL,
    currency text NOT NULL,
    gross_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    at timestamp with time zone,
    day date,
    refs jsonb NOT NULL
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

CREATE TABLE tool_check (
    check_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    tool text NOT NULL,
    tool_version bytea NOT NULL,
    address text NOT NULL,
    passed boolean NOT NULL,
    detail text NOT NULL,
    checked_at timestamp with time zone NOT NULL
);

CREATE TABLE tool_token (
    tool text NOT NULL,
    sealed bytea,
    expires_at timestamp with time zone,
    renewing_until timestamp with time zone,
    changed_at timestamp with time zone NOT NULL
);

CREATE TABLE transfer (
    transfer_no bigint NOT NULL,
    batch_id bigint NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    reverses bigint,
    key uuid NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    party text,
    body_digest bytea NOT NULL
);

CREATE TABLE violation (
    invariant text NOT NULL,
    proposer text NOT NULL,
    window_start timestamp with time zone NOT NULL,
    times bigint NOT NULL DEFAULT 1,
    first_action uuid,
    reason text NOT NULL
);

CREATE TABLE worker_lease (
    executor_id text NOT NULL,
    until timestamp with time zone NOT NULL
);

ALTER TABLE account ADD CONSTRAINT account_code_check CHECK ((length(code) <= 256));
ALTER TABLE account ADD CONSTRAINT account_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE account ADD CONSTRAINT account_key UNIQUE (code, currency);
ALTER TABLE account ADD CONSTRAINT account_normal_check CHECK ((normal = ANY (ARRAY['debit'::text, 'credit'::text])));
ALTER TABLE account ADD CONSTRAINT account_pkey PRIMARY KEY (account_id);
ALTER TABLE account_change ADD CONSTRAINT account_change_change_no_check CHECK ((change_no > 0));
ALTER TABLE account_change ADD CONSTRAINT account_change_pkey PRIMARY KEY (account_id, change_no);
ALTER TABLE action ADD CONSTRAINT action_executed_has_amount CHECK (((outcome <> 'executed'::text) OR ((amount_minor IS NOT NULL) AND (amount_minor > 0))));
ALTER TABLE action ADD CONSTRAINT action_idempotency_key UNIQUE (idempotency_key);
ALTER TABLE action ADD CONSTRAINT action_outcome_check CHECK ((outcome = ANY (ARRAY['shadowed'::text, 'held'::text, 'refused'::text, 'executed'::text, 'receipt'::text])));
ALTER TABLE action ADD CONSTRAINT action_pkey PRIMARY KEY (action_id);
ALTER TABLE action ADD CONSTRAINT action_risk_check CHECK ((risk = ANY (ARRAY['L0'::text, 'L1'::text, 'L2'::text, 'L3'::text])));
ALTER TABLE alert ADD CONSTRAINT alert_attempts_check CHECK ((attempts >= 0));
ALTER TABLE alert ADD CONSTRAINT alert_channel_check CHECK ((channel = ANY (ARRAY['webhook'::text, 'email'::text, 'slack'::text])));
ALTER TABLE alert ADD CONSTRAINT alert_once UNIQUE (channel, message_id);
ALTER TABLE alert ADD CONSTRAINT alert_pkey PRIMARY KEY (alert_id);
ALTER TABLE alert ADD CONSTRAINT alert_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'failed'::text])));
ALTER TABLE alert_attempt ADD CONSTRAINT alert_attempt_attempt_check CHECK ((attempt > 0));
ALTER TABLE alert_attempt ADD CONSTRAINT alert_attempt_pkey PRIMARY KEY (alert_id, attempt);
ALTER TABLE api_key ADD CONSTRAINT api_key_agents_never_decide CHECK (((role <> ALL (ARRAY['agent'::text, 'service'::text])) OR (NOT (scopes && ARRAY['approvals:decide'::text, 'keys:admin'::text, 'breaks:resolve'::text]))));
ALTER TABLE api_key ADD CONSTRAINT api_key_digest_check CHECK ((length(digest) = 32));
ALTER TABLE api_key ADD CONSTRAINT api_key_pkey PRIMARY KEY (key_id);
ALTER TABLE api_key ADD CONSTRAINT api_key_role_check CHECK ((role = ANY (ARRAY['founder'::text, 'manager'::text, 'operator'::text, 'agent'::text, 'service'::text])));
ALTER TABLE api_key ADD CONSTRAINT api_key_successor_fkey FOREIGN KEY (successor) REFERENCES api_key(key_id);
ALTER TABLE approval ADD CONSTRAINT approval_args_digest_check CHECK ((length(args_digest) = 32));
ALTER TABLE approval ADD CONSTRAINT approval_decision_check CHECK ((decision = ANY (ARRAY['approve'::text, 'reject'::text])));
ALTER TABLE approval ADD CONSTRAINT approval_pkey PRIMARY KEY (approval_id);
ALTER TABLE approval ADD CONSTRAINT approval_policy_version_check CHECK ((length(policy_version) = 32));
ALTER TABLE approval ADD CONSTRAINT approval_tool_version_check CHECK ((length(tool_version) = 32));
ALTER TABLE approval_look ADD CONSTRAINT approval_look_pkey PRIMARY KEY (action_id, person);
ALTER TABLE balance ADD CONSTRAINT balance_pending_credit_minor_check CHECK ((pending_credit_minor >= 0));
ALTER TABLE balance ADD CONSTRAINT balance_pending_debit_minor_check CHECK ((pending_debit_minor >= 0));
ALTER TABLE balance ADD CONSTRAINT balance_pkey PRIMARY KEY (account_id);
ALTER TABLE bank_line ADD CONSTRAINT bank_line_pkey PRIMARY KEY (settlement_id, key);
ALTER TABLE breaker ADD CONSTRAINT breaker_failures_check CHECK ((failures >= 0));
ALTER TABLE breaker ADD CONSTRAINT breaker_pkey PRIMARY KEY (tool);
ALTER TABLE cap ADD CONSTRAINT cap_changed_by_check CHECK ((changed_by ~ '\S'::text));
ALTER TABLE cap ADD CONSTRAINT cap_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE cap ADD CONSTRAINT cap_day_minor_check CHECK ((day_minor >= 0));
ALTER TABLE cap ADD CONSTRAINT cap_pkey PRIMARY KEY (scope, currency);
ALTER TABLE cap ADD CONSTRAINT cap_reason_check CHECK ((reason ~ '\S'::text));
ALTER TABLE cap ADD CONSTRAINT cap_scope_check CHECK ((scope ~ '^(all|(kind|agent|tool|goal):[A-Za-z0-9._-]{1,100})$'::text));
ALTER TABLE catalog_approval ADD CONSTRAINT catalog_approval_approved_by_check CHECK ((approved_by ~ '\S'::text));
ALTER TABLE catalog_approval ADD CONSTRAINT catalog_approval_digest_check CHECK ((length(digest) = 32));
ALTER TABLE catalog_approval ADD CONSTRAINT catalog_approval_pkey PRIMARY KEY (digest, previous, key_id);
ALTER TABLE catalog_approval ADD CONSTRAINT catalog_approval_previous_check CHECK ((length(previous) = 32));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_approved_by_check CHECK ((approved_by ~ '\S'::text));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_check CHECK (((number = 1) = (previous IS NULL)));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_check1 CHECK (((key_id IS NULL) = (signature IS NULL)));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_check2 CHECK (((number = 1) OR (signature IS NOT NULL)));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_check3 CHECK ((sha256(convert_to(document, 'UTF8'::name)) = digest));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_digest_check CHECK ((length(digest) = 32));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_number_check CHECK ((number > 0));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_pkey PRIMARY KEY (number);
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_previous_check CHECK ((length(previous) = 32));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_reason_check CHECK ((reason ~ '\S'::text));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_rules_digest_check CHECK ((length(rules_digest) = 32));
ALTER TABLE catalog_version ADD CONSTRAINT catalog_version_theorem_digest_check CHECK ((length(theorem_digest) = 32));
ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (reader);
ALTER TABLE checkpoint ADD CONSTRAINT checkpoint_position_check CHECK (("position" >= 0));
ALTER TABLE decision ADD CONSTRAINT decision_action_id_key UNIQUE (action_id);
ALTER TABLE decision ADD CONSTRAINT decision_digest_check CHECK ((length(digest) = 32));
ALTER TABLE decision ADD CONSTRAINT decision_pkey PRIMARY KEY (decision_id);
ALTER TABLE delivery ADD CONSTRAINT delivery_body_sha256_check CHECK ((length(body_sha256) = 32));
ALTER TABLE delivery ADD CONSTRAINT delivery_origin_check CHECK ((origin = ANY (ARRAY['webhook'::text, 'poll'::text])));
ALTER TABLE delivery ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id);
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['received'::text, 'done'::text, 'ignored'::text, 'failed'::text, 'refused'::text, 'erased'::text])));
ALTER TABLE demonstration ADD CONSTRAINT demonstration_is_one_check CHECK (is_one);
ALTER TABLE demonstration ADD CONSTRAINT demonstration_name_check CHECK ((name ~ '\S'::text));
ALTER TABLE demonstration ADD CONSTRAINT demonstration_pkey PRIMARY KEY (is_one);
ALTER TABLE effect ADD CONSTRAINT effect_action_id_fkey FOREIGN KEY (action_id) REFERENCES action(action_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE effect ADD CONSTRAINT effect_amount_minor_check CHECK ((amount_minor >= 0));
ALTER TABLE effect ADD CONSTRAINT effect_args_digest_check CHECK ((length(args_digest) = 32));
ALTER TABLE effect ADD CONSTRAINT effect_attempts_check CHECK ((attempts >= 0));
ALTER TABLE effect ADD CONSTRAINT effect_check CHECK (((amount_minor IS NULL) = (currency IS NULL)));
ALTER TABLE effect ADD CONSTRAINT effect_check1 CHECK (((quorum = 0) = (role IS NULL)));
ALTER TABLE effect ADD CONSTRAINT effect_check2 CHECK (((state <> 'executing'::text) OR ((owner IS NOT NULL) AND (lease_until IS NOT NULL) AND (first_sent_at IS NOT NULL))));
ALTER TABLE effect ADD CONSTRAINT effect_check3 CHECK (((stage = 'live'::text) OR (state = ANY (ARRAY['awaiting_approval'::text, 'shadowed'::text, 'cancelled'::text, 'expired'::text, 'rejected'::text]))));
ALTER TABLE effect ADD CONSTRAINT effect_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE effect ADD CONSTRAINT effect_fence_check CHECK ((fence >= 0));
ALTER TABLE effect ADD CONSTRAINT effect_mode_check CHECK ((mode = ANY (ARRAY['native'::text, 'probe'::text, 'none'::text])));
ALTER TABLE effect ADD CONSTRAINT effect_pkey PRIMARY KEY (action_id);
ALTER TABLE effect ADD CONSTRAINT effect_policy_version_check CHECK ((length(policy_version) = 32));
ALTER TABLE effect ADD CONSTRAINT effect_probes_check CHECK ((probes >= 0));
ALTER TABLE effect ADD CONSTRAINT effect_quorum_check CHECK ((quorum >= 0));
ALTER TABLE effect ADD CONSTRAINT effect_risk_check CHECK ((risk = ANY (ARRAY['L0'::text, 'L1'::text, 'L2'::text, 'L3'::text])));
ALTER TABLE effect ADD CONSTRAINT effect_stage_check CHECK ((stage = ANY (ARRAY['shadow'::text, 'live'::text])));
ALTER TABLE effect ADD CONSTRAINT effect_state_check CHECK ((state = ANY (ARRAY['awaiting_approval'::text, 'ready'::text, 'executing'::text, 'succeeded'::text, 'failed'::text, 'unknown'::text, 'probing'::text, 'settled'::text, 'compensating'::text, 'compensated'::text, 'cancelled'::text, 'expired'::text, 'rejected'::text, 'shadowed'::text])));
ALTER TABLE effect ADD CONSTRAINT effect_tool_version_check CHECK ((length(tool_version) = 32));
ALTER TABLE effect_answer ADD CONSTRAINT effect_answer_pkey PRIMARY KEY (action_id, n);
ALTER TABLE effect_attempt ADD CONSTRAINT effect_attempt_n_check CHECK ((n > 0));
ALTER TABLE effect_attempt ADD CONSTRAINT effect_attempt_pkey PRIMARY KEY (action_id, n);
ALTER TABLE effect_attempt ADD CONSTRAINT effect_attempt_purpose_check CHECK ((purpose = ANY (ARRAY['send'::text, 'probe'::text, 'confirm'::text, 'undo'::text])));
ALTER TABLE effect_attempt ADD CONSTRAINT effect_attempt_request_digest_check CHECK ((length(request_digest) = 32));
ALTER TABLE effect_evidence ADD CONSTRAINT effect_evidence_pkey PRIMARY KEY (type, ref);
ALTER TABLE effect_evidence ADD CONSTRAINT effect_evidence_position_check CHECK (("position" > 0));
ALTER TABLE effect_step ADD CONSTRAINT effect_step_n_check CHECK ((n > 0));
ALTER TABLE effect_step ADD CONSTRAINT effect_step_pkey PRIMARY KEY (action_id, n);
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
ALTER TABLE expectation ADD CONSTRAINT expectation_pkey PRIMARY KEY (side, key);
ALTER TABLE expectation ADD CONSTRAINT expectation_side_check CHECK ((side = ANY (ARRAY['statement'::text, 'bank'::text])));
ALTER TABLE forecast ADD CONSTRAINT forecast_check CHECK (((low <= mid) AND (mid <= high)));
ALTER TABLE forecast ADD CONSTRAINT forecast_pkey PRIMARY KEY (forecast_id);
ALTER TABLE forecast_settlement ADD CONSTRAINT forecast_settlement_forecast_id_fkey FOREIGN KEY (forecast_id) REFERENCES forecast(forecast_id);
ALTER TABLE forecast_settlement ADD CONSTRAINT forecast_settlement_pkey PRIMARY KEY (forecast_id);
ALTER TABLE fx_rate ADD CONSTRAINT fx_rate_base_check CHECK ((base ~ '^[A-Z]{3}$'::text));
ALTER TABLE fx_rate ADD CONSTRAINT fx_rate_check CHECK (((quote ~ '^[A-Z]{3}$'::text) AND (quote <> base)));
ALTER TABLE fx_rate ADD CONSTRAINT fx_rate_denominator_check CHECK ((denominator > 0));
ALTER TABLE fx_rate ADD CONSTRAINT fx_rate_numerator_check CHECK ((numerator > 0));
ALTER TABLE fx_rate ADD CONSTRAINT fx_rate_pkey PRIMARY KEY (base, quote, on_date, batch_id);
ALTER TABLE fx_rate ADD CONSTRAINT fx_rate_source_check CHECK ((length(source) <= 256));
ALTER TABLE gate_clock ADD CONSTRAINT gate_clock_is_given_check CHECK (is_given);
ALTER TABLE gate_clock ADD CONSTRAINT gate_clock_pkey PRIMARY KEY (is_given);
ALTER TABLE gate_clock ADD CONSTRAINT gate_clock_reason_check CHECK ((reason ~ '\S'::text));
ALTER TABLE gate_day ADD CONSTRAINT gate_day_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
ALTER TABLE gate_day ADD CONSTRAINT gate_day_pkey PRIMARY KEY (kind, currency, day);
ALTER TABLE gate_day ADD CONSTRAINT gate_day_under_cap CHECK (((used_minor >= 0) AND (used_minor <= cap_minor)));
ALTER TABLE gate_floor ADD CONSTRAINT gate_floor_pkey PRIMARY KEY (kind);
ALTER TABLE gate_floor ADD CONSTRAINT gate_floor_quorum_check CHECK ((quorum > 0));
ALTER TABLE gate_floor ADD CONSTRAINT gate_floor_risk_check CHECK ((risk = ANY (ARRAY['L2'::text, 'L3'::text])));
ALTER TABLE hold ADD CONSTRAINT hold_body_digest_check CHECK ((octet_length(body_digest) = 32));
ALTER TABLE hold ADD CONSTRAINT hold_key UNIQUE (key);
ALTER TABLE hold ADD CONSTRAINT hold_kind_check CHECK (((octet_length(kind) >= 1) AND (octet_length(kind) <= 256)));
ALTER TABLE hold ADD CONSTRAINT hold_party_check CHECK ((octet_length(party) <= 1024));
ALTER TABLE hold ADD CONSTRAINT hold_pkey PRIMARY KEY (hold_no);
ALTER TABLE hold ADD CONSTRAINT hold_source_check CHECK ((octet_length(source) <= 4400));
ALTER TABLE hold_end ADD CONSTRAINT hold_end_body_digest_check CHECK ((octet_length(body_digest) = 32));
ALTER TABLE hold_end ADD CONSTRAINT hold_end_check CHECK (((how = 'posted'::text) = (transfer_no IS NOT NULL)));
ALTER TABLE hold_end ADD CONSTRAINT hold_end_check1 CHECK (((how = 'expired'::text) = (key IS NULL)));
ALTER TABLE hold_end ADD CONSTRAINT hold_end_check2 CHECK (((key IS NULL) = (body_digest IS NULL)));
ALTER TABLE hold_end ADD CONSTRAINT hold_end_how_check CHECK ((how = ANY (ARRAY['posted'::text, 'voided'::text, 'expired'::text])));
ALTER TABLE hold_end ADD CONSTRAINT hold_end_key UNIQUE (key);
ALTER TABLE hold_end ADD CONSTRAINT hold_end_pkey PRIMARY KEY (hold_no);
ALTER TABLE hold_leg ADD CONSTRAINT hold_leg_amount_minor_check CHECK ((amount_minor <> 0));
ALTER TABLE hold_leg ADD CONSTRAINT hold_leg_pkey PRIMARY KEY (hold_no, line);
ALTER TABLE hold_open ADD CONSTRAINT hold_open_pkey PRIMARY KEY (hold_no);
ALTER TABLE idempotency ADD CONSTRAINT idempotency_key_id_fkey FOREIGN KEY (key_id) REFERENCES api_key(key_id);
ALTER TABLE idempotency ADD CONSTRAINT idempotency_pkey PRIMARY KEY (key_id, idempotency_key);
ALTER TABLE idempotency ADD CONSTRAINT idempotency_request_digest_check CHECK ((length(request_digest) = 32));
ALTER TABLE invoice ADD CONSTRAINT invoice_check CHECK (((superseded_by IS NULL) = (superseded_at IS NULL)));
ALTER TABLE invoice ADD CONSTRAINT invoice_file_id_fkey FOREIGN KEY (file_id) REFERENCES invoice_file(file_id);
ALTER TABLE invoice ADD CONSTRAINT invoice_lines_check CHECK ((lines > 0));
ALTER TABLE invoice ADD CONSTRAINT invoice_lines_digest_check CHECK ((length(lines_digest) = 32));
ALTER TABLE invoice ADD CONSTRAINT invoice_pkey PRIMARY KEY (invoice_id);
ALTER TABLE invoice ADD CONSTRAINT invoice_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES invoice(invoice_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE invoice ADD CONSTRAINT invoice_vendor_number_version_key UNIQUE (vendor, number, version);
ALTER TABLE invoice ADD CONSTRAINT invoice_version_check CHECK ((version >= 1));
ALTER TABLE invoice_audited ADD CONSTRAINT invoice_audited_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES invoice(invoice_id);
ALTER TABLE invoice_audited ADD CONSTRAINT invoice_audited_pkey PRIMARY KEY (invoice_id);
ALTER TABLE invoice_fact ADD CONSTRAINT invoice_fact_pkey PRIMARY KEY (kind, key);
ALTER TABLE invoice_file ADD CONSTRAINT invoice_file_bytes_check CHECK ((bytes >= 0));
ALTER TABLE invoice_file ADD CONSTRAINT invoice_file_check CHECK (((refused <> ''::text) OR (control_total_ok IS DISTINCT FROM false)));
ALTER TABLE invoice_file ADD CONSTRAINT invoice_file_digest_check CHECK ((length(digest) = 32));
ALTER TABLE invoice_file ADD CONSTRAINT invoice_file_pkey PRIMARY KEY (file_id);
ALTER TABLE invoice_file ADD CONSTRAINT invoice_file_received_by_check CHECK ((received_by ~ '\S'::text));
ALTER TABLE invoice_line ADD CONSTRAINT invoice_line_pkey PRIMARY KEY (invoice_id, number);
ALTER TABLE invoice_line ADD CONSTRAINT invoice_line_quantity_check CHECK ((quantity > 0));
ALTER TABLE key_use ADD CONSTRAINT key_use_pkey PRIMARY KEY (use_id);
ALTER TABLE kill_switch ADD CONSTRAINT kill_switch_changed_by_check CHECK ((changed_by ~ '\S'::text));
ALTER TABLE kill_switch ADD CONSTRAINT kill_switch_pkey PRIMARY KEY (scope);
ALTER TABLE kill_switch ADD CONSTRAINT kill_switch_reason_check CHECK ((reason ~ '\S'::text));
ALTER TABLE kill_switch ADD CONSTRAINT kill_switch_scope_check CHECK ((scope ~ '^(all|(department|agent|tool|kind):[^\s]{1,200})$'::text));
ALTER TABLE ledger_batch ADD CONSTRAINT ledger_batch_digest_check CHECK ((length(digest) = 32));
ALTER TABLE ledger_batch ADD CONSTRAINT ledger_batch_pkey PRIMARY KEY (batch_id);
ALTER TABLE ledger_batch ADD CONSTRAINT ledger_batch_rows_check CHECK ((rows > 0));
ALTER TABLE ledger_unposted ADD CONSTRAINT ledger_unposted_pkey PRIMARY KEY ("position");
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
ALTER TABLE mcp_pin ADD CONSTRAINT mcp_pin_accepted_by_check CHECK ((accepted_by ~ '\S'::text));
ALTER TABLE mcp_pin ADD CONSTRAINT mcp_pin_digest_check CHECK ((length(digest) = 32));
ALTER TABLE mcp_pin ADD CONSTRAINT mcp_pin_pkey PRIMARY KEY (pin_id);
ALTER TABLE mcp_pin ADD CONSTRAINT mcp_pin_reason_check CHECK ((reason ~ '\S'::text));
ALTER TABLE payee_name ADD CONSTRAINT payee_name_pkey PRIMARY KEY (change_id);
ALTER TABLE payout ADD CONSTRAINT payout_action_id_key UNIQUE (action_id);
ALTER TABLE payout ADD CONSTRAINT payout_adds_up TRIGGER DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE payout ADD CONSTRAINT payout_amount_minor_check CHECK ((amount_minor > 0));
ALTER TABLE payout ADD CONSTRAINT payout_check CHECK (((state = 'open'::text) = (moved_at IS NULL)));
ALTER TABLE payout ADD CONSTRAINT payout_check1 CHECK (((state = 'landed'::text) = (landed_ref IS NOT NULL)));
ALTER TABLE payout ADD CONSTRAINT payout_clawed_minor_check CHECK ((clawed_minor <= 0));
ALTER TABLE payout ADD CONSTRAINT payout_held_back_minor_check CHECK ((held_back_minor >= 0));
ALTER TABLE payout ADD CONSTRAINT payout_is_to_one CHECK (((creator_id IS NULL) <> (supplier_id IS NULL)));
ALTER TABLE payout ADD CONSTRAINT payout_pkey PRIMARY KEY (payout_id);
ALTER TABLE payout ADD CONSTRAINT payout_reference_key UNIQUE (reference);
ALTER TABLE payout ADD CONSTRAINT payout_state_check CHECK ((state = ANY (ARRAY['open'::text, 'sent'::text, 'landed'::text, 'dropped'::text])));
ALTER TABLE payout ADD CONSTRAINT payout_to_a_supplier_names_a_bill CHECK ((((supplier_id IS NULL) = (invoice_id IS NULL)) AND ((supplier_id IS NULL) = (due_at IS NULL))));
ALTER TABLE payout_line ADD CONSTRAINT payout_line_adds_up TRIGGER DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE payout_line ADD CONSTRAINT payout_line_amount_minor_check CHECK ((amount_minor <> 0));
ALTER TABLE payout_line ADD CONSTRAINT payout_line_kind_check CHECK ((kind = ANY (ARRAY['commission'::text, 'elsewhere'::text, 'invoice'::text])));
ALTER TABLE payout_line ADD CONSTRAINT payout_line_payout_id_fkey FOREIGN KEY (payout_id) REFERENCES payout(payout_id);
ALTER TABLE payout_line ADD CONSTRAINT payout_line_pkey PRIMARY KEY (payout_id, kind, ref);
ALTER TABLE period_change ADD CONSTRAINT period_change_change_no_check CHECK ((change_no > 0));
ALTER TABLE period_change ADD CONSTRAINT period_change_check CHECK ((starts_on < ends_on));
ALTER TABLE period_change ADD CONSTRAINT period_change_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64)));
ALTER TABLE period_change ADD CONSTRAINT period_change_pkey PRIMARY KEY (name, change_no);
ALTER TABLE period_change ADD CONSTRAINT period_change_state_check CHECK ((state = ANY (ARRAY['open'::text, 'soft'::text, 'closed'::text])));
ALTER TABLE person ADD CONSTRAINT person_check CHECK (((salt IS NULL) = (erased_at IS NOT NULL)));
ALTER TABLE person ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);
ALTER TABLE person_alias ADD CONSTRAINT person_alias_alias_check CHECK ((length(alias) = 32));
ALTER TABLE person_alias ADD CONSTRAINT person_alias_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id);
ALTER TABLE person_alias ADD CONSTRAINT person_alias_pkey PRIMARY KEY (alias);
ALTER TABLE person_field ADD CONSTRAINT person_field_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id);
ALTER TABLE person_field ADD CONSTRAINT person_field_pkey PRIMARY KEY (event_key);
ALTER TABLE posting ADD CONSTRAINT posting_amount_minor_check CHECK (((amount_minor <> 0) AND ((amount_minor >= '-1000000000000000'::bigint) AND (amount_minor <= '1000000000000000'::bigint))));
ALTER TABLE posting ADD CONSTRAINT posting_pkey PRIMARY KEY (account_id, version);
ALTER TABLE posting_day ADD CONSTRAINT posting_day_credit_minor_check CHECK ((credit_minor >= 0));
ALTER TABLE posting_day ADD CONSTRAINT posting_day_debit_minor_check CHECK ((debit_minor >= 0));
ALTER TABLE posting_day ADD CONSTRAINT posting_day_pkey PRIMARY KEY (account_id, effective_on, recorded_on);
ALTER TABLE posting_day ADD CONSTRAINT posting_day_postings_check CHECK ((postings > 0));
ALTER TABLE posting_fold ADD CONSTRAINT posting_fold_pkey PRIMARY KEY (account_id, up_to_version);
ALTER TABLE posting_fold ADD CONSTRAINT posting_fold_postings_check CHECK ((postings > 0));
ALTER TABLE posting_month ADD CONSTRAINT posting_month_credit_minor_check CHECK ((credit_minor >= 0));
ALTER TABLE posting_month ADD CONSTRAINT posting_month_debit_minor_check CHECK ((debit_minor >= 0));
ALTER TABLE posting_month ADD CONSTRAINT posting_month_month_check CHECK ((month = (date_trunc('month'::text, (month)::timestamp without time zone))::date));
ALTER TABLE posting_month ADD CONSTRAINT posting_month_pkey PRIMARY KEY (account_id, month);
ALTER TABLE posting_month ADD CONSTRAINT posting_month_postings_check CHECK ((postings > 0));
ALTER TABLE proof_bundle ADD CONSTRAINT proof_bundle_bundle_digest_check CHECK ((length(bundle_digest) = 32));
ALTER TABLE proof_bundle ADD CONSTRAINT proof_bundle_pkey PRIMARY KEY (action_id);
ALTER TABLE proof_bundle ADD CONSTRAINT proof_bundle_verdict_check CHECK ((verdict = ANY (ARRAY['ALLOW'::text, 'DENY'::text, 'ESCALATE'::text])));
ALTER TABLE quarantine ADD CONSTRAINT quarantine_check CHECK ((num_nulls(lifted_at, lifted_by, lifted_why) = ANY (ARRAY[0, 3])));
ALTER TABLE quarantine ADD CONSTRAINT quarantine_lifted_why_check CHECK ((lifted_why ~ '\S'::text));
ALTER TABLE quarantine ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);
ALTER TABLE rate_bucket ADD CONSTRAINT rate_bucket_level_check CHECK ((level >= 0));
ALTER TABLE rate_bucket ADD CONSTRAINT rate_bucket_pkey PRIMARY KEY (name);
ALTER TABLE recon_break ADD CONSTRAINT recon_break_check CHECK (((state = 'open'::text) = (ended_at IS NULL)));
ALTER TABLE recon_break ADD CONSTRAINT recon_break_pkey PRIMARY KEY (break_id);
ALTER TABLE recon_break ADD CONSTRAINT recon_break_state_check CHECK ((state = ANY (ARRAY['open'::text, 'gone'::text, 'resolved'::text])));
ALTER TABLE recon_break_item ADD CONSTRAINT recon_break_item_pkey PRIMARY KEY (break_id, item_side, key);
ALTER TABLE recon_item ADD CONSTRAINT recon_item_book_check CHECK ((book = ANY (ARRAY['statement'::text, 'bank'::text, 'invoice'::text])));
ALTER TABLE recon_item ADD CONSTRAINT recon_item_check CHECK (((match_no IS NULL) <> (break_id IS NULL)));
ALTER TABLE recon_item ADD CONSTRAINT recon_item_item_side_check CHECK ((item_side = ANY (ARRAY['statement'::text, 'books'::text, 'bank'::text, 'invoice'::text])));
ALTER TABLE recon_item ADD CONSTRAINT recon_item_side_of_its_book CHECK (((item_side = 'books'::text) OR (item_side = book)));
ALTER TABLE recon_match ADD CONSTRAINT recon_match_check CHECK ((((undone_at IS NULL) = (undone_by IS NULL)) AND ((undone_at IS NULL) = (undone_why IS NULL))));
ALTER TABLE recon_match ADD CONSTRAINT recon_match_confidence_check CHECK (((confidence >= 0) AND (confidence <= 1000)));
ALTER TABLE recon_match ADD CONSTRAINT recon_match_pkey PRIMARY KEY (match_no);
ALTER TABLE recon_run ADD CONSTRAINT recon_run_pkey PRIMARY KEY (run_id);
ALTER TABLE recon_run ADD CONSTRAINT recon_run_side_check CHECK ((side = ANY (ARRAY['statement'::text, 'bank'::text, 'invoice'::text])));
ALTER TABLE recon_settled ADD CONSTRAINT recon_settled_matched_check CHECK ((matched >= 0));
ALTER TABLE recon_settled ADD CONSTRAINT recon_settled_mismatches_check CHECK ((mismatches >= 0));
ALTER TABLE recon_settled ADD CONSTRAINT recon_settled_pkey PRIMARY KEY (settlement_id);
ALTER TABLE recon_settled ADD CONSTRAINT recon_settled_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES settlement(settlement_id);
ALTER TABLE refund ADD CONSTRAINT refund_pkey PRIMARY KEY (refund_id);
ALTER TABLE refund_link ADD CONSTRAINT refund_link_pkey PRIMARY KEY (refund_id, part);
ALTER TABLE refund_link ADD CONSTRAINT refund_link_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refund(refund_id) ON DELETE CASCADE;
ALTER TABLE sale ADD CONSTRAINT sale_pkey PRIMARY KEY (order_id);
ALTER TABLE sale_line ADD CONSTRAINT sale_line_pkey PRIMARY KEY (order_id, line);
ALTER TABLE schedule_mark ADD CONSTRAINT schedule_mark_name_check CHECK ((name ~ '\S'::text));
ALTER TABLE schedule_mark ADD CONSTRAINT schedule_mark_pkey PRIMARY KEY (name);
ALTER TABLE sequencer ADD CONSTRAINT sequencer_only_row_check CHECK (only_row);
ALTER TABLE sequencer ADD CONSTRAINT sequencer_pkey PRIMARY KEY (only_row);
ALTER TABLE settlement ADD CONSTRAINT settlement_check CHECK (((superseded_by IS NULL) = (superseded_at IS NULL)));
ALTER TABLE settlement ADD CONSTRAINT settlement_file_id_fkey FOREIGN KEY (file_id) REFERENCES settlement_file(file_id);
ALTER TABLE settlement ADD CONSTRAINT settlement_lines_check CHECK ((lines >= 0));
ALTER TABLE settlement ADD CONSTRAINT settlement_lines_digest_check CHECK ((length(lines_digest) = 32));
ALTER TABLE settlement ADD CONSTRAINT settlement_pkey PRIMARY KEY (settlement_id);
ALTER TABLE settlement ADD CONSTRAINT settlement_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES settlement(settlement_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE settlement_file ADD CONSTRAINT settlement_file_bytes_check CHECK ((bytes >= 0));
ALTER TABLE settlement_file ADD CONSTRAINT settlement_file_check CHECK (((refused <> ''::text) OR (control_total_ok IS DISTINCT FROM false)));
ALTER TABLE settlement_file ADD CONSTRAINT settlement_file_digest_check CHECK ((length(digest) = 32));
ALTER TABLE settlement_file ADD CONSTRAINT settlement_file_pkey PRIMARY KEY (file_id);
ALTER TABLE settlement_file ADD CONSTRAINT settlement_file_received_by_check CHECK ((received_by ~ '\S'::text));
ALTER TABLE settlement_line ADD CONSTRAINT settlement_line_check CHECK ((net_minor = (gross_minor - fee_minor)));
ALTER TABLE settlement_line ADD CONSTRAINT settlement_line_pkey PRIMARY KEY (settlement_id, key);
ALTER TABLE snapshot ADD CONSTRAINT snapshot_as_of_key UNIQUE (as_of);
ALTER TABLE snapshot ADD CONSTRAINT snapshot_pkey PRIMARY KEY (snapshot_id);
ALTER TABLE source_file ADD CONSTRAINT source_file_pkey PRIMARY KEY (sha256);
ALTER TABLE source_file ADD CONSTRAINT source_file_sha256_check CHECK ((length(sha256) = 32));
ALTER TABLE tool_check ADD CONSTRAINT tool_check_pkey PRIMARY KEY (check_id);
ALTER TABLE tool_check ADD CONSTRAINT tool_check_tool_version_check CHECK ((length(tool_version) = 32));
ALTER TABLE tool_token ADD CONSTRAINT tool_token_pkey PRIMARY KEY (tool);
ALTER TABLE transfer ADD CONSTRAINT transfer_body_digest_check CHECK ((octet_length(body_digest) = 32));
ALTER TABLE transfer ADD CONSTRAINT transfer_key UNIQUE (key);
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_check CHECK (((octet_length(kind) >= 1) AND (octet_length(kind) <= 256)));
ALTER TABLE transfer ADD CONSTRAINT transfer_party_check CHECK ((octet_length(party) <= 1024));
ALTER TABLE transfer ADD CONSTRAINT transfer_pkey PRIMARY KEY (transfer_no);
ALTER TABLE transfer ADD CONSTRAINT transfer_source_check CHECK ((octet_length(source) <= 4400));
ALTER TABLE violation ADD CONSTRAINT violation_invariant_check CHECK (((octet_length(invariant) >= 1) AND (octet_length(invariant) <= 1024)));
ALTER TABLE violation ADD CONSTRAINT violation_pkey PRIMARY KEY (proposer, window_start, invariant);
ALTER TABLE violation ADD CONSTRAINT violation_proposer_check CHECK (((octet_length(proposer) >= 1) AND (octet_length(proposer) <= 4000)));
ALTER TABLE violation ADD CONSTRAINT violation_times_check CHECK ((times > 0));
ALTER TABLE worker_lease ADD CONSTRAINT worker_lease_executor_id_check CHECK ((executor_id ~ '\S'::text));
ALTER TABLE worker_lease ADD CONSTRAINT worker_lease_pkey PRIMARY KEY (executor_id);

CREATE INDEX action_by_time ON public.action USING btree (kind, proposed_at);
CREATE INDEX action_newest ON public.action USING btree (proposed_at DESC, action_id DESC);
CREATE INDEX alert_due ON public.alert USING btree (next_at) WHERE (state = 'waiting'::text);
CREATE INDEX delivery_by_event ON public.delivery USING gin (event_keys);
CREATE INDEX delivery_open ON public.delivery USING btree (delivery_id) WHERE (state = ANY (ARRAY['received'::text, 'failed'::text]));
CREATE INDEX effect_awaits_evidence ON public.effect USING btree (kind) WHERE (state = ANY (ARRAY['succeeded'::text, 'unknown'::text]));
CREATE INDEX effect_due ON public.effect USING btree (due_at, action_id) WHERE ((state = ANY (ARRAY['ready'::text, 'executing'::text, 'unknown'::text, 'probing'::text, 'compensating'::text])) AND (needs_person = ''::text));
CREATE INDEX effect_person ON public.effect USING btree (changed_at) WHERE (needs_person <> ''::text);
CREATE INDEX effect_waiting ON public.effect USING btree (deadline) WHERE (state = 'awaiting_approval'::text);
CREATE INDEX event_1_by_subject ON public.event_1 USING btree (subject, "position");
CREATE INDEX event_1_by_type ON public.event_1 USING btree (type, "position");
CREATE INDEX event_1_expr_idx ON public.event_1 USING btree (((data ->> 'payment_id'::text))) WHERE (type = ANY (ARRAY['PaymentCaptured'::text, 'RefundProcessed'::text, 'DisputeOpened'::text]));
CREATE INDEX event_by_payment ON ONLY public.event USING btree (((data ->> 'payment_id'::text))) WHERE (type = ANY (ARRAY['PaymentCaptured'::text, 'RefundProcessed'::text, 'DisputeOpened'::text]));
CREATE INDEX event_by_subject ON ONLY public.event USING btree (subject, "position");
CREATE INDEX event_by_type ON ONLY public.event USING btree (type, "position");
CREATE INDEX forecast_by_action ON public.forecast USING btree (action_id);
CREATE INDEX hold_open_by_expiry ON public.hold_open USING btree (expires_at);
CREATE INDEX idempotency_by_age ON public.idempotency USING btree (started_at);
CREATE INDEX key_use_by_key ON public.key_use USING btree (key_id, use_id);
CREATE INDEX ledger_batch_by_time ON public.ledger_batch USING btree (recorded_at);
CREATE INDEX mcp_pin_newest ON public.mcp_pin USING btree (server, tool, pin_id DESC);
CREATE INDEX payout_line_by_ref ON public.payout_line USING btree (kind, ref);
CREATE INDEX payout_sent ON public.payout USING btree (moved_at) WHERE (state = 'sent'::text);
CREATE INDEX person_alias_by_person ON public.person_alias USING btree (person_id);
CREATE INDEX person_field_by_person ON public.person_field USING btree (person_id);
CREATE INDEX posting_by_transfer ON public.posting USING brin (transfer_no) WITH (autosummarize='on', pages_per_range='16');
CREATE INDEX posting_day_by_day ON public.posting_day USING btree (effective_on);
CREATE INDEX recon_break_open ON public.recon_break USING btree (opened_at, break_id) WHERE (state = 'open'::text);
CREATE INDEX recon_item_by_break ON public.recon_item USING btree (break_id) WHERE (break_id IS NOT NULL);
CREATE INDEX recon_item_by_match ON public.recon_item USING btree (match_no) WHERE (match_no IS NOT NULL);
CREATE INDEX refund_by_customer ON public.refund USING btree (customer_id, occurred_at);
CREATE INDEX refund_by_time ON public.refund USING btree (occurred_at, "position");
CREATE INDEX refund_link_by_purchase ON public.refund_link USING btree (order_id, line);
CREATE INDEX sale_by_time ON public.sale USING btree (occurred_at);
CREATE INDEX sale_line_by_customer ON public.sale_line USING btree (customer_id, sku, occurred_at);
CREATE INDEX sale_line_by_sku ON public.sale_line USING btree (sku, occurred_at);
CREATE INDEX transfer_by_time ON public.transfer USING brin (effective_at) WITH (autosummarize='on');
CREATE UNIQUE INDEX approval_once ON public.approval USING btree (action_id, person);
CREATE UNIQUE INDEX delivery_once ON public.delivery USING btree (provider, delivery_key, body_sha256) WHERE (state <> 'refused'::text);
CREATE UNIQUE INDEX invoice_current ON public.invoice USING btree (vendor, number) WHERE (superseded_by IS NULL);
CREATE UNIQUE INDEX invoice_file_once ON public.invoice_file USING btree (digest, refused);
CREATE UNIQUE INDEX payout_of_a_bill_on_its_way ON public.payout USING btree (supplier_id, invoice_id) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX payout_on_its_way ON public.payout USING btree (creator_id, currency) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX quarantine_open ON public.quarantine USING btree (proposer) WHERE (lifted_at IS NULL);
CREATE UNIQUE INDEX recon_item_arrival_once ON public.recon_item USING btree (key) WHERE (is_live AND (book = 'bank'::text) AND (item_side = 'books'::text));
CREATE UNIQUE INDEX recon_item_billed_once ON public.recon_item USING btree (key) WHERE (is_live AND (book = 'invoice'::text) AND (item_side = 'invoice'::text));
CREATE UNIQUE INDEX recon_item_entry_once ON public.recon_item USING btree (key) WHERE (is_live AND (book = 'bank'::text) AND (item_side = 'bank'::text));
CREATE UNIQUE INDEX recon_item_line_once ON public.recon_item USING btree (key) WHERE (is_live AND (book = 'statement'::text) AND (item_side = 'statement'::text));
CREATE UNIQUE INDEX recon_item_movement_once ON public.recon_item USING btree (key) WHERE (is_live AND (book = 'statement'::text) AND (item_side = 'books'::text));
CREATE UNIQUE INDEX recon_item_owed_once ON public.recon_item USING btree (key) WHERE (is_live AND (book = 'invoice'::text) AND (item_side = 'books'::text));
CREATE UNIQUE INDEX settlement_current ON public.settlement USING btree (provider, statement) WHERE (superseded_by IS NULL);
CREATE UNIQUE INDEX settlement_file_once ON public.settlement_file USING btree (digest, refused);
CREATE UNIQUE INDEX transfer_reversal ON public.transfer USING btree (reverses) WHERE (reverses IS NOT NULL);

CREATE OR REPLACE FUNCTION public.account_change_applies()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF NEW.change_no <> coalesce((SELECT max(change_no) FROM account_change c
                                  WHERE c.account_id = NEW.account_id AND c.change_no <> NEW.change_no), 0) + 1 THEN
        RAISE EXCEPTION 'account % has a broken chain of changes', NEW.account_id USING ERRCODE = 'check_violation';
    END IF;
    UPDATE account SET floor_minor = NEW.floor_minor, ceiling_minor = NEW.ceiling_minor, is_closed = NEW.is_closed
    WHERE account_id = NEW.account_id;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.account_opens_balance()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO balance (account_id) SELECT account_id FROM new_account;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.api_key_stays_ended()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.revoked_at IS NOT NULL AND (NEW.revoked_at IS NULL OR NEW.revoked_at > OLD.revoked_at) THEN
        RAISE EXCEPTION 'a key that was ended stays ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.catalog_version_chains()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF NEW.number > 1 AND NOT EXISTS (SELECT FROM catalog_version v
                                      WHERE v.number = NEW.number - 1 AND v.digest = NEW.previous) THEN
        RAISE EXCEPTION 'version % does not follow the one before it', NEW.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.demonstration_begins()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    LOCK TABLE event, api_key IN SHARE MODE;
    IF EXISTS (SELECT FROM event) OR EXISTS (SELECT FROM event_outbox) OR EXISTS (SELECT FROM api_key) THEN
        RAISE EXCEPTION 'this database is in use: its time is real' USING ERRCODE = 'restrict_violation';
    END IF;
    -- Keys, deadlines and approvals are judged by the business's time too.
    INSERT INTO gate_clock (reason) VALUES ('a demonstration: the time of the business is simulated')
    ON CONFLICT DO NOTHING;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.deny_by_hand()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% is written by its triggers only: % refused', TG_TABLE_NAME, TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.deny_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $function$
;
CREATE OR REPLACE FUNCTION public.effect_begins()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NEW.state NOT IN ('awaiting_approval', 'ready') OR NEW.fence <> 0 OR (NEW.quorum > 0 AND NEW.state = 'ready')
       OR (NEW.risk IN ('L2', 'L3') AND NEW.quorum = 0) THEN
        RAISE EXCEPTION 'an action begins ready, or waiting for its approvals' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.effect_keeps_floor()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF EXISTS (SELECT FROM gate_floor f WHERE f.kind = NEW.kind
               AND (NEW.risk < f.risk OR NEW.quorum < f.quorum OR (f.risk = 'L3' AND NEW.role IS DISTINCT FROM 'founder'))) THEN
        RAISE EXCEPTION '% asks for more people than that', NEW.kind USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.effect_moves()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    agreed integer;
BEGIN
    IF (NEW.action_id, NEW.kind, NEW.proposer, NEW.stage, NEW.tool, NEW.verb, NEW.mode, NEW.args_digest, NEW.args,
        NEW.policy_version, NEW.tool_version, NEW.risk, NEW.quorum, NEW.opened_at)
       IS DISTINCT FROM
       (OLD.action_id, OLD.kind, OLD.proposer, OLD.stage, OLD.tool, OLD.verb, OLD.mode, OLD.args_digest, OLD.args,
        OLD.policy_version, OLD.tool_version, OLD.risk, OLD.quorum, OLD.opened_at) THEN
        RAISE EXCEPTION 'what an action is does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.fence < OLD.fence OR (NEW.owner IS DISTINCT FROM OLD.owner AND NEW.owner IS NOT NULL AND NEW.fence = OLD.fence) THEN
        RAISE EXCEPTION 'a new owner has a new fence' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('awaiting_approval', 'ready'), ('awaiting_approval', 'rejected'), ('awaiting_approval', 'expired'),
        ('awaiting_approval', 'cancelled'), ('awaiting_approval', 'shadowed'),
        ('ready', 'executing'), ('ready', 'cancelled'), ('ready', 'expired'), ('ready', 'failed'),
        ('executing', 'succeeded'), ('executing', 'failed'), ('executing', 'unknown'), ('executing', 'ready'),
        ('unknown', 'probing'), ('unknown', 'executing'), ('unknown', 'succeeded'), ('unknown', 'failed'),
        ('unknown', 'settled'),
        ('executing', 'probing'),
        ('probing', 'unknown'), ('probing', 'succeeded'), ('probing', 'ready'), ('probing', 'failed'),
        ('succeeded', 'settled'), ('succeeded', 'compensating'), ('settled', 'compensating'),
        ('compensating', 'compensated')) THEN
        RAISE EXCEPTION 'an action does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state = 'executing' AND OLD.state <> 'executing' THEN
        IF NEW.fence <= OLD.fence THEN
            RAISE EXCEPTION 'whoever sends takes a new fence' USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.quorum > 0 THEN
            SELECT count(DISTINCT a.person) INTO agreed FROM approval a
            WHERE a.action_id = NEW.action_id AND a.decision = 'approve' AND a.args_digest = NEW.args_digest
              AND a.policy_version = NEW.policy_version AND a.tool_version = NEW.tool_version AND a.person <> NEW.proposer
              AND (OLD.state <> 'ready' OR a.expires_at > gate_now(NEW.changed_at));
            IF agreed < NEW.quorum
               OR EXISTS (SELECT FROM approval a WHERE a.action_id = NEW.action_id AND a.decision = 'reject') THEN
                RAISE EXCEPTION 'an action goes out with % approvals, not %', NEW.quorum, agreed
                    USING ERRCODE = 'restrict_violation';
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.gate_day_only_grows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NEW.used_minor < OLD.used_minor THEN
        RAISE EXCEPTION 'what a day took never becomes less' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $function$
;
CREATE OR REPLACE FUNCTION public.gate_decide(p_action uuid, p_digest bytea, p_policy bytea, p_tool bytea, p_decision text, p_key_id text, p_secret text, p_channel text, p_reason text, p_at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    who api_key;
    asked effect;
    at timestamptz := gate_now(p_at);
BEGIN
    who := key_of(p_key_id, p_secret, at);
    IF who.key_id IS NULL THEN
        RETURN 'unknown_key';
    END IF;
    SELECT * INTO asked FROM effect e WHERE e.action_id = p_action FOR UPDATE;
    IF NOT FOUND OR asked.state <> 'awaiting_approval' THEN
        RETURN 'not_waiting';
    END IF;
    IF who.role NOT IN ('founder', 'manager') OR NOT 'approvals:decide' = ANY (who.scopes)
       OR (asked.role = 'founder' AND who.role <> 'founder') THEN
        RETURN 'wrong_role';
    END IF;
    IF who.name = asked.proposer THEN
        RETURN 'own_proposal';
    END IF;
    IF (asked.args_digest, asked.policy_version, asked.tool_version) IS DISTINCT FROM (p_digest, p_policy, p_tool) THEN
        RETURN 'changed';
    END IF;
    IF asked.deadline <= at THEN
        RETURN 'too_late';
    END IF;
    INSERT INTO approval (action_id, args_digest, policy_version, tool_version, decision, person, role, key_id, channel,
                          reason, decided_at, expires_at)
    VALUES (p_action, p_digest, p_policy, p_tool, p_decision, who.name, who.role, who.key_id, p_channel, p_reason, at,
            coalesce(asked.deadline, at + interval '24 hours'))
    ON CONFLICT (action_id, person) DO NOTHING;
    RETURN CASE WHEN FOUND THEN '' ELSE 'decided_before' END;
END $function$
;
CREATE OR REPLACE FUNCTION public.gate_now(p_at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT
         CASE
             WHEN (EXISTS ( SELECT
                FROM gate_clock)) THEN p_at
             ELSE clock_timestamp()
         END AS clock_timestamp;
END
;
CREATE OR REPLACE FUNCTION public.hold_end_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF EXISTS (SELECT FROM new_end n WHERE NOT EXISTS (SELECT FROM hold h WHERE h.hold_no = n.hold_no)) THEN
        RAISE EXCEPTION 'the end of a hold that does not exist' USING ERRCODE = 'check_violation';
    END IF;
    DELETE FROM hold_open o USING new_end n WHERE o.hold_no = n.hold_no;
    UPDATE balance b SET pending_debit_minor = b.pending_debit_minor - s.debit,
                         pending_credit_minor = b.pending_credit_minor - s.credit
    FROM (SELECT l.account_id, coalesce(sum(l.amount_minor) FILTER (WHERE l.amount_minor > 0), 0)::bigint AS debit,
                 coalesce(-sum(l.amount_minor) FILTER (WHERE l.amount_minor < 0), 0)::bigint AS credit
          FROM new_end n JOIN hold_leg l USING (hold_no) GROUP BY l.account_id) s
    WHERE b.account_id = s.account_id;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.hold_leg_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    bad text;
BEGIN
    SELECT n.hold_no::text INTO bad FROM new_leg n LEFT JOIN account a USING (account_id)
    GROUP BY n.hold_no, a.currency HAVING sum(n.amount_minor) <> 0 OR bool_or(a.account_id IS NULL) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'hold % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;
    SELECT n.hold_no::text INTO bad FROM new_leg n JOIN hold_end e USING (hold_no) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'hold % has ended', bad USING ERRCODE = 'check_violation';
    END IF;
    UPDATE balance b SET pending_debit_minor = b.pending_debit_minor + s.debit,
                         pending_credit_minor = b.pending_credit_minor + s.credit
    FROM (SELECT account_id, coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0)::bigint AS debit,
                 coalesce(-sum(amount_minor) FILTER (WHERE amount_minor < 0), 0)::bigint AS credit
          FROM new_leg GROUP BY account_id) s
    WHERE b.account_id = s.account_id;
    SELECT a.code INTO bad
    FROM (SELECT account_id, sum(amount_minor) AS net FROM new_leg GROUP BY account_id) s
    JOIN account a USING (account_id) JOIN balance b USING (account_id)
    WHERE (s.net < 0 AND b.amount_minor - b.pending_credit_minor < a.floor_minor)
       OR (s.net > 0 AND b.amount_minor + b.pending_debit_minor > a.ceiling_minor) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % would be beyond its limit', bad USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.hold_opens()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO hold_open (hold_no, expires_at) SELECT hold_no, expires_at FROM new_hold;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.key_make(p_key_id text, p_name text, p_digest bytea, p_scopes text[], p_role text, p_expires timestamp with time zone, p_by_key text, p_by_secret text, p_at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    maker api_key;
    at timestamptz := gate_now(p_at);
BEGIN
    IF p_role IN ('founder', 'manager') OR 'keys:admin' = ANY (p_scopes) THEN
        maker := key_of(p_by_key, p_by_secret, at);
        IF maker.role IS DISTINCT FROM 'founder' THEN
            IF EXISTS (SELECT FROM api_key k WHERE k.role = 'founder') OR p_role <> 'founder' THEN
                RETURN 'not_a_founder';
            END IF;
            PERFORM pg_advisory_xact_lock(hashtext('steward.first_founder'));
            IF EXISTS (SELECT FROM api_key k WHERE k.role = 'founder') THEN
                RETURN 'not_a_founder';
            END IF;
        END IF;
    END IF;
    INSERT INTO api_key (key_id, name, digest, scopes, created_at, role, expires_at)
    VALUES (p_key_id, p_name, p_digest, p_scopes, at, p_role, p_expires);
    RETURN '';
END $function$
;
CREATE OR REPLACE FUNCTION public.key_of(p_key_id text, p_secret text, p_at timestamp with time zone)
 RETURNS api_key
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT k.*::api_key AS k
    FROM api_key k
   WHERE ((k.key_id = key_of.p_key_id) AND (k.digest = sha256(convert_to(key_of.p_secret, 'UTF8'::name))) AND ((k.revoked_at IS NULL) OR (k.revoked_at > key_of.p_at)) AND ((k.expires_at IS NULL) OR (k.expires_at > key_of.p_at)));
END
;
CREATE OR REPLACE FUNCTION public.key_rotate(p_old text, p_secret text, p_key_id text, p_digest bytea, p_until timestamp with time zone, p_at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    old api_key;
    at timestamptz := gate_now(p_at);
BEGIN
    old := key_of(p_old, p_secret, at);
    IF old.key_id IS NULL OR old.successor IS NOT NULL THEN
        RETURN 'no_such_key';
    END IF;
    INSERT INTO api_key (key_id, name, digest, scopes, created_at, role, expires_at)
    VALUES (p_key_id, old.name, p_digest, old.scopes, at, old.role, old.expires_at);
    UPDATE api_key SET revoked_at = p_until, successor = p_key_id WHERE key_id = old.key_id;
    RETURN '';
END $function$
;
CREATE OR REPLACE FUNCTION public.kill_turn(p_scope text, p_on boolean, p_by text, p_reason text, p_key_id text, p_secret text, p_at timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    who api_key;
    at timestamptz := gate_now(p_at);
BEGIN
    IF NOT p_on THEN
        who := key_of(p_key_id, p_secret, at);
        IF (who.key_id IS NULL OR who.role NOT IN ('founder', 'manager') OR NOT 'kill:write' = ANY (who.scopes))
           AND (who.key_id IS NOT NULL OR EXISTS (
               SELECT FROM api_key k WHERE k.role IN ('founder', 'manager')
               AND (k.revoked_at IS NULL OR k.revoked_at > at) AND (k.expires_at IS NULL OR k.expires_at > at))) THEN
            RETURN 'not_a_manager';
        END IF;
    END IF;
    INSERT INTO kill_switch AS k (scope, is_on, changed_at, changed_by, reason)
    SELECT p_scope, true, at, p_by, p_reason
    WHERE p_on OR EXISTS (SELECT FROM kill_switch k WHERE k.scope = p_scope AND k.is_on)
    ON CONFLICT (scope) DO UPDATE SET is_on = p_on, changed_at = at, changed_by = p_by, reason = p_reason
    WHERE k.is_on <> p_on;
    RETURN CASE WHEN FOUND THEN 'changed' ELSE '' END;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_change_account(p_account integer, p_limits boolean, p_floor bigint, p_ceiling bigint, p_closed boolean, p_by text, p_reason text, p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    was account;
    batch bigint := ledger_next_batch();
    number integer;
BEGIN
    PERFORM 1 FROM balance WHERE account_id = p_account FOR NO KEY UPDATE;
    SELECT * INTO STRICT was FROM account WHERE account_id = p_account;
    SELECT coalesce(max(change_no), 0) + 1 INTO number FROM account_change WHERE account_id = p_account;
    IF NOT p_limits THEN
        p_floor := was.floor_minor;
        p_ceiling := was.ceiling_minor;
    END IF;
    p_closed := coalesce(p_closed, was.is_closed);
    INSERT INTO account_change (account_id, change_no, floor_minor, ceiling_minor, is_closed, changed_by, reason, batch_id)
    VALUES (p_account, number, p_floor, p_ceiling, p_closed, p_by, p_reason, batch);
    PERFORM ledger_seal(batch, ledger_now(p_now), 1, ledger_row('account_change', p_account::text, number::text,
        p_floor::text, p_ceiling::text, p_closed::text, p_by, p_reason));
    RETURN batch;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_codes(p_keys uuid[], p_kinds text[], p_effective timestamp with time zone[], p_bodies bytea[], p_reverses uuid[], p_accounts integer[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS text[]
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    codes text[] := ledger_judge(p_keys, p_kinds, p_effective, p_bodies, p_leg_transfer, p_leg_account, p_leg_amount);
    reversals integer := cardinality(array_remove(p_reverses, NULL));
BEGIN
    IF reversals > 0 THEN
        codes := ledger_judge_reversals(codes, p_reverses, p_leg_transfer, p_leg_account, p_leg_amount);
    END IF;
    IF (SELECT count(DISTINCT u.key) < cardinality(p_keys) FROM unnest(p_keys) AS u (key))
       OR (reversals > 1 AND (SELECT count(DISTINCT u.key) < reversals FROM unnest(p_reverses) AS u (key)))
       OR (ledger_some_limited(p_accounts)
           AND ledger_would_break_limits(codes, p_leg_transfer, p_leg_account, p_leg_amount)) THEN
        codes := ledger_judge_in_order(codes, p_keys, p_bodies, p_reverses, p_leg_transfer, p_leg_account, p_leg_amount);
    END IF;
    RETURN codes;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_finish(p_keys uuid[], p_holds uuid[], p_hows text[], p_effective timestamp with time zone[], p_end_bodies bytea[], p_bodies bytea[], p_now timestamp with time zone, p_leg_end integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[], OUT o_batch_id bigint, OUT o_recorded_at timestamp with time zone, OUT o_posted integer, OUT o_digest bytea, OUT o_lines integer[], OUT o_codes text[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    r record;
    code text;
    held hold;
    number bigint;
    content bytea := '';
    ends bytea[] := '{}';
    end_holds bigint[] := '{}';
    seen uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(724656);
    seen := ARRAY(SELECT h.key FROM hold h WHERE h.key = ANY (p_holds));
    PERFORM 1 FROM balance WHERE account_id IN (
        SELECT unnest(p_leg_account) UNION
        SELECT l.account_id FROM hold_leg l JOIN hold h USING (hold_no) WHERE h.key = ANY (seen))
    ORDER BY account_id FOR NO KEY UPDATE;
    o_lines := '{}';
    o_codes := '{}';
    o_posted := 0;
    FOR r IN
        SELECT u.line, u.key, u.hold, u.how, u.effective, u.end_body, u.body,
               coalesce(array_agg(l.account ORDER BY l.ord) FILTER (WHERE l.finish IS NOT NULL), '{}') AS accounts,
               coalesce(array_agg(l.amount ORDER BY l.ord) FILTER (WHERE l.finish IS NOT NULL), '{}') AS amounts,
               array_agg(l.line ORDER BY l.ord) AS numbers
        FROM unnest(p_keys, p_holds, p_hows, p_effective, p_end_bodies, p_bodies) WITH ORDINALITY
             AS u (key, hold, how, effective, end_body, body, line)
        LEFT JOIN unnest(p_leg_end, p_leg_line, p_leg_account, p_leg_amount) WITH ORDINALITY
             AS l (finish, line, account, amount, ord) ON l.finish = u.line
        GROUP BY u.line, u.key, u.hold, u.how, u.effective, u.end_body, u.body ORDER BY u.line
    LOOP
        code := ledger_judge_finish(r.key, r.hold, r.how, r.effective, r.end_body, p_now, r.accounts, r.amounts);
        IF code NOT IN ('duplicate', 'conflict') AND (r.hold <> ALL (seen) OR (r.how = 'post' AND r.body IS NULL)) THEN
            code := 'unknown_hold';
        END IF;
        IF code <> '' THEN
            o_lines := o_lines || r.line::integer;
            o_codes := o_codes || code;
            CONTINUE;
        END IF;
        SELECT * INTO held FROM hold h WHERE h.key = r.hold;
        o_batch_id := coalesce(o_batch_id, ledger_next_batch());
        number := CASE WHEN r.how = 'post' THEN nextval('transfer_no') END;
        INSERT INTO hold_end (hold_no, batch_id, key, how, transfer_no, body_digest)
        VALUES (held.hold_no, o_batch_id, r.key, CASE r.how WHEN 'post' THEN 'posted' ELSE 'voided' END, number, r.end_body);
        IF number IS NOT NULL THEN
            PERFORM ledger_write(o_batch_id, ARRAY[number], ARRAY[r.key], ARRAY[held.kind], ARRAY[held.source],
                ARRAY[r.effective], ARRAY[r.body], ARRAY[NULL]::uuid[], ARRAY[held.party],
                array_fill(1, ARRAY[cardinality(r.accounts)]), r.numbers, r.accounts, r.amounts);
            content := content || uuid_send(r.key) || r.body;
            o_posted := o_posted + 1;
        END IF;
        end_holds := end_holds || held.hold_no;
        ends := ends || ledger_row('hold_end', held.hold_no::text, r.key::text,
                                   CASE r.how WHEN 'post' THEN 'posted' ELSE 'voided' END, number::text,
                                   encode(r.end_body, 'hex'));
        o_posted := o_posted + 1;
    END LOOP;
    IF o_posted > 0 THEN
        o_recorded_at := ledger_now(p_now);
        content := content || (SELECT string_agg(e, '' ORDER BY h) FROM unnest(end_holds, ends) AS u (h, e));
        PERFORM ledger_seal(o_batch_id, o_recorded_at, o_posted, content);
        o_digest := sha256(content);
    END IF;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_fold(p_least bigint)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    folded integer;
BEGIN
    PERFORM pg_advisory_xact_lock(724657);
    INSERT INTO posting_fold (account_id, up_to_version, postings)
    SELECT b.account_id, b.version, b.version - coalesce(f.version, 0) FROM balance b
    LEFT JOIN (SELECT account_id, max(up_to_version) AS version FROM posting_fold GROUP BY account_id) f USING (account_id)
    WHERE b.version - coalesce(f.version, 0) >= greatest(p_least, 1) ORDER BY b.account_id;
    GET DIAGNOSTICS folded = ROW_COUNT;
    RETURN folded;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_hold(p_keys uuid[], p_kinds text[], p_sources text[], p_expires timestamp with time zone[], p_bodies bytea[], p_parties text[], p_now timestamp with time zone, p_leg_hold integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[], OUT o_batch_id bigint, OUT o_recorded_at timestamp with time zone, OUT o_posted integer, OUT o_digest bytea, OUT o_lines integer[], OUT o_codes text[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    r record;
    code text;
    number bigint;
    stored bytea;
    content bytea := '';
BEGIN
    PERFORM 1 FROM balance WHERE account_id IN (SELECT unnest(p_leg_account)) ORDER BY account_id FOR NO KEY UPDATE;
    o_lines := '{}';
    o_codes := '{}';
    o_posted := 0;
    FOR r IN
        SELECT u.line, u.key, u.kind, u.source, u.expires, u.body, u.party,
               coalesce(array_agg(l.account ORDER BY l.ord) FILTER (WHERE l.hold IS NOT NULL), '{}') AS accounts,
               coalesce(array_agg(l.amount ORDER BY l.ord) FILTER (WHERE l.hold IS NOT NULL), '{}') AS amounts,
               array_agg(l.line ORDER BY l.ord) AS numbers
        FROM unnest(p_keys, p_kinds, p_sources, p_expires, p_bodies, p_parties) WITH ORDINALITY
             AS u (key, kind, source, expires, body, party, line)
        LEFT JOIN unnest(p_leg_hold, p_leg_line, p_leg_account, p_leg_amount) WITH ORDINALITY
             AS l (hold, line, account, amount, ord) ON l.hold = u.line
        GROUP BY u.line, u.key, u.kind, u.source, u.expires, u.body, u.party ORDER BY u.line
    LOOP
        SELECT h.body_digest INTO stored FROM hold h WHERE h.key = r.key;
        IF FOUND THEN
            code := CASE WHEN stored = r.body THEN 'duplicate' ELSE 'conflict' END;
        ELSE
            code := ledger_judge_legs(r.accounts, r.amounts);
            IF code = '' THEN
                code := CASE WHEN ledger_some_closed(r.accounts) THEN 'account_closed'
                             WHEN r.expires <= p_now THEN 'hold_expired'
                             ELSE ledger_limit_broken(false, r.accounts, r.amounts, '{}', '{}') END;
            END IF;
        END IF;
        IF code <> '' THEN
            o_lines := o_lines || r.line::integer;
            o_codes := o_codes || code;
            CONTINUE;
        END IF;
        o_batch_id := coalesce(o_batch_id, ledger_next_batch());
        number := nextval('hold_no');
        INSERT INTO hold (hold_no, batch_id, expires_at, key, kind, source, party, body_digest)
        VALUES (number, o_batch_id, r.expires, r.key, r.kind, r.source, r.party, r.body);
        INSERT INTO hold_leg (hold_no, line, account_id, amount_minor)
        SELECT number, u.line, u.account, u.amount FROM unnest(r.numbers, r.accounts, r.amounts) AS u (line, account, amount);
        content := content || uuid_send(r.key) || r.body;
        o_posted := o_posted + 1;
    END LOOP;
    IF o_posted > 0 THEN
        o_recorded_at := ledger_now(p_now);
        PERFORM ledger_seal(o_batch_id, o_recorded_at, o_posted, content);
        o_digest := sha256(content);
    END IF;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_is_plain(p_lines integer, p_effective timestamp with time zone[], p_reverses uuid[], p_leg_transfer integer[])
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    RETURN cardinality(array_remove(p_reverses, NULL)) = 0
        AND (SELECT count(DISTINCT u.line) FROM unnest(p_leg_transfer) AS u (line)) = p_lines
        AND NOT EXISTS (SELECT FROM period p, (SELECT min(u.at) AS first, max(u.at) AS last FROM unnest(p_effective) AS u (at)) s
                        WHERE p.state <> 'open' AND p.starts_on <= (s.last AT TIME ZONE 'UTC')::date
                          AND p.ends_on > (s.first AT TIME ZONE 'UTC')::date);
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_is_shut(p_at timestamp with time zone, p_kind text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN (EXISTS (SELECT FROM period p WHERE ((((ledger_is_shut.p_at AT TIME ZONE 'UTC'::text))::date >= p.starts_on) AND (((ledger_is_shut.p_at AT TIME ZONE 'UTC'::text))::date < p.ends_on) AND ((p.state = 'closed'::text) OR ((p.state = 'soft'::text) AND (ledger_is_shut.p_kind !~~ 'close.%'::text))))))
;
CREATE OR REPLACE FUNCTION public.ledger_judge(p_keys uuid[], p_kinds text[], p_effective timestamp with time zone[], p_bodies bytea[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS text[]
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    codes text[];
    some_shut boolean := EXISTS (SELECT FROM period WHERE state <> 'open');
BEGIN
    WITH legs AS MATERIALIZED (
        SELECT l.transfer, l.amount, a.currency, a.is_closed
        FROM unnest(p_leg_transfer, p_leg_account, p_leg_amount) AS l (transfer, account, amount)
        LEFT JOIN account a ON a.account_id = l.account
    ), sums AS (
        SELECT transfer AS line, count(*) AS legs, sum(amount) AS total, min(currency) AS first, max(currency) AS last,
               bool_or(amount = 0) AS zero, bool_or(amount NOT BETWEEN -1000000000000000 AND 1000000000000000) AS large,
               bool_or(currency IS NULL) AS unknown, bool_or(is_closed) AS closed
        FROM legs GROUP BY transfer
    ), uneven AS (
        SELECT DISTINCT l.transfer AS line FROM legs l
        WHERE l.transfer IN (SELECT s.line FROM sums s WHERE s.first <> s.last)
        GROUP BY l.transfer, l.currency HAVING sum(l.amount) <> 0
    )
    SELECT array_agg(CASE
        WHEN t.body_digest = u.body THEN 'duplicate'
        WHEN t.key IS NOT NULL THEN 'conflict'
        WHEN s.legs IS NULL OR s.legs < 2 THEN 'no_legs'
        WHEN s.zero THEN 'zero_amount'
        WHEN s.large THEN 'amount_too_large'
        WHEN s.unknown THEN 'unknown_account'
        WHEN s.total <> 0 OR (s.first <> s.last AND EXISTS (SELECT FROM uneven x WHERE x.line = u.line)) THEN 'unbalanced'
        WHEN s.closed THEN 'account_closed'
        WHEN some_shut AND ledger_is_shut(u.effective, u.kind) THEN 'period_closed'
        ELSE '' END ORDER BY u.line)
    INTO codes
    FROM unnest(p_keys, p_kinds, p_effective, p_bodies) WITH ORDINALITY AS u (key, kind, effective, body, line)
    LEFT JOIN transfer t ON t.key = u.key
    LEFT JOIN sums s ON s.line = u.line;
    RETURN codes;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_judge_finish(p_key uuid, p_hold uuid, p_how text, p_effective timestamp with time zone, p_end_body bytea, p_now timestamp with time zone, p_accounts integer[], p_amounts bigint[])
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    held hold;
    ended hold_end;
    code text;
    held_accounts integer[];
    held_amounts bigint[];
BEGIN
    SELECT * INTO ended FROM hold_end e WHERE e.key = p_key;
    IF FOUND THEN
        RETURN CASE WHEN ended.body_digest = p_end_body THEN 'duplicate' ELSE 'conflict' END;
    END IF;
    IF EXISTS (SELECT FROM transfer t WHERE t.key = p_key) THEN
        RETURN 'conflict';
    END IF;
    SELECT * INTO held FROM hold h WHERE h.key = p_hold;
    IF NOT FOUND THEN
        RETURN 'unknown_hold';
    END IF;
    SELECT * INTO ended FROM hold_end e WHERE e.hold_no = held.hold_no;
    IF FOUND THEN
        RETURN 'hold_' || ended.how;
    END IF;
    IF held.expires_at <= p_now THEN
        RETURN 'hold_expired';
    END IF;
    IF p_how = 'void' THEN
        RETURN '';
    END IF;
    code := ledger_judge_legs(p_accounts, p_amounts);
    IF code <> '' THEN
        RETURN code;
    END IF;
    SELECT array_agg(l.account_id), array_agg(l.amount_minor) INTO held_accounts, held_amounts
    FROM hold_leg l WHERE l.hold_no = held.hold_no;
    IF EXISTS (
        SELECT FROM (SELECT id, sum(n) AS net FROM unnest(p_accounts, p_amounts) AS u (id, n) GROUP BY id) p
        LEFT JOIN (SELECT id, sum(n) AS net FROM unnest(held_accounts, held_amounts) AS u (id, n) GROUP BY id) h USING (id)
        WHERE p.net NOT BETWEEN least(coalesce(h.net, 0), 0) AND greatest(coalesce(h.net, 0), 0)) THEN
        RETURN 'more_than_held';
    END IF;
    RETURN CASE
        WHEN ledger_some_closed(p_accounts) THEN 'account_closed'
        WHEN ledger_is_shut(p_effective, held.kind) THEN 'period_closed'
        ELSE ledger_limit_broken(true, p_accounts, p_amounts, held_accounts, held_amounts) END;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_judge_in_order(p_codes text[], p_keys uuid[], p_bodies bytea[], p_reverses uuid[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS text[]
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    r record;
    i integer;
    code text;
    floors numeric[];
    ceilings numeric[];
    key_body bytea[];
    undone boolean[] := '{}';
BEGIN
    SELECT array_agg(b.amount_minor - b.pending_credit_minor - a.floor_minor ORDER BY a.account_id),
           array_agg(a.ceiling_minor - b.amount_minor - b.pending_debit_minor ORDER BY a.account_id)
    INTO floors, ceilings
    FROM account a JOIN balance b USING (account_id)
    WHERE a.account_id = ANY (p_leg_account) AND (a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL);
    FOR r IN
        WITH limited AS (
            SELECT a.account_id, row_number() OVER (ORDER BY a.account_id)::integer AS place FROM account a
            WHERE a.account_id = ANY (p_leg_account) AND (a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL)
        ), nets AS (
            SELECT n.transfer, array_agg(n.place) AS places, array_agg(n.net) AS nets,
                   (array_agg(n.net ORDER BY n.place))[1] AS first_net
            FROM (SELECT l.transfer, m.place, sum(l.amount) AS net
                  FROM unnest(p_leg_transfer, p_leg_account, p_leg_amount) AS l (transfer, account, amount)
                  JOIN limited m ON m.account_id = l.account GROUP BY l.transfer, m.place) n GROUP BY n.transfer
        )
        SELECT u.line, u.code, u.body, n.places, n.nets,
               dense_rank() OVER (ORDER BY u.key)::integer AS key_place,
               CASE WHEN u.reverses IS NOT NULL THEN dense_rank() OVER (ORDER BY u.reverses)::integer END AS undo_place
        FROM unnest(p_codes, p_keys, p_bodies, p_reverses) WITH ORDINALITY AS u (code, key, body, reverses, line)
        LEFT JOIN nets n ON n.transfer = u.line
        ORDER BY u.line
    LOOP
        code := r.code;
        IF key_body[r.key_place] IS NOT NULL THEN
            code := CASE WHEN key_body[r.key_place] = r.body THEN 'duplicate' ELSE 'conflict' END;
        ELSIF code = '' AND undone[r.undo_place] THEN
            code := 'already_reversed';
        ELSIF code = '' AND r.places IS NOT NULL THEN
            FOR i IN 1 .. cardinality(r.places) LOOP
                IF r.nets[i] < 0 AND floors[r.places[i]] + r.nets[i] < 0 THEN
                    code := 'below_limit';
                ELSIF r.nets[i] > 0 AND ceilings[r.places[i]] - r.nets[i] < 0 AND code = '' THEN
                    code := 'above_limit';
                END IF;
            END LOOP;
        END IF;
        IF code = '' THEN
            key_body[r.key_place] := r.body;
            IF r.undo_place IS NOT NULL THEN
                undone[r.undo_place] := true;
            END IF;
            FOR i IN 1 .. coalesce(cardinality(r.places), 0) LOOP
                floors[r.places[i]] := floors[r.places[i]] + r.nets[i];
                ceilings[r.places[i]] := ceilings[r.places[i]] - r.nets[i];
            END LOOP;
        END IF;
        p_codes[r.line] := code;
    END LOOP;
    RETURN p_codes;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_judge_legs(p_accounts integer[], p_amounts bigint[])
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN CASE WHEN (cardinality(p_accounts) < 2) THEN 'no_legs'::text WHEN (0 = ANY (p_amounts)) THEN 'zero_amount'::text WHEN (EXISTS (SELECT FROM unnest(ledger_judge_legs.p_amounts) u(n) WHERE ((u.n < '-1000000000000000'::bigint) OR (u.n > '1000000000000000'::bigint)))) THEN 'amount_too_large'::text WHEN (EXISTS (SELECT FROM unnest(ledger_judge_legs.p_accounts) u(id) WHERE (NOT (EXISTS (SELECT FROM account a WHERE (a.account_id = u.id)))))) THEN 'unknown_account'::text WHEN (EXISTS (SELECT FROM (UNNEST(ledger_judge_legs.p_accounts, ledger_judge_legs.p_amounts) u(id, n) JOIN account a ON ((a.account_id = u.id))) GROUP BY a.currency HAVING (sum(u.n) <> (0)::numeric))) THEN 'unbalanced'::text ELSE ''::text END
;
CREATE OR REPLACE FUNCTION public.ledger_judge_reversals(p_codes text[], p_reverses uuid[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS text[]
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT u.line, o.transfer_no, EXISTS (SELECT FROM transfer x WHERE x.reverses = o.transfer_no) AS reversed
             FROM unnest(p_reverses) WITH ORDINALITY AS u (key, line) LEFT JOIN transfer o ON o.key = u.key
             WHERE u.key IS NOT NULL AND p_codes[u.line] = '' LOOP
        p_codes[r.line] := CASE
            WHEN r.transfer_no IS NULL THEN 'unknown_transfer'
            WHEN EXISTS (
                SELECT FROM (
                    SELECT l.account, l.amount FROM unnest(p_leg_transfer, p_leg_account, p_leg_amount)
                        AS l (transfer, account, amount) WHERE l.transfer = r.line
                    UNION ALL
                    SELECT p.account_id, p.amount_minor FROM posting p WHERE p.transfer_no = r.transfer_no
                ) both_sides GROUP BY account HAVING sum(amount) <> 0) THEN 'not_a_reversal'
            WHEN r.reversed THEN 'already_reversed'
            ELSE '' END;
    END LOOP;
    RETURN p_codes;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_limit_broken(p_posts boolean, p_accounts integer[], p_amounts bigint[], p_released_accounts integer[], p_released_amounts bigint[])
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN COALESCE((WITH moved AS (SELECT u.id, sum(u.n) AS net, COALESCE(sum(u.n) FILTER (WHERE (u.n > 0)), (0)::numeric) AS debit, COALESCE((- sum(u.n) FILTER (WHERE (u.n < 0))), (0)::numeric) AS credit FROM UNNEST(ledger_limit_broken.p_accounts, ledger_limit_broken.p_amounts) u(id, n) GROUP BY u.id), released AS (SELECT u.id, COALESCE(sum(u.n) FILTER (WHERE (u.n > 0)), (0)::numeric) AS debit, COALESCE((- sum(u.n) FILTER (WHERE (u.n < 0))), (0)::numeric) AS credit FROM UNNEST(ledger_limit_broken.p_released_accounts, ledger_limit_broken.p_released_amounts) u(id, n) GROUP BY u.id), ends AS (SELECT m.net, a.floor_minor, a.ceiling_minor, ((b.amount_minor)::numeric + CASE WHEN ledger_limit_broken.p_posts THEN m.net ELSE (0)::numeric END) AS amount, (((b.pending_debit_minor)::numeric - COALESCE(r.debit, (0)::numeric)) + CASE WHEN ledger_limit_broken.p_posts THEN (0)::numeric ELSE m.debit END) AS pending_debit, (((b.pending_credit_minor)::numeric - COALESCE(r.credit, (0)::numeric)) + CASE WHEN ledger_limit_broken.p_posts THEN (0)::numeric ELSE m.credit END) AS pending_credit FROM (((moved m JOIN account a ON ((a.account_id = m.id))) JOIN balance b ON ((b.account_id = m.id))) LEFT JOIN released r ON ((r.id = m.id)))) SELECT CASE WHEN bool_or(((ends.net < (0)::numeric) AND ((ends.amount - ends.pending_credit) < (ends.floor_minor)::numeric))) THEN 'below_limit'::text WHEN bool_or(((ends.net > (0)::numeric) AND ((ends.amount + ends.pending_debit) > (ends.ceiling_minor)::numeric))) THEN 'above_limit'::text ELSE NULL::text END AS "case" FROM ends), ''::text)
;
CREATE OR REPLACE FUNCTION public.ledger_lock(p_accounts integer[], OUT o_account integer, OUT o_amount bigint, OUT o_pending_debit bigint, OUT o_pending_credit bigint)
 RETURNS SETOF record
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 SELECT balance.account_id,
     balance.amount_minor,
     balance.pending_debit_minor,
     balance.pending_credit_minor
    FROM balance
   WHERE (balance.account_id = ANY (ledger_lock.p_accounts))
   ORDER BY balance.account_id
  FOR NO KEY UPDATE OF balance;
END
;
CREATE OR REPLACE FUNCTION public.ledger_next_batch()
 RETURNS bigint
 LANGUAGE sql
 SET search_path TO 'public', 'pg_temp'
RETURN nextval((pg_get_serial_sequence('ledger_batch'::text, 'batch_id'::text))::regclass)
;
CREATE OR REPLACE FUNCTION public.ledger_now(p_now timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN GREATEST(p_now, (SELECT max(ledger_batch.recorded_at) AS max FROM ledger_batch))
;
CREATE OR REPLACE FUNCTION public.ledger_open(p_codes text[], p_currencies text[], p_normals text[], p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    batch bigint;
    opened integer;
    content bytea;
BEGIN
    PERFORM 1 FROM unnest(p_codes, p_currencies) AS u (code, currency)
    WHERE NOT EXISTS (SELECT FROM account a WHERE a.code = u.code AND a.currency = u.currency);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    batch := ledger_next_batch();
    WITH opened AS (
        INSERT INTO account (code, currency, normal, batch_id)
        SELECT DISTINCT u.code, u.currency, u.normal, batch
        FROM unnest(p_codes, p_currencies, p_normals) AS u (code, currency, normal) ORDER BY u.code, u.currency
        ON CONFLICT ON CONSTRAINT account_key DO NOTHING
        RETURNING account_id, code, currency, normal
    )
    SELECT count(*), string_agg(ledger_row('account', account_id::text, code, currency, normal), '' ORDER BY account_id)
    INTO opened, content FROM opened;
    IF opened = 0 THEN
        RETURN NULL;
    END IF;
    PERFORM ledger_seal(batch, ledger_now(p_now), opened, content);
    RETURN batch;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_post(p_keys uuid[], p_kinds text[], p_sources text[], p_effective timestamp with time zone[], p_bodies bytea[], p_reverses uuid[], p_parties text[], p_content bytea, p_now timestamp with time zone, p_leg_transfer integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[], OUT o_batch_id bigint, OUT o_recorded_at timestamp with time zone, OUT o_posted integer, OUT o_digest bytea, OUT o_lines integer[], OUT o_codes text[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    lines integer := cardinality(p_keys);
    accounts integer[] := ARRAY(SELECT DISTINCT u.id FROM unnest(p_leg_account) AS u (id) ORDER BY u.id);
    locked integer;
    codes text[];
    numbers bigint[];
    is_plain boolean;
BEGIN
    IF lines > 5000 THEN
        RAISE EXCEPTION 'a batch has at most 5000 transfers' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Closing a period waits for whoever posts. Locks come first, in account order, in statements of their own: the
    -- snapshot of what follows is newer than they are.
    PERFORM pg_advisory_xact_lock_shared(724656);
    PERFORM 1 FROM balance WHERE account_id = ANY (accounts) ORDER BY account_id FOR NO KEY UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    o_recorded_at := ledger_now(p_now);
    o_lines := '{}';
    o_codes := '{}';
    o_posted := lines;

    is_plain := locked = cardinality(accounts) AND length(p_content) = 48 * lines
        AND ledger_is_plain(lines, p_effective, p_reverses, p_leg_transfer);
    IF is_plain THEN
        numbers := ARRAY(SELECT nextval('transfer_no') FROM generate_series(1, lines));
        o_batch_id := ledger_next_batch();
        BEGIN
            PERFORM ledger_write(o_batch_id, numbers, p_keys, p_kinds, p_sources, p_effective, p_bodies, p_reverses,
                                 p_parties, p_leg_transfer, p_leg_line, p_leg_account, p_leg_amount);
        EXCEPTION WHEN unique_violation OR check_violation THEN
            is_plain := false;
        END;
    END IF;
    IF NOT is_plain THEN
        codes := ledger_codes(p_keys, p_kinds, p_effective, p_bodies, p_reverses, accounts,
                              p_leg_transfer, p_leg_account, p_leg_amount);
        SELECT coalesce(array_agg(u.line::integer ORDER BY u.line) FILTER (WHERE u.code <> ''), '{}'),
               coalesce(array_agg(u.code ORDER BY u.line) FILTER (WHERE u.code <> ''), '{}'),
               count(*) FILTER (WHERE u.code = '')
        INTO o_lines, o_codes, o_posted FROM unnest(codes) WITH ORDINALITY AS u (code, line);
        IF o_posted = 0 THEN
            o_batch_id := NULL;
            RETURN;
        END IF;
        numbers := ARRAY(SELECT CASE WHEN u.code = '' THEN nextval('transfer_no') ELSE 0 END FROM unnest(codes) AS u (code));
        o_batch_id := ledger_next_batch();
        PERFORM ledger_write(o_batch_id, numbers, p_keys, p_kinds, p_sources, p_effective, p_bodies, p_reverses, p_parties,
                             p_leg_transfer, p_leg_line, p_leg_account, p_leg_amount);
        SELECT string_agg(uuid_send(u.key) || u.body, '' ORDER BY u.line) INTO p_content
        FROM unnest(p_keys, p_bodies, codes) WITH ORDINALITY AS u (key, body, code, line) WHERE u.code = '';
    END IF;
    PERFORM ledger_seal(o_batch_id, o_recorded_at, o_posted, p_content);
    o_digest := sha256(p_content);
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_release(p_now timestamp with time zone, p_most integer, OUT o_batch_id bigint, OUT o_released integer)
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    due bigint[] := ARRAY(SELECT hold_no FROM hold_open WHERE expires_at <= p_now ORDER BY hold_no LIMIT p_most);
BEGIN
    o_released := 0;
    PERFORM 1 FROM balance WHERE account_id IN (SELECT account_id FROM hold_leg WHERE hold_no = ANY (due))
    ORDER BY account_id FOR NO KEY UPDATE;
    due := ARRAY(SELECT hold_no FROM hold_open WHERE hold_no = ANY (due) ORDER BY hold_no);
    IF cardinality(due) = 0 THEN
        RETURN;
    END IF;
    o_batch_id := ledger_next_batch();
    o_released := cardinality(due);
    INSERT INTO hold_end (hold_no, batch_id, how) SELECT u.hold_no, o_batch_id, 'expired' FROM unnest(due) AS u (hold_no);
    PERFORM ledger_seal(o_batch_id, ledger_now(p_now), o_released, (
        SELECT string_agg(ledger_row('hold_end', u.hold_no::text, NULL, 'expired', NULL, NULL), '' ORDER BY u.hold_no)
        FROM unnest(due) AS u (hold_no)));
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_row(VARIADIC p_columns text[])
 RETURNS bytea
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'public', 'pg_temp'
RETURN (SELECT sha256(convert_to(string_agg(COALESCE((((length(u.c))::text || ':'::text) || u.c), '-'::text), ''::text ORDER BY u.ord), 'UTF8'::name)) AS sha256 FROM unnest(ledger_row.p_columns) WITH ORDINALITY u(c, ord))
;
CREATE OR REPLACE FUNCTION public.ledger_seal(p_batch bigint, p_now timestamp with time zone, p_rows integer, p_content bytea)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'public', 'pg_temp'
BEGIN ATOMIC
 INSERT INTO ledger_batch (batch_id, recorded_at, rows, digest) OVERRIDING SYSTEM VALUE
   VALUES (ledger_seal.p_batch, ledger_seal.p_now, ledger_seal.p_rows, sha256(ledger_seal.p_content));
END
;
CREATE OR REPLACE FUNCTION public.ledger_set_period(p_name text, p_starts date, p_ends date, p_state text, p_by text, p_reason text, p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    batch bigint := ledger_next_batch();
    number integer;
BEGIN
    PERFORM pg_advisory_xact_lock(724656);
    SELECT coalesce(max(change_no), 0) + 1 INTO number FROM period_change WHERE name = p_name;
    INSERT INTO period_change (name, change_no, starts_on, ends_on, state, changed_by, reason, batch_id)
    VALUES (p_name, number, p_starts, p_ends, p_state, p_by, p_reason, batch);
    PERFORM ledger_seal(batch, ledger_now(p_now), 1, ledger_row('period_change', p_name, number::text,
        to_char(p_starts, 'YYYY-MM-DD'), to_char(p_ends, 'YYYY-MM-DD'), p_state, p_by, p_reason));
    RETURN batch;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_set_rate(p_base text, p_quote text, p_on date, p_numerator bigint, p_denominator bigint, p_source text, p_now timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    batch bigint := ledger_next_batch();
BEGIN
    INSERT INTO fx_rate (base, quote, on_date, numerator, denominator, source, batch_id)
    VALUES (p_base, p_quote, p_on, p_numerator, p_denominator, p_source, batch);
    PERFORM ledger_seal(batch, ledger_now(p_now), 1, ledger_row('fx_rate', p_base, p_quote, to_char(p_on, 'YYYY-MM-DD'),
        p_numerator::text, p_denominator::text, p_source));
    RETURN batch;
END $function$
;
CREATE OR REPLACE FUNCTION public.ledger_some_closed(p_accounts integer[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN (EXISTS (SELECT FROM account a WHERE ((a.account_id = ANY (ledger_some_closed.p_accounts)) AND a.is_closed)))
;
CREATE OR REPLACE FUNCTION public.ledger_some_limited(p_accounts integer[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN (EXISTS (SELECT FROM account a WHERE ((a.account_id = ANY (ledger_some_limited.p_accounts)) AND ((a.floor_minor IS NOT NULL) OR (a.ceiling_minor IS NOT NULL)))))
;
CREATE OR REPLACE FUNCTION public.ledger_would_break_limits(p_codes text[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
RETURN (EXISTS (SELECT FROM (((SELECT n.account, n.net, sum(n.net) OVER (PARTITION BY n.account ORDER BY n.transfer) AS moved FROM (SELECT l.account, l.transfer, sum(l.amount) AS net FROM ((UNNEST(ledger_would_break_limits.p_leg_transfer, ledger_would_break_limits.p_leg_account, ledger_would_break_limits.p_leg_amount) l(transfer, account, amount) JOIN account a_1 ON (((a_1.account_id = l.account) AND ((a_1.floor_minor IS NOT NULL) OR (a_1.ceiling_minor IS NOT NULL))))) JOIN unnest(ledger_would_break_limits.p_codes) WITH ORDINALITY c(code, line) ON (((c.line = l.transfer) AND (c.code = ''::text)))) GROUP BY l.account, l.transfer) n) s JOIN account a ON ((a.account_id = s.account))) JOIN balance b ON ((b.account_id = s.account))) WHERE (((s.net < (0)::numeric) AND ((((b.amount_minor)::numeric + s.moved) - (b.pending_credit_minor)::numeric) < (a.floor_minor)::numeric)) OR ((s.net > (0)::numeric) AND ((((b.amount_minor)::numeric + s.moved) + (b.pending_debit_minor)::numeric) > (a.ceiling_minor)::numeric)))))
;
CREATE OR REPLACE FUNCTION public.ledger_write(p_batch bigint, p_numbers bigint[], p_keys uuid[], p_kinds text[], p_sources text[], p_effective timestamp with time zone[], p_bodies bytea[], p_reverses uuid[], p_parties text[], p_leg_transfer integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO transfer (transfer_no, batch_id, effective_at, reverses, key, kind, source, party, body_digest)
    SELECT u.no, p_batch, u.effective,
           CASE WHEN u.reverses IS NOT NULL THEN (SELECT o.transfer_no FROM transfer o WHERE o.key = u.reverses) END,
           u.key, u.kind, u.source, u.party, u.body
    FROM (SELECT unnest(p_numbers) AS no, unnest(p_keys) AS key, unnest(p_kinds) AS kind, unnest(p_sources) AS source,
                 unnest(p_effective) AS effective, unnest(p_bodies) AS body, unnest(p_reverses) AS reverses,
                 unnest(p_parties) AS party) u
    WHERE u.no <> 0;

    INSERT INTO posting (version, transfer_no, amount_minor, balance_after, account_id, effective_on, line)
    SELECT b.version + row_number() OVER w, p_numbers[l.transfer], l.amount, b.amount_minor + sum(l.amount) OVER w,
           l.account, (p_effective[l.transfer] AT TIME ZONE 'UTC')::date, l.line
    FROM (SELECT unnest(p_leg_transfer) AS transfer, unnest(p_leg_line) AS line, unnest(p_leg_account) AS account,
                 unnest(p_leg_amount) AS amount) l
    JOIN balance b ON b.account_id = l.account
    WHERE p_numbers[l.transfer] <> 0
    WINDOW w AS (PARTITION BY l.account ORDER BY l.transfer, l.line);
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
CREATE OR REPLACE FUNCTION public.payout_adds_up()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public'
AS $function$
BEGIN
    IF (SELECT amount_minor FROM public.payout WHERE payout_id = NEW.payout_id)
       IS DISTINCT FROM (SELECT sum(amount_minor) FROM public.payout_line WHERE payout_id = NEW.payout_id) THEN
        RAISE EXCEPTION 'the lines of payout % do not make its amount', NEW.payout_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.period_change_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
BEGIN
    IF NEW.change_no <> coalesce((SELECT max(change_no) FROM period_change c
                                  WHERE c.name = NEW.name AND c.change_no <> NEW.change_no), 0) + 1 THEN
        RAISE EXCEPTION 'period % has a broken chain of changes', NEW.name USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM period_change c
               WHERE CASE WHEN c.name = NEW.name THEN (c.starts_on, c.ends_on) <> (NEW.starts_on, NEW.ends_on)
                          ELSE c.starts_on < NEW.ends_on AND NEW.starts_on < c.ends_on END) THEN
        RAISE EXCEPTION 'period % would overlap another or change its days', NEW.name USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.posting_fold_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    folded bigint;
BEGIN
    SELECT coalesce(max(up_to_version), 0) INTO folded FROM posting_fold
    WHERE account_id = NEW.account_id AND up_to_version <> NEW.up_to_version;
    IF NEW.up_to_version <> folded + NEW.postings OR NEW.up_to_version >
        (SELECT coalesce(max(version), 0) FROM balance WHERE account_id = NEW.account_id) THEN
        RAISE EXCEPTION 'account % cannot be folded up to version %', NEW.account_id, NEW.up_to_version
            USING ERRCODE = 'check_violation';
    END IF;
    WITH days AS MATERIALIZED (
        SELECT p.effective_on, (b.recorded_at AT TIME ZONE 'UTC')::date AS recorded_on,
               coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint AS debit,
               coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint AS credit, count(*) AS postings
        FROM posting p JOIN transfer t USING (transfer_no) JOIN ledger_batch b USING (batch_id)
        WHERE p.account_id = NEW.account_id AND p.version > folded AND p.version <= NEW.up_to_version
        GROUP BY 1, 2
    ), by_month AS (
        INSERT INTO posting_month (account_id, month, debit_minor, credit_minor, postings)
        SELECT NEW.account_id, date_trunc('month', d.effective_on::timestamp)::date, sum(d.debit), sum(d.credit),
               sum(d.postings)
        FROM days d GROUP BY 2
        ON CONFLICT (account_id, month) DO UPDATE SET
            debit_minor = posting_month.debit_minor + excluded.debit_minor,
            credit_minor = posting_month.credit_minor + excluded.credit_minor,
            postings = posting_month.postings + excluded.postings
    )
    INSERT INTO posting_day (account_id, effective_on, recorded_on, debit_minor, credit_minor, postings)
    SELECT NEW.account_id, d.effective_on, d.recorded_on, d.debit, d.credit, d.postings FROM days d
    ON CONFLICT (account_id, effective_on, recorded_on) DO UPDATE SET
        debit_minor = posting_day.debit_minor + excluded.debit_minor,
        credit_minor = posting_day.credit_minor + excluded.credit_minor,
        postings = posting_day.postings + excluded.postings;
    RETURN NULL;
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
    broken integer;
    closed text;
    limited boolean;
    covered bigint;
BEGIN
    SELECT n.transfer_no::text INTO bad
    FROM new_posting n LEFT JOIN account a USING (account_id)
    GROUP BY n.transfer_no, a.currency HAVING sum(n.amount_minor) <> 0 LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'transfer % does not balance', bad USING ERRCODE = 'check_violation';
    END IF;

    WITH chain AS (
        SELECT n.account_id, n.amount_minor,
               n.version = coalesce(lag(n.version) OVER w, b.version) + 1
               AND n.balance_after = coalesce(lag(n.balance_after) OVER w, b.amount_minor) + n.amount_minor AS follows
        FROM new_posting n JOIN balance b USING (account_id) WINDOW w AS (PARTITION BY n.account_id ORDER BY n.version)
    ), moved AS (
        SELECT account_id, sum(amount_minor)::bigint AS amount, count(*) AS postings, bool_and(follows) AS follows
        FROM chain GROUP BY account_id
    ), written AS (
        UPDATE balance b SET amount_minor = b.amount_minor + m.amount, version = b.version + m.postings
        FROM moved m JOIN account a USING (account_id) WHERE b.account_id = m.account_id
        RETURNING m.account_id, m.postings, m.follows, a.code, a.is_closed,
                  a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL AS limited
    )
    SELECT min(account_id) FILTER (WHERE NOT follows), min(code) FILTER (WHERE is_closed), bool_or(w.limited), sum(postings)
    INTO broken, closed, limited, covered FROM written w;
    IF broken IS NOT NULL OR covered IS DISTINCT FROM (SELECT count(*) FROM new_posting) THEN
        broken := coalesce(broken, (SELECT min(account_id) FROM new_posting n
                                    WHERE NOT EXISTS (SELECT FROM balance b WHERE b.account_id = n.account_id)));
        RAISE EXCEPTION 'account % has a broken version chain', broken USING ERRCODE = 'check_violation';
    END IF;
    IF closed IS NOT NULL THEN
        RAISE EXCEPTION 'account % is closed', closed USING ERRCODE = 'check_violation';
    END IF;
    IF limited THEN
        PERFORM posting_limits(array_agg(n.account_id ORDER BY n.account_id, n.version),
                               array_agg(n.transfer_no ORDER BY n.account_id, n.version),
                               array_agg(n.amount_minor ORDER BY n.account_id, n.version),
                               array_agg(n.balance_after ORDER BY n.account_id, n.version))
        FROM new_posting n JOIN account a USING (account_id)
        WHERE a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL;
    END IF;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION public.posting_limits(p_account integer[], p_transfer bigint[], p_amount bigint[], p_after bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
DECLARE
    bad text;
BEGIN
    SELECT a.code INTO bad
    FROM (
        SELECT account, transfer, sum(amount) AS net, (array_agg(after ORDER BY ord DESC))[1] AS after
        FROM unnest(p_account, p_transfer, p_amount, p_after) WITH ORDINALITY AS u (account, transfer, amount, after, ord)
        GROUP BY account, transfer
    ) s JOIN account a ON a.account_id = s.account JOIN balance b ON b.account_id = s.account
    WHERE (s.net < 0 AND s.after - b.pending_credit_minor < a.floor_minor)
       OR (s.net > 0 AND s.after + b.pending_debit_minor > a.ceiling_minor) LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'account % would be beyond its limit', bad USING ERRCODE = 'check_violation';
    END IF;
END $function$
;
CREATE OR REPLACE FUNCTION public.quarantine_lifts_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF OLD.lifted_at IS NOT NULL THEN
        RAISE EXCEPTION 'a quarantine is lifted once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
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
CREATE OR REPLACE FUNCTION public.violation_only_grows()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF NEW.times <= OLD.times THEN
        RAISE EXCEPTION 'violations only become more' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $function$
;

CREATE CONSTRAINT TRIGGER payout_adds_up AFTER INSERT ON public.payout DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payout_adds_up();
CREATE CONSTRAINT TRIGGER payout_line_adds_up AFTER INSERT ON public.payout_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payout_adds_up();
CREATE TRIGGER account_change_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.account_change FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER account_change_is_applied AFTER INSERT ON public.account_change FOR EACH ROW EXECUTE FUNCTION account_change_applies();
CREATE TRIGGER account_is_guarded BEFORE UPDATE ON public.account FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER account_is_kept BEFORE DELETE OR TRUNCATE ON public.account FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER account_opens AFTER INSERT ON public.account REFERENCING NEW TABLE AS new_account FOR EACH STATEMENT EXECUTE FUNCTION account_opens_balance();
CREATE TRIGGER action_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.action FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER alert_attempt_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.alert_attempt FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER alert_is_kept BEFORE DELETE OR TRUNCATE ON public.alert FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER api_key_ends_once BEFORE UPDATE ON public.api_key FOR EACH ROW EXECUTE FUNCTION api_key_stays_ended();
CREATE TRIGGER approval_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.approval FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER approval_look_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.approval_look FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER balance_is_guarded BEFORE INSERT OR UPDATE ON public.balance FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER balance_is_kept BEFORE DELETE OR TRUNCATE ON public.balance FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER bank_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.bank_line FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER catalog_approval_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.catalog_approval FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER catalog_version_is_a_chain BEFORE INSERT ON public.catalog_version FOR EACH ROW EXECUTE FUNCTION catalog_version_chains();
CREATE TRIGGER catalog_version_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.catalog_version FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.decision FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER demonstration_begins_empty BEFORE INSERT ON public.demonstration FOR EACH ROW EXECUTE FUNCTION demonstration_begins();
CREATE TRIGGER demonstration_is_for_ever BEFORE DELETE OR UPDATE OR TRUNCATE ON public.demonstration FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER effect_answer_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.effect_answer FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER effect_attempt_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.effect_attempt FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER effect_begins_waiting BEFORE INSERT ON public.effect FOR EACH ROW EXECUTE FUNCTION effect_begins();
CREATE TRIGGER effect_evidence_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.effect_evidence FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER effect_is_kept BEFORE DELETE OR TRUNCATE ON public.effect FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER effect_keeps_floor BEFORE INSERT ON public.effect FOR EACH ROW EXECUTE FUNCTION effect_keeps_floor();
CREATE TRIGGER effect_moves_in_order BEFORE UPDATE ON public.effect FOR EACH ROW EXECUTE FUNCTION effect_moves();
CREATE TRIGGER effect_step_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.effect_step FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_conflict_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_conflict FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_1 FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER event_key_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_key FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER forecast_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.forecast FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER forecast_settlement_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.forecast_settlement FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER fx_rate_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.fx_rate FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER gate_day_grows BEFORE UPDATE ON public.gate_day FOR EACH ROW EXECUTE FUNCTION gate_day_only_grows();
CREATE TRIGGER gate_day_is_kept BEFORE DELETE OR TRUNCATE ON public.gate_day FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER hold_end_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.hold_end FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER hold_end_keeps_pending AFTER INSERT ON public.hold_end REFERENCING NEW TABLE AS new_end FOR EACH STATEMENT EXECUTE FUNCTION hold_end_guard();
CREATE TRIGGER hold_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.hold FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER hold_is_listed AFTER INSERT ON public.hold REFERENCING NEW TABLE AS new_hold FOR EACH STATEMENT EXECUTE FUNCTION hold_opens();
CREATE TRIGGER hold_leg_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.hold_leg FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER hold_leg_keeps_pending AFTER INSERT ON public.hold_leg REFERENCING NEW TABLE AS new_leg FOR EACH STATEMENT EXECUTE FUNCTION hold_leg_guard();
CREATE TRIGGER hold_open_is_guarded BEFORE INSERT OR DELETE OR UPDATE ON public.hold_open FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER hold_open_is_kept BEFORE TRUNCATE ON public.hold_open FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER invoice_audited_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.invoice_audited FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER invoice_file_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.invoice_file FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER invoice_is_kept BEFORE DELETE OR TRUNCATE ON public.invoice FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER invoice_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.invoice_line FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER key_use_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.key_use FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER kill_switch_is_kept BEFORE DELETE OR TRUNCATE ON public.kill_switch FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER ledger_batch_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.ledger_batch FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER listed_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.listed_line FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER log_node_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.log_node FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER mcp_pin_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.mcp_pin FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER payee_name_is_kept BEFORE DELETE OR TRUNCATE ON public.payee_name FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER payout_is_kept BEFORE DELETE OR TRUNCATE ON public.payout FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER payout_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.payout_line FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER period_change_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.period_change FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER period_change_is_checked AFTER INSERT ON public.period_change FOR EACH ROW EXECUTE FUNCTION period_change_guard();
CREATE TRIGGER posting_day_is_guarded BEFORE INSERT OR UPDATE ON public.posting_day FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER posting_day_is_kept BEFORE DELETE OR TRUNCATE ON public.posting_day FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER posting_fold_adds AFTER INSERT ON public.posting_fold FOR EACH ROW EXECUTE FUNCTION posting_fold_guard();
CREATE TRIGGER posting_fold_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.posting_fold FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER posting_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.posting FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER posting_keeps_the_books AFTER INSERT ON public.posting REFERENCING NEW TABLE AS new_posting FOR EACH STATEMENT EXECUTE FUNCTION posting_guard();
CREATE TRIGGER posting_month_is_guarded BEFORE INSERT OR UPDATE ON public.posting_month FOR EACH STATEMENT EXECUTE FUNCTION deny_by_hand();
CREATE TRIGGER posting_month_is_kept BEFORE DELETE OR TRUNCATE ON public.posting_month FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER proof_bundle_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.proof_bundle FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER quarantine_is_kept BEFORE DELETE OR TRUNCATE ON public.quarantine FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER quarantine_lifts BEFORE UPDATE ON public.quarantine FOR EACH ROW EXECUTE FUNCTION quarantine_lifts_once();
CREATE TRIGGER recon_break_is_kept BEFORE DELETE OR TRUNCATE ON public.recon_break FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER recon_break_item_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.recon_break_item FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER recon_item_is_kept BEFORE DELETE OR TRUNCATE ON public.recon_item FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER recon_match_is_kept BEFORE DELETE OR TRUNCATE ON public.recon_match FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER recon_run_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.recon_run FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER recon_settled_is_kept BEFORE DELETE OR TRUNCATE ON public.recon_settled FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER settlement_file_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.settlement_file FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER settlement_is_kept BEFORE DELETE OR TRUNCATE ON public.settlement FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER settlement_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.settlement_line FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER snapshot_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.snapshot FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER source_file_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.source_file FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER tool_check_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.tool_check FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER transfer_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.transfer FOR EACH STATEMENT EXECUTE FUNCTION deny_change();
CREATE TRIGGER violation_grows BEFORE UPDATE ON public.violation FOR EACH ROW EXECUTE FUNCTION violation_only_grows();
CREATE TRIGGER violation_is_kept BEFORE DELETE OR TRUNCATE ON public.violation FOR EACH STATEMENT EXECUTE FUNCTION deny_change();

GRANT DELETE, INSERT, SELECT ON delivery TO steward_app;
GRANT DELETE, INSERT, SELECT ON event_outbox TO steward_app;
GRANT DELETE, INSERT, SELECT ON expectation TO steward_app;
GRANT DELETE, INSERT, SELECT ON invoice_fact TO steward_app;
GRANT DELETE, INSERT, SELECT ON ledger_unposted TO steward_app;
GRANT DELETE, INSERT, SELECT ON person_alias TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON refund TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON refund_link TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON sale TO steward_app;
GRANT DELETE, INSERT, SELECT, TRUNCATE, UPDATE ON sale_line TO steward_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON idempotency TO steward_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON rate_bucket TO steward_app;
GRANT DELETE, INSERT, SELECT, UPDATE ON worker_lease TO steward_app;
GRANT INSERT, SELECT ON action TO steward_app;
GRANT INSERT, SELECT ON alert TO steward_app;
GRANT INSERT, SELECT ON alert_attempt TO steward_app;
GRANT INSERT, SELECT ON approval_look TO steward_app;
GRANT INSERT, SELECT ON bank_line TO steward_app;
GRANT INSERT, SELECT ON cap TO steward_app;
GRANT INSERT, SELECT ON catalog_approval TO steward_app;
GRANT INSERT, SELECT ON catalog_version TO steward_app;
GRANT INSERT, SELECT ON decision TO steward_app;
GRANT INSERT, SELECT ON effect TO steward_app;
GRANT INSERT, SELECT ON effect_answer TO steward_app;
GRANT INSERT, SELECT ON effect_attempt TO steward_app;
GRANT INSERT, SELECT ON effect_evidence TO steward_app;
GRANT INSERT, SELECT ON effect_step TO steward_app;
GRANT INSERT, SELECT ON event TO steward_app;
GRANT INSERT, SELECT ON event_conflict TO steward_app;
GRANT INSERT, SELECT ON event_key TO steward_app;
GRANT INSERT, SELECT ON forecast TO steward_app;
GRANT INSERT, SELECT ON forecast_settlement TO steward_app;
GRANT INSERT, SELECT ON gate_day TO steward_app;
GRANT INSERT, SELECT ON invoice TO steward_app;
GRANT INSERT, SELECT ON invoice_audited TO steward_app;
GRANT INSERT, SELECT ON invoice_file TO steward_app;
GRANT INSERT, SELECT ON invoice_line TO steward_app;
GRANT INSERT, SELECT ON key_use TO steward_app;
GRANT INSERT, SELECT ON listed_line TO steward_app;
GRANT INSERT, SELECT ON log_node TO steward_app;
GRANT INSERT, SELECT ON mcp_pin TO steward_app;
GRANT INSERT, SELECT ON payee_name TO steward_app;
GRANT INSERT, SELECT ON payout TO steward_app;
GRANT INSERT, SELECT ON payout_line TO steward_app;
GRANT INSERT, SELECT ON person TO steward_app;
GRANT INSERT, SELECT ON person_field TO steward_app;
GRANT INSERT, SELECT ON proof_bundle TO steward_app;
GRANT INSERT, SELECT ON quarantine TO steward_app;
GRANT INSERT, SELECT ON recon_break TO steward_app;
GRANT INSERT, SELECT ON recon_break_item TO steward_app;
GRANT INSERT, SELECT ON recon_item TO steward_app;
GRANT INSERT, SELECT ON recon_match TO steward_app;
GRANT INSERT, SELECT ON recon_run TO steward_app;
GRANT INSERT, SELECT ON recon_settled TO steward_app;
GRANT INSERT, SELECT ON settlement TO steward_app;
GRANT INSERT, SELECT ON settlement_file TO steward_app;
GRANT INSERT, SELECT ON settlement_line TO steward_app;
GRANT INSERT, SELECT ON snapshot TO steward_app;
GRANT INSERT, SELECT ON source_file TO steward_app;
GRANT INSERT, SELECT ON tool_check TO steward_app;
GRANT INSERT, SELECT ON violation TO steward_app;
GRANT INSERT, SELECT, UPDATE ON breaker TO steward_app;
GRANT INSERT, SELECT, UPDATE ON checkpoint TO steward_app;
GRANT INSERT, SELECT, UPDATE ON schedule_mark TO steward_app;
GRANT INSERT, SELECT, UPDATE ON tool_token TO steward_app;
GRANT SELECT ON account TO steward_app;
GRANT SELECT ON account_change TO steward_app;
GRANT SELECT ON api_key TO steward_app;
GRANT SELECT ON approval TO steward_app;
GRANT SELECT ON balance TO steward_app;
GRANT SELECT ON demonstration TO steward_app;
GRANT SELECT ON fx_rate TO steward_app;
GRANT SELECT ON gate_clock TO steward_app;
GRANT SELECT ON gate_floor TO steward_app;
GRANT SELECT ON hold TO steward_app;
GRANT SELECT ON hold_end TO steward_app;
GRANT SELECT ON hold_leg TO steward_app;
GRANT SELECT ON hold_open TO steward_app;
GRANT SELECT ON kill_switch TO steward_app;
GRANT SELECT ON ledger_batch TO steward_app;
GRANT SELECT ON log_head TO steward_app;
GRANT SELECT ON period TO steward_app;
GRANT SELECT ON period_change TO steward_app;
GRANT SELECT ON posting TO steward_app;
GRANT SELECT ON posting_day TO steward_app;
GRANT SELECT ON posting_fold TO steward_app;
GRANT SELECT ON posting_month TO steward_app;
GRANT SELECT ON transfer TO steward_app;
GRANT SELECT, UPDATE ON sequencer TO steward_app;

GRANT EXECUTE ON FUNCTION gate_decide(uuid,bytea,bytea,bytea,text,text,text,text,text,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION key_make(text,text,bytea,text[],text,timestamp with time zone,text,text,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION key_rotate(text,text,text,bytea,timestamp with time zone,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION kill_turn(text,boolean,text,text,text,text,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_change_account(integer,boolean,bigint,bigint,boolean,text,text,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_finish(uuid[],uuid[],text[],timestamp with time zone[],bytea[],bytea[],timestamp with time zone,integer[],smallint[],integer[],bigint[]) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_fold(bigint) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_hold(uuid[],text[],text[],timestamp with time zone[],bytea[],text[],timestamp with time zone,integer[],smallint[],integer[],bigint[]) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_lock(integer[]) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_open(text[],text[],text[],timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_post(uuid[],text[],text[],timestamp with time zone[],bytea[],uuid[],text[],bytea,timestamp with time zone,integer[],smallint[],integer[],bigint[]) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_release(timestamp with time zone,integer) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_set_period(text,date,date,text,text,text,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION ledger_set_rate(text,text,date,bigint,bigint,text,timestamp with time zone) TO steward_app;
GRANT EXECUTE ON FUNCTION log_make_room(bigint) TO steward_app;
GRANT EXECUTE ON FUNCTION state_bare() TO steward_app;
GRANT EXECUTE ON FUNCTION state_indexed() TO steward_app;
GRANT EXECUTE ON FUNCTION upcast_event(text,integer,jsonb) TO steward_app;
