-- Posting: one function for a batch of transfers. docs/concepts/ledger.md says what each code means and in which order.

-- SHA-256 over texts with their lengths, so that no two lists of columns look alike; absent ones are a dash.
CREATE FUNCTION ledger_row(VARIADIC p_columns text[]) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = public, pg_temp
RETURN (SELECT sha256(convert_to(string_agg(coalesce(length(c)::text || ':' || c, '-'), '' ORDER BY ord), 'UTF8'))
        FROM unnest(p_columns) WITH ORDINALITY AS u (c, ord));

-- When a batch is recorded: now, and never earlier than what is recorded already.
CREATE FUNCTION ledger_now(p_now timestamptz) RETURNS timestamptz LANGUAGE sql STABLE
SET search_path = public, pg_temp
RETURN greatest(p_now, (SELECT max(recorded_at) FROM ledger_batch));

CREATE FUNCTION ledger_next_batch() RETURNS bigint LANGUAGE sql VOLATILE
SET search_path = public, pg_temp
RETURN nextval(pg_get_serial_sequence('ledger_batch', 'batch_id'));

CREATE FUNCTION ledger_seal(p_batch bigint, p_now timestamptz, p_rows integer, p_content bytea) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
BEGIN ATOMIC
    INSERT INTO ledger_batch (batch_id, recorded_at, rows, digest) OVERRIDING SYSTEM VALUE
    VALUES (p_batch, p_now, p_rows, sha256(p_content));
END;

