-- payout_turn --
-- One at a time prepares payouts.
SELECT pg_advisory_xact_lock(hashtextextended('steward.payouts', 0));

-- commissions --
-- Commissions with what was reversed of each and what payouts that were not dropped hold of it.
WITH back AS (
    SELECT data->>'commission_id' AS commission_id, sum((data->>'amount_minor')::bigint) AS amount_minor
    FROM event WHERE type = 'CommissionReversed'
      AND (%(creator_id)s::text IS NULL OR data->>'creator_id' = %(creator_id)s::text) GROUP BY 1
), taken AS (
    SELECT l.ref AS commission_id, sum(l.amount_minor) AS amount_minor
    FROM payout_line l JOIN payout p USING (payout_id)
    WHERE l.kind = 'commission' AND p.state <> 'dropped' GROUP BY 1
)
SELECT c.data->>'commission_id' AS commission_id, c.data->>'creator_id' AS creator_id, c.data->>'order_id' AS order_id,
       c.data->>'currency' AS currency, (c.data->>'amount_minor')::bigint AS earned_minor,
       coalesce(b.amount_minor, 0)::bigint AS reversed_minor, coalesce(t.amount_minor, 0)::bigint AS taken_minor,
       (c.data->>'eligible_at')::timestamptz AS eligible_at
FROM event c
LEFT JOIN back b ON b.commission_id = c.data->>'commission_id'
LEFT JOIN taken t ON t.commission_id = c.data->>'commission_id'
WHERE c.type = 'CommissionEarned' AND c.occurred_at <= %(now)s
  AND (%(creator_id)s::text IS NULL OR c.data->>'creator_id' = %(creator_id)s::text)
ORDER BY 2, 4, 1;

-- paid_elsewhere --
-- What was paid to creators past these payouts, less what they took off for it.
SELECT creator_id, currency, sum(amount_minor)::bigint AS amount_minor FROM (
    SELECT data->>'creator_id' AS creator_id, data->>'currency' AS currency, (data->>'amount_minor')::bigint AS amount_minor
    FROM event e WHERE type = 'PayoutProcessed' AND NOT EXISTS (SELECT FROM payout p WHERE p.payout_id = e.data->>'payout_id')
    UNION ALL
    SELECT p.creator_id, p.currency, l.amount_minor FROM payout_line l JOIN payout p USING (payout_id)
    WHERE l.kind = 'elsewhere' AND p.state <> 'dropped'
) AS paid
WHERE %(creator_id)s::text IS NULL OR creator_id = %(creator_id)s::text
GROUP BY 1, 2 HAVING sum(amount_minor) <> 0;

-- open_payouts --
-- Who has a payout on its way, and which bills have a payment.
SELECT creator_id, currency, supplier_id, invoice_id FROM payout WHERE state = 'open';

-- open_minor --
-- What payouts on their way will take from the bank.
SELECT coalesce(sum(amount_minor), 0)::bigint AS amount_minor FROM payout
WHERE state = 'open' AND currency = %(currency)s AND split_part(payee, ':', 1) <> ALL (%(wallets)s::text[]);

-- bills --
-- Bills of suppliers and services that came, each with what payments that were not dropped hold of it and with what was paid
-- past them. One that says no day is due when it came.
WITH told AS (
    SELECT DISTINCT ON (1, 2) coalesce(data->>'supplier_id', data->>'provider') AS supplier_id, data->>'invoice_id' AS invoice_id,
           data->>'currency' AS currency, (data->>'amount_minor')::bigint AS amount_minor,
           coalesce((data->>'due_at')::timestamptz, occurred_at) AS due_at
    FROM event WHERE type IN ('SupplierInvoiceReceived', 'ThirdPartyInvoiceReceived') AND occurred_at <= %(now)s
    ORDER BY 1, 2, occurred_at, position
), paid AS (
    SELECT data->>'supplier_id' AS supplier_id, data->>'invoice_id' AS invoice_id, sum((data->>'amount_minor')::bigint) AS amount_minor
    FROM event e
    WHERE type = 'SupplierPaid' AND NOT EXISTS (SELECT FROM payout p WHERE p.payout_id = e.data->>'payment_id') GROUP BY 1, 2
), taken AS (
    SELECT supplier_id, invoice_id, sum(amount_minor) AS amount_minor FROM payout
    WHERE supplier_id IS NOT NULL AND state <> 'dropped' GROUP BY 1, 2
)
SELECT b.supplier_id, b.invoice_id, b.currency, b.amount_minor, b.due_at, coalesce(p.amount_minor, 0)::bigint AS paid_minor,
       coalesce(t.amount_minor, 0)::bigint AS taken_minor
