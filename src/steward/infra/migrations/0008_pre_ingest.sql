-- Who may call, what they called with, what providers delivered, and who the people in it are.

CREATE TABLE api_key (
    key_id     text        PRIMARY KEY,
    name       text        NOT NULL,
    digest     bytea       NOT NULL CHECK (length(digest) = 32),
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
GRANT SELECT, INSERT ON api_key TO steward_app;
GRANT UPDATE (revoked_at) ON api_key TO steward_app;

-- Requests that carried an Idempotency-Key and what was answered; `status` is null while the first one runs.
CREATE TABLE idempotency (
    key_id         text        NOT NULL REFERENCES api_key,
    idempotency_key text       NOT NULL,
    request_digest bytea       NOT NULL CHECK (length(request_digest) = 32),
    status         integer,
    answer         bytea,
    started_at     timestamptz NOT NULL,
    PRIMARY KEY (key_id, idempotency_key)
);
CREATE INDEX idempotency_by_age ON idempotency (started_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO steward_app;

-- Every delivery of a provider as it came: stored before it is understood. `state`: received (signature fits, not yet
-- understood), done, ignored, failed (to be tried again), refused (signature or sender), erased.
CREATE TABLE delivery (
    delivery_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider     text        NOT NULL,
    delivery_key text        NOT NULL,
    origin       text        NOT NULL CHECK (origin IN ('webhook', 'poll')),
    headers      jsonb       NOT NULL,
    body         bytea,
    body_sha256  bytea       NOT NULL CHECK (length(body_sha256) = 32),
    received_at  timestamptz NOT NULL,
    state        text        NOT NULL CHECK (state IN ('received', 'done', 'ignored', 'failed', 'refused', 'erased')),
    reason       text,
    attempts     integer     NOT NULL DEFAULT 0,
    event_keys   uuid[]      NOT NULL DEFAULT '{}'
);
-- The same delivery is taken once; what was refused does not block the real one.
CREATE UNIQUE INDEX delivery_once ON delivery (provider, delivery_key, body_sha256) WHERE state <> 'refused';
CREATE INDEX delivery_open ON delivery (delivery_id) WHERE state IN ('received', 'failed');
CREATE INDEX delivery_by_event ON delivery USING gin (event_keys);
GRANT SELECT, INSERT, DELETE ON delivery TO steward_app;
GRANT UPDATE (body, headers, state, reason, attempts, event_keys) ON delivery TO steward_app;

-- People, apart from the log. `salt` keys the digests in the log; erasing a person removes it and everything below.
CREATE TABLE person (
    person_id  text        PRIMARY KEY,
    salt       bytea,
    created_at timestamptz NOT NULL,
    erased_at  timestamptz,
    CHECK ((salt IS NULL) = (erased_at IS NOT NULL))
);
-- By what a person is recognised: a keyed digest of the shop's customer id or of an address.
CREATE TABLE person_alias (
    alias     bytea PRIMARY KEY CHECK (length(alias) = 32),
    person_id text  NOT NULL REFERENCES person
);
CREATE INDEX person_alias_by_person ON person_alias (person_id);
-- What an event said about a person, by the key of the event. An erased person's rows keep the digest that stands in
-- the log and no fields, so that a late redelivery is still recognised.
CREATE TABLE person_field (
    event_key uuid  PRIMARY KEY,
    person_id text  NOT NULL REFERENCES person,
    fields    jsonb,
    digest    text  NOT NULL
);
CREATE INDEX person_field_by_person ON person_field (person_id);
GRANT SELECT, INSERT ON person, person_alias, person_field TO steward_app;
GRANT UPDATE (salt, erased_at) ON person TO steward_app;
GRANT UPDATE (fields) ON person_field TO steward_app;
GRANT DELETE ON person_alias TO steward_app;
