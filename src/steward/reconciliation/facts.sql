-- creator_settled --
-- Commissions of a creator on orders of which every movement is done with a statement, less what was reversed and paid. It is
-- done in a match, or in a break that a person resolved and that a statement's line stands in: what no statement told is not.
WITH own AS (
    SELECT data->>'commission_id' AS commission_id, data->>'order_id' AS order_id, data->>'currency' AS currency,
           (data->>'amount_minor')::bigint AS amount_minor
    FROM event WHERE type = 'CommissionEarned' AND data->>'creator_id' = %(creator_id)s::text
), told AS (
    SELECT r.value->>1 AS order_id
    FROM expectation e CROSS JOIN jsonb_array_elements(e.refs) r
    LEFT JOIN recon_item i ON i.is_live AND i.book = 'statement' AND i.item_side = 'books' AND i.key = e.key
         AND (i.match_no IS NOT NULL OR EXISTS (SELECT FROM recon_item s WHERE s.break_id = i.break_id AND s.item_side = 'statement'))
    WHERE e.side = 'statement' AND r.value->>0 = 'order' AND r.value->>1 IN (SELECT order_id FROM own)
    GROUP BY r.value->>1
    HAVING bool_and(i.key IS NOT NULL) AND bool_or(e.type = 'payment')
), moved AS (
    SELECT o.currency, o.amount_minor - coalesce((
        SELECT sum((r.data->>'amount_minor')::bigint) FROM event r
        WHERE r.type = 'CommissionReversed' AND r.data->>'commission_id' = o.commission_id), 0) AS amount_minor
    FROM own o JOIN told t USING (order_id)
    UNION ALL
    SELECT data->>'currency', -(data->>'amount_minor')::bigint FROM event
    WHERE type = 'PayoutProcessed' AND data->>'creator_id' = %(creator_id)s::text
)
SELECT jsonb_build_object('amount_minor', coalesce(sum(amount_minor), 0)::bigint,
                          'currency', coalesce(min(currency), %(currency)s::text)) AS value
FROM moved HAVING count(DISTINCT currency) <= 1;

-- settled_orders --
-- Of these orders those whose every movement is done with a statement (see creator_settled), one of them a payment.
SELECT r.value->>1 AS order_id
FROM expectation e CROSS JOIN jsonb_array_elements(e.refs) r
LEFT JOIN recon_item i ON i.is_live AND i.book = 'statement' AND i.item_side = 'books' AND i.key = e.key
     AND (i.match_no IS NOT NULL OR EXISTS (SELECT FROM recon_item s WHERE s.break_id = i.break_id AND s.item_side = 'statement'))
WHERE e.side = 'statement' AND r.value->>0 = 'order' AND r.value->>1 = ANY (%(orders)s::text[])
GROUP BY r.value->>1
HAVING bool_and(i.key IS NOT NULL) AND bool_or(e.type = 'payment');

-- shown_by --
-- Of these movements of ours those that stand in a match, each with the line that shows it.
SELECT i.key, min(o.key) AS shown
FROM recon_item i JOIN recon_item o ON o.match_no = i.match_no AND o.is_live AND o.item_side <> 'books'
WHERE i.is_live AND i.item_side = 'books' AND i.key = ANY (%(keys)s::text[]) AND i.match_no IS NOT NULL
GROUP BY i.key;

-- invoice_audited --
-- Whether the books know this bill, and whether an audit judged it as it stands.
SELECT EXISTS (
    SELECT FROM event
    WHERE type IN ('SupplierInvoiceReceived', 'ThirdPartyInvoiceReceived') AND data->>'invoice_id' = %(invoice_id)s::text
      AND coalesce(data->>'supplier_id', data->>'provider') = %(supplier_id)s::text
) AS is_known, EXISTS (
    SELECT FROM invoice i JOIN invoice_audited a USING (invoice_id)
    WHERE i.vendor = %(supplier_id)s::text AND i.number = %(invoice_id)s::text AND i.superseded_by IS NULL
) AS is_audited;

-- invoice_disputed --
-- What of a bill in the books is not to be paid: what they took it in at, net of tax, less what is agreed of the bill that was
-- audited. Agreed is its total less what is disputed, and what a person claimed of lines in force or of a credit; what she
-- accepted is agreed. Tax goes along by its share, rounded up. Nothing where no audit judged the bill as it stands.
WITH told AS (
    SELECT data->>'currency' AS currency, coalesce((data->>'tax_minor')::bigint, 0) AS tax,
           (data->>'amount_minor')::bigint - coalesce((data->>'tax_minor')::bigint, 0) AS net
    FROM event
    WHERE type IN ('SupplierInvoiceReceived', 'ThirdPartyInvoiceReceived') AND data->>'invoice_id' = %(invoice_id)s::text
      AND coalesce(data->>'supplier_id', data->>'provider') = %(supplier_id)s::text
    ORDER BY occurred_at, position LIMIT 1
), bill AS (
    SELECT i.totals, i.vendor || '/' || i.number || CASE WHEN i.version = 1 THEN '' ELSE '~' || i.version END || '/' AS lines
    FROM invoice i JOIN invoice_audited a USING (invoice_id)
    WHERE i.vendor = %(supplier_id)s::text AND i.number = %(invoice_id)s::text AND i.superseded_by IS NULL
), against AS (
    SELECT b.currency, b.amount_minor FROM recon_break b
    WHERE b.side = 'invoice' AND b.state = 'open' AND b.provider = %(supplier_id)s::text
      AND b.evidence->>'invoice' = %(invoice_id)s::text
    UNION ALL
    SELECT b.currency, b.amount_minor FROM recon_item i JOIN recon_break b USING (break_id) CROSS JOIN bill
    WHERE i.is_live AND i.book = 'invoice' AND b.ended_how = 'claim' AND b.provider = %(supplier_id)s::text
      AND b.evidence->>'invoice' = %(invoice_id)s::text AND (i.item_side = 'books' OR starts_with(i.key, bill.lines))
), kept AS (
    SELECT t.currency, t.tax, t.net, greatest(t.net - coalesce((b.totals->>t.currency)::bigint, 0) + coalesce((
        SELECT sum(a.amount_minor) FROM against a WHERE a.currency = t.currency), 0), 0)::bigint AS amount
    FROM told t CROSS JOIN bill b
)
SELECT jsonb_build_object('currency', currency, 'amount_minor',
    amount + CASE WHEN net > 0 THEN ceil(amount::numeric * tax / net)::bigint ELSE 0 END) AS value
FROM kept;