FROM told b
LEFT JOIN paid p USING (supplier_id, invoice_id)
LEFT JOIN taken t USING (supplier_id, invoice_id)
WHERE (%(supplier_id)s::text IS NULL OR b.supplier_id = %(supplier_id)s::text)
  AND b.amount_minor > coalesce(p.amount_minor, 0) + coalesce(t.amount_minor, 0)
ORDER BY b.due_at, b.supplier_id, b.invoice_id;

-- paid_unnamed --
-- What suppliers were paid past these payments without a word of which bill.
SELECT data->>'supplier_id' AS supplier_id, data->>'currency' AS currency, sum((data->>'amount_minor')::bigint)::bigint AS amount_minor
FROM event e
WHERE type = 'SupplierPaid' AND data->>'invoice_id' IS NULL AND occurred_at <= %(now)s
  AND NOT EXISTS (SELECT FROM payout p WHERE p.payout_id = e.data->>'payment_id')
  AND (%(supplier_id)s::text IS NULL OR data->>'supplier_id' = %(supplier_id)s::text)
GROUP BY 1, 2;

-- add_payout --
-- A payout as it was prepared.
INSERT INTO payout (payout_id, batch_id, creator_id, supplier_id, invoice_id, due_at, currency, amount_minor, clawed_minor,
                    held_back_minor, payee, reference, digest, screening, prepared_at, prepared_by)
VALUES (%(payout_id)s, %(batch_id)s, %(creator_id)s, %(supplier_id)s, %(invoice_id)s, %(due_at)s, %(currency)s,
        %(amount_minor)s, %(clawed_minor)s, %(held_back_minor)s, %(payee)s, %(reference)s, %(digest)s, %(screening)s,
        %(now)s, %(by)s);

-- add_lines --
-- The lines of a payout.
INSERT INTO payout_line (payout_id, kind, ref, amount_minor)
SELECT %(payout_id)s, l.kind, l.ref, l.amount_minor
FROM jsonb_to_recordset(%(lines)s) AS l (kind text, ref text, amount_minor bigint);

-- unasked_payouts --
-- Payouts that nobody proposed yet, the oldest first, and of those prepared at once the longest due.
SELECT * FROM payout WHERE state = 'open' AND action_id IS NULL ORDER BY prepared_at, due_at NULLS FIRST, payout_id;

-- payout_asked --
-- Which action carries a payout.
UPDATE payout SET action_id = %(action_id)s WHERE payout_id = %(payout_id)s AND action_id IS NULL;

-- end_payout --
-- A payout goes on: sent from open, landed from sent, dropped from open.
UPDATE payout SET state = %(state)s, why = %(why)s, moved_at = %(now)s,
                  landed_ref = coalesce(%(landed_ref)s::text, landed_ref)
WHERE payout_id = %(payout_id)s
  AND (state, %(state)s::text) IN (('open', 'sent'), ('open', 'dropped'), ('sent', 'landed'))
RETURNING payout_id;

-- payout --
-- One payout.
SELECT * FROM payout WHERE payout_id = %(payout_id)s;

-- payouts --
-- Payouts, newest first.
SELECT * FROM payout
WHERE (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(who)s::text IS NULL OR (%(who)s::text = 'supplier') = (supplier_id IS NOT NULL))
  AND (%(party)s::text IS NULL OR coalesce(creator_id, supplier_id) = %(party)s::text)
ORDER BY prepared_at DESC, payout_id DESC LIMIT %(limit)s OFFSET %(offset)s;

-- payout_lines --
-- The lines of a payout in order.
SELECT kind, ref, amount_minor FROM payout_line WHERE payout_id = %(payout_id)s ORDER BY kind, ref;

-- sent_payouts --
-- Payouts that no statement showed yet.
SELECT * FROM payout WHERE state = 'sent' ORDER BY moved_at, payout_id;

-- put_name --
-- What a payee is called, for the lists names are held against.
INSERT INTO payee_name (change_id, party, payee, name, named_at, named_by)
VALUES (%(change_id)s, %(party)s, %(payee)s, %(name)s, %(now)s, %(by)s);

-- payee_names --
-- What payees are called, by the change they were let in with.
SELECT change_id, name FROM payee_name WHERE change_id = ANY (%(changes)s::text[]);

-- payees --
-- Where each party is paid, by the newest change that was carried out.
SELECT DISTINCT ON (1) p.data->'params'->>'party' AS party, p.data->'params'->>'payee' AS payee,
       p.data->'params'->>'called_by' AS called_by, p.data->'params'->>'change_id' AS change_id, e.occurred_at AS since, e.data->>'action_id' AS action_id
FROM event p JOIN event e ON e.type = 'ActionExecuted' AND e.data->>'action_id' = p.data->>'action_id'
WHERE p.type = 'ActionProposed' AND p.data->>'kind' = 'payee.change'
ORDER BY 1, e.occurred_at DESC, e.position DESC;