-- Open accounts that do not exist yet, each with its balance row. Returns the batch, or NULL where nothing was new.
CREATE FUNCTION ledger_open(p_codes text[], p_currencies text[], p_normals text[], p_now timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
END $$;

-- Whether the books are shut at a time, for a kind.
CREATE FUNCTION ledger_is_shut(p_at timestamptz, p_kind text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM period p
               WHERE (p_at AT TIME ZONE 'UTC')::date >= p.starts_on AND (p_at AT TIME ZONE 'UTC')::date < p.ends_on
                 AND (p.state = 'closed' OR (p.state = 'soft' AND p_kind NOT LIKE 'close.%')));

-- The codes that depend on neither order nor limits; '' where there is none.
CREATE FUNCTION ledger_judge(
    p_keys uuid[], p_kinds text[], p_effective timestamptz[], p_bodies bytea[],
    p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
END $$;

-- The codes of reversals, for lines that have none yet.
CREATE FUNCTION ledger_judge_reversals(
    p_codes text[], p_reverses uuid[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
RETURNS text[] LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
END $$;

-- The codes that depend on order, exactly: one transfer after another, with the balances each leaves.
CREATE FUNCTION ledger_judge_in_order(
    p_codes text[], p_keys uuid[], p_bodies bytea[], p_reverses uuid[],
    p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
RETURNS text[] LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
END $$;

-- Whether any of these accounts has a limit.
CREATE FUNCTION ledger_some_limited(p_accounts integer[]) RETURNS boolean LANGUAGE sql STABLE
SET search_path = public, pg_temp
RETURN EXISTS (SELECT FROM account a WHERE a.account_id = ANY (p_accounts)
               AND (a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL));

-- Whether posting every line without a code would take some account beyond a limit on the way.
CREATE FUNCTION ledger_would_break_limits(
    p_codes text[], p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[])
RETURNS boolean LANGUAGE sql STABLE SET search_path = public, pg_temp
RETURN EXISTS (
    SELECT FROM (
        SELECT n.account, n.net, sum(n.net) OVER (PARTITION BY n.account ORDER BY n.transfer) AS moved
        FROM (
            SELECT l.account, l.transfer, sum(l.amount) AS net
            FROM unnest(p_leg_transfer, p_leg_account, p_leg_amount) AS l (transfer, account, amount)
            JOIN account a ON a.account_id = l.account AND (a.floor_minor IS NOT NULL OR a.ceiling_minor IS NOT NULL)
            JOIN unnest(p_codes) WITH ORDINALITY AS c (code, line) ON c.line = l.transfer AND c.code = ''
            GROUP BY l.account, l.transfer
        ) n
    ) s JOIN account a ON a.account_id = s.account JOIN balance b ON b.account_id = s.account
    WHERE (s.net < 0 AND b.amount_minor + s.moved - b.pending_credit_minor < a.floor_minor)
       OR (s.net > 0 AND b.amount_minor + s.moved + b.pending_debit_minor > a.ceiling_minor));

-- Whether a batch may be written without judging it line by line: every line has legs, no period is shut, and nothing is
-- reversed. What else can be wrong with it the guards refuse, and the batch is judged then.
CREATE FUNCTION ledger_is_plain(p_lines integer, p_effective timestamptz[], p_reverses uuid[], p_leg_transfer integer[])
RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
BEGIN
    RETURN cardinality(array_remove(p_reverses, NULL)) = 0
        AND (SELECT count(DISTINCT u.line) FROM unnest(p_leg_transfer) AS u (line)) = p_lines
        AND NOT EXISTS (SELECT FROM period p, (SELECT min(u.at) AS first, max(u.at) AS last FROM unnest(p_effective) AS u (at)) s
                        WHERE p.state <> 'open' AND p.starts_on <= (s.last AT TIME ZONE 'UTC')::date
                          AND p.ends_on > (s.first AT TIME ZONE 'UTC')::date);
END $$;

-- Write the lines whose number is not zero. The caller holds the locks and has judged every line.
CREATE FUNCTION ledger_write(
    p_batch bigint, p_numbers bigint[], p_keys uuid[], p_kinds text[], p_sources text[], p_effective timestamptz[],
    p_bodies bytea[], p_reverses uuid[], p_parties text[],
    p_leg_transfer integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[])
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO transfer (transfer_no, batch_id, effective_at, reverses, key, kind, source, party, body_digest)
    SELECT u.no, p_batch, u.effective,
           CASE WHEN u.reverses IS NOT NULL THEN (SELECT o.transfer_no FROM transfer o WHERE o.key = u.reverses) END,
           u.key, u.kind, u.source, u.party, u.body
    FROM unnest(p_numbers, p_keys, p_kinds, p_sources, p_effective, p_bodies, p_reverses, p_parties)
         AS u (no, key, kind, source, effective, body, reverses, party)
    WHERE u.no <> 0;

    INSERT INTO posting (version, transfer_no, amount_minor, balance_after, account_id, effective_on, line)
    SELECT b.version + row_number() OVER w, p_numbers[l.transfer], l.amount, b.amount_minor + sum(l.amount) OVER w,
           l.account, (p_effective[l.transfer] AT TIME ZONE 'UTC')::date, l.line
    FROM unnest(p_leg_transfer, p_leg_line, p_leg_account, p_leg_amount) WITH ORDINALITY
         AS l (transfer, line, account, amount, ord)
    JOIN balance b ON b.account_id = l.account
    WHERE p_numbers[l.transfer] <> 0
    WINDOW w AS (PARTITION BY l.account ORDER BY l.ord);
END $$;

-- Every line's code; '' where there is none.
CREATE FUNCTION ledger_codes(
    p_keys uuid[], p_kinds text[], p_effective timestamptz[], p_bodies bytea[], p_reverses uuid[], p_accounts integer[],
    p_leg_transfer integer[], p_leg_account integer[], p_leg_amount bigint[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
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
END $$;

-- Post a batch. `o_lines` and `o_codes` are what was not posted; `o_batch_id` is NULL where nothing was. `p_content` is
-- every key and body in order: what the batch's digest is made of where all of it is posted.
CREATE FUNCTION ledger_post(
    p_keys uuid[], p_kinds text[], p_sources text[], p_effective timestamptz[], p_bodies bytea[], p_reverses uuid[],
    p_parties text[], p_content bytea, p_now timestamptz,
    p_leg_transfer integer[], p_leg_line smallint[], p_leg_account integer[], p_leg_amount bigint[],
    OUT o_batch_id bigint, OUT o_recorded_at timestamptz, OUT o_posted integer, OUT o_digest bytea,
    OUT o_lines integer[], OUT o_codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
END $$;
