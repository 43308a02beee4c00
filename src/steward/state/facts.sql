-- order_captured --
-- What was captured for an order, from its stream. Nothing where it has two currencies.
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'amount_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM event
WHERE subject = 'order/' || %(order_id)s::text AND type = 'PaymentCaptured' AND data->>'order_id' = %(order_id)s::text
  AND occurred_at < %(at)s::timestamptz
HAVING count(DISTINCT data->>'currency') <= 1;

-- order_refunded --
-- What was given back of an order: refunds that name it, and the parts of refunds that name none.
SELECT jsonb_build_object('amount_minor', coalesce(sum(g.amount_minor), 0)::bigint,
                          'currency', coalesce(min(g.currency), %(currency)s::text)) AS value
FROM (
    SELECT (data->>'amount_minor')::bigint AS amount_minor, data->>'currency' AS currency FROM event
    WHERE type = 'RefundProcessed' AND data->>'order_id' = %(order_id)s::text AND occurred_at < %(at)s::timestamptz
    UNION ALL
    SELECT l.amount_minor, r.currency FROM refund_link l JOIN refund r USING (refund_id) JOIN event e ON e.position = r.position
    WHERE l.order_id = %(order_id)s::text AND e.data->>'order_id' IS NULL AND l.occurred_at < %(at)s::timestamptz
) g
HAVING count(DISTINCT g.currency) <= 1;

-- order_disputed --
-- What customers' banks took back of an order, by its id or by its payments, less what was won.
SELECT jsonb_build_object('amount_minor', coalesce(sum((o.data->>'amount_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(o.data->>'currency'), %(currency)s::text)) AS value
FROM event o
WHERE o.type = 'DisputeOpened' AND o.occurred_at < %(at)s::timestamptz
  AND (o.data->>'order_id' = %(order_id)s::text OR o.data->>'payment_id' IN (
      SELECT p.data->>'payment_id' FROM event p
      WHERE p.subject = 'order/' || %(order_id)s::text AND p.type = 'PaymentCaptured'))
  AND NOT EXISTS (SELECT FROM event w WHERE w.type = 'DisputeResolved' AND w.data->>'dispute_id' = o.data->>'dispute_id'
                  AND w.data->>'outcome' = 'won' AND w.occurred_at < %(at)s::timestamptz)
HAVING count(DISTINCT o.data->>'currency') <= 1;

-- order_credited --
-- Store credit given for an order out of goodwill; credit that is a refund is counted as one.
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'amount_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM event
WHERE type = 'StoreCreditIssued' AND data->>'order_id' = %(order_id)s::text AND data->>'refund_id' IS NULL
  AND occurred_at < %(at)s::timestamptz
HAVING count(DISTINCT data->>'currency') <= 1;

-- payment_captured --
-- What a payment took. Nothing where it is unknown: of what was never taken nothing can be given back.
SELECT jsonb_build_object('amount_minor', sum((data->>'amount_minor')::bigint)::bigint,
                          'currency', min(data->>'currency')) AS value
FROM event
WHERE type = 'PaymentCaptured' AND data->>'payment_id' = %(payment_id)s::text AND occurred_at < %(at)s::timestamptz
HAVING count(DISTINCT data->>'currency') = 1;

-- payment_refunded --
-- What of a payment was given back, and what customers' banks took back of it, less what was won. Nothing where the
-- payment is unknown, or where it and they have two currencies.
SELECT jsonb_build_object('amount_minor',
                          coalesce(sum((e.data->>'amount_minor')::bigint) FILTER (WHERE e.type <> 'PaymentCaptured'), 0)::bigint,
                          'currency', min(e.data->>'currency')) AS value
FROM event e
WHERE e.type IN ('PaymentCaptured', 'RefundProcessed', 'DisputeOpened') AND e.data->>'payment_id' = %(payment_id)s::text
  AND e.occurred_at < %(at)s::timestamptz
  AND NOT (e.type = 'DisputeOpened' AND EXISTS (
      SELECT FROM event w WHERE w.type = 'DisputeResolved' AND w.data->>'dispute_id' = e.data->>'dispute_id'
        AND w.data->>'outcome' = 'won' AND w.occurred_at < %(at)s::timestamptz))
HAVING count(DISTINCT e.data->>'currency') = 1 AND bool_or(e.type = 'PaymentCaptured');

-- order_total --
-- What an order came to.
SELECT jsonb_build_object('amount_minor', total_minor, 'currency', currency) AS value
FROM sale WHERE order_id = %(order_id)s::text AND occurred_at < %(at)s::timestamptz;

-- order_parcels --
-- Parcels of an order that left, from its stream.
SELECT to_jsonb(count(*)) AS value FROM event
WHERE subject = 'order/' || %(order_id)s::text AND type IN ('OrderFulfilled', 'OrderDelivered')
  AND occurred_at < %(at)s::timestamptz;

-- order_cancelled --
-- Whether an order was cancelled, from its stream.
SELECT to_jsonb(count(*) > 0) AS value FROM event
WHERE subject = 'order/' || %(order_id)s::text AND type = 'OrderCancelled' AND occurred_at < %(at)s::timestamptz;

-- order_units --
-- Units of a product on an order.
SELECT to_jsonb(coalesce(sum(quantity), 0)::bigint) AS value
FROM sale_line WHERE order_id = %(order_id)s::text AND sku = %(sku)s::text AND occurred_at < %(at)s::timestamptz;

-- order_pieces --
-- Units of all products on an order.
SELECT to_jsonb(units) AS value FROM sale WHERE order_id = %(order_id)s::text AND occurred_at < %(at)s::timestamptz;

-- order_failed_payments --
-- Payments for an order that were refused.
SELECT to_jsonb(count(*)) AS value FROM event
WHERE type = 'PaymentFailed' AND data->>'order_id' = %(order_id)s::text AND occurred_at < %(at)s::timestamptz;

-- order_same_address --
-- Orders of the velocity window to the address this one names. Nothing where it names none.
SELECT CASE WHEN n.key IS NOT NULL THEN (
    SELECT to_jsonb(count(*)) FROM event e
    WHERE e.type = 'OrderPlaced' AND e.data->>'address_id' = n.key AND e.occurred_at < %(at)s::timestamptz
      AND e.occurred_at >= %(at)s::timestamptz - make_interval(hours => %(velocity_hours)s::integer)) END AS value
FROM (SELECT max(data->>'address_id') AS key FROM event
      WHERE subject = 'order/' || %(order_id)s::text AND type = 'OrderPlaced') n;

-- order_same_device --
-- Orders of the velocity window from the device this one names. Nothing where it names none.
SELECT CASE WHEN n.key IS NOT NULL THEN (
    SELECT to_jsonb(count(*)) FROM event e
    WHERE e.type = 'OrderPlaced' AND e.data->>'device_id' = n.key AND e.occurred_at < %(at)s::timestamptz
      AND e.occurred_at >= %(at)s::timestamptz - make_interval(hours => %(velocity_hours)s::integer)) END AS value
FROM (SELECT max(data->>'device_id') AS key FROM event
      WHERE subject = 'order/' || %(order_id)s::text AND type = 'OrderPlaced') n;

-- customer_orders_before --
-- A customer's other orders.
SELECT to_jsonb(count(DISTINCT order_id)) AS value FROM sale_line
WHERE customer_id = %(customer_id)s::text AND order_id <> %(order_id)s::text AND occurred_at < %(at)s::timestamptz;

-- customer_refunded_in_window --
-- Money a customer got back in the counting window, up to a place in the log.
SELECT jsonb_build_object('amount_minor', coalesce(sum(amount_minor), 0)::bigint,
                          'currency', coalesce(min(currency), %(currency)s::text)) AS value
FROM refund
WHERE customer_id = %(customer_id)s::text
  AND occurred_at >= %(at)s::timestamptz - make_interval(days => %(refund_window_days)s::integer)
  AND (occurred_at, position) < (%(at)s::timestamptz, %(position)s::bigint)
HAVING count(DISTINCT currency) <= 1;

-- customer_credited_in_window --
-- Store credit a customer got out of goodwill in the counting window.
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'amount_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM event
WHERE type = 'StoreCreditIssued' AND data->>'customer_id' = %(customer_id)s::text AND data->>'refund_id' IS NULL
  AND occurred_at >= %(at)s::timestamptz - make_interval(days => %(refund_window_days)s::integer)
  AND occurred_at < %(at)s::timestamptz
HAVING count(DISTINCT data->>'currency') <= 1;

-- customer_shared --
-- Devices and addresses of a customer's orders, and the refunds in the window of everybody whose orders name the same.
WITH mine AS (
    SELECT DISTINCT k.by, k.key
    FROM (SELECT DISTINCT order_id FROM sale_line
          WHERE customer_id = %(customer_id)s::text AND occurred_at < %(at)s::timestamptz) o
    JOIN event e ON e.subject = 'order/' || o.order_id AND e.type = 'OrderPlaced'
    CROSS JOIN LATERAL (VALUES ('device', e.data->>'device_id'), ('address', e.data->>'address_id')) AS k (by, key)
    WHERE k.key IS NOT NULL
)
SELECT coalesce(jsonb_agg(jsonb_build_object('by', m.by, 'refunds', r.refunds) ORDER BY m.by, m.key), '[]') AS value
FROM mine m CROSS JOIN LATERAL (
    SELECT count(*) AS refunds FROM refund f
    WHERE f.occurred_at >= %(at)s::timestamptz - make_interval(days => %(refund_window_days)s::integer)
      AND (f.occurred_at, f.position) < (%(at)s::timestamptz, %(position)s::bigint)
      AND f.customer_id IN (
          SELECT e.data->>'customer_id' FROM event e
          WHERE e.type = 'OrderPlaced' AND e.occurred_at < %(at)s::timestamptz
            AND m.key = CASE m.by WHEN 'device' THEN e.data->>'device_id' ELSE e.data->>'address_id' END)
) r;

-- ads_campaign_budget --
-- The daily budget a campaign or ad set has now. Nothing where nothing is known of it.
SELECT jsonb_build_object(
    'amount_minor', CASE WHEN type = 'AdSetPaused' OR (data->>'ends_at')::timestamptz <= %(at)s::timestamptz THEN 0
                    ELSE (data->>'daily_budget_minor')::bigint END,
    'currency', coalesce(data->>'currency', %(currency)s::text)) AS value
FROM event
WHERE type IN ('CampaignLaunched', 'AdSetScaled', 'AdSetPaused')
  AND coalesce(data->>'ad_set_id', data->>'campaign_id') = %(campaign_id)s::text
  AND (type = 'AdSetPaused' OR data->>'daily_budget_minor' IS NOT NULL) AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- ads_other_budgets --
-- Daily budgets of every other campaign and ad set together. Nothing where one runs without a budget.
WITH newest AS (
    SELECT DISTINCT ON (coalesce(data->>'ad_set_id', data->>'campaign_id')) type, data FROM event
    WHERE type IN ('CampaignLaunched', 'AdSetScaled', 'AdSetPaused') AND occurred_at < %(at)s::timestamptz
      AND coalesce(data->>'ad_set_id', data->>'campaign_id') <> %(campaign_id)s::text
    ORDER BY coalesce(data->>'ad_set_id', data->>'campaign_id'), occurred_at DESC, position DESC
), running AS (
    SELECT data FROM newest
    WHERE type <> 'AdSetPaused' AND coalesce((data->>'ends_at')::timestamptz > %(at)s::timestamptz, true)
)
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'daily_budget_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM running
HAVING count(DISTINCT data->>'currency') <= 1 AND count(*) = count(data->>'daily_budget_minor');

-- ads_spend --
-- What a campaign was charged within the advertising window.
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'amount_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM event
WHERE type = 'AdSpendCharged' AND data->>'campaign_id' = %(campaign_id)s::text AND occurred_at < %(at)s::timestamptz
  AND occurred_at >= %(at)s::timestamptz - make_interval(days => %(ads_window_days)s::integer)
HAVING count(DISTINCT data->>'currency') <= 1;

-- ads_spend_day --
-- What other campaigns spend today: from what was charged up to what their budgets still allow.
WITH newest AS (
    SELECT DISTINCT ON (coalesce(data->>'ad_set_id', data->>'campaign_id'))
           coalesce(data->>'ad_set_id', data->>'campaign_id') AS campaign, type, data FROM event
    WHERE type IN ('CampaignLaunched', 'AdSetScaled', 'AdSetPaused') AND occurred_at < %(at)s::timestamptz
    ORDER BY coalesce(data->>'ad_set_id', data->>'campaign_id'), occurred_at DESC, position DESC
), budgets AS (
    SELECT campaign, data->>'currency' AS currency, (data->>'daily_budget_minor')::bigint AS budget FROM newest
    WHERE type <> 'AdSetPaused' AND coalesce((data->>'ends_at')::timestamptz > %(at)s::timestamptz, true)
), charged AS (
    SELECT coalesce(data->>'campaign_id', '') AS campaign, data->>'currency' AS currency,
           sum((data->>'amount_minor')::bigint) AS amount
    FROM event
    WHERE type = 'AdSpendCharged' AND occurred_at < %(at)s::timestamptz
      AND occurred_at >= date_trunc('day', %(at)s::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' GROUP BY 1, 2
), others AS (
    SELECT coalesce(b.currency, c.currency) AS currency, coalesce(c.amount, 0) AS low,
           CASE WHEN b.campaign IS NULL THEN c.amount ELSE greatest(coalesce(c.amount, 0), b.budget) END AS high,
           b.campaign IS NOT NULL AND b.budget IS NULL AS is_open
    FROM budgets b FULL JOIN charged c USING (campaign) WHERE campaign <> %(campaign_id)s::text
)
SELECT jsonb_build_object(
    'low', jsonb_build_object('amount_minor', coalesce(sum(low), 0)::bigint,
                              'currency', coalesce(min(currency), %(currency)s::text)),
    'high', jsonb_build_object('amount_minor', coalesce(sum(high), 0)::bigint,
                               'currency', coalesce(min(currency), %(currency)s::text))) AS value
FROM others HAVING count(DISTINCT currency) <= 1 AND NOT coalesce(bool_or(is_open), false);

-- orders_open --
-- Purchase orders placed, each less what was invoiced of it.
SELECT jsonb_build_object('amount_minor', coalesce(sum(greatest(o.total - o.invoiced, 0)), 0)::bigint,
                          'currency', coalesce(min(o.currency), %(currency)s::text)) AS value
FROM (
    SELECT p.data->>'currency' AS currency, (p.data->>'total_minor')::bigint AS total,
           coalesce((SELECT sum((i.data->>'amount_minor')::bigint) FROM event i
                     WHERE i.type = 'SupplierInvoiceReceived' AND i.occurred_at < %(at)s::timestamptz
                       AND i.data->>'purchase_order_id' = p.data->>'purchase_order_id'), 0) AS invoiced
    FROM event p WHERE p.type = 'PurchaseOrderPlaced' AND p.occurred_at < %(at)s::timestamptz
) o
HAVING count(DISTINCT o.currency) <= 1;

-- quote_unit --
-- The supplier's newest quote for a unit of a product.
SELECT jsonb_build_object('amount_minor', (data->>'unit_minor')::bigint, 'currency', data->>'currency') AS value
FROM event
WHERE type = 'SupplierQuoted' AND data->>'supplier_id' = %(supplier_id)s::text AND data->>'sku' = %(sku)s::text
  AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- quote_until --
-- Until when that quote holds. Nothing where it does not say.
SELECT to_jsonb(data->>'valid_until') AS value
FROM event
WHERE type = 'SupplierQuoted' AND data->>'supplier_id' = %(supplier_id)s::text AND data->>'sku' = %(sku)s::text
  AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- stock_on_order --
-- Units ordered from suppliers, each order less what arrived of it.
SELECT to_jsonb(coalesce(sum(greatest(o.ordered - o.arrived, 0)), 0)::bigint) AS value
FROM (
    SELECT (SELECT sum((l->>'quantity')::bigint) FROM jsonb_array_elements(p.data->'lines') l
            WHERE l->>'sku' = %(sku)s::text) AS ordered,
           coalesce((SELECT sum((l->>'quantity')::bigint) FROM event i, jsonb_array_elements(i.data->'lines') l
                     WHERE i.type = 'InboundReceived' AND i.occurred_at < %(at)s::timestamptz
                       AND i.data->>'purchase_order_id' = p.data->>'purchase_order_id'
                       AND l->>'sku' = %(sku)s::text), 0) AS arrived
    FROM event p WHERE p.type = 'PurchaseOrderPlaced' AND p.occurred_at < %(at)s::timestamptz
) o;

-- invoice_amount --
-- What an invoice asks for. Nothing where it is unknown.
SELECT jsonb_build_object('amount_minor', (data->>'amount_minor')::bigint, 'currency', data->>'currency') AS value
FROM event
WHERE type IN ('SupplierInvoiceReceived', 'ThirdPartyInvoiceReceived') AND data->>'invoice_id' = %(invoice_id)s::text
  AND coalesce(data->>'supplier_id', data->>'provider') = %(supplier_id)s::text AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at, position LIMIT 1;

-- invoice_paid --
-- What was paid of an invoice.
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'amount_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM event
WHERE type = 'SupplierPaid' AND data->>'invoice_id' = %(invoice_id)s::text
  AND data->>'supplier_id' = %(supplier_id)s::text AND occurred_at < %(at)s::timestamptz
HAVING count(DISTINCT data->>'currency') <= 1;

-- invoice_ordered --
-- What an invoice's purchase order comes to, less what was paid on other invoices of it. Nothing without an order.
SELECT jsonb_build_object('amount_minor', (p.data->>'total_minor')::bigint - coalesce((
    SELECT sum((s.data->>'amount_minor')::bigint) FROM event s JOIN event o ON o.data->>'invoice_id' = s.data->>'invoice_id'
    WHERE s.type = 'SupplierPaid' AND o.type = 'SupplierInvoiceReceived' AND s.occurred_at < %(at)s::timestamptz
      AND o.data->>'purchase_order_id' = p.data->>'purchase_order_id'
      AND o.data->>'invoice_id' <> %(invoice_id)s::text), 0)::bigint, 'currency', p.data->>'currency') AS value
FROM event i JOIN event p ON p.type = 'PurchaseOrderPlaced' AND p.data->>'purchase_order_id' = i.data->>'purchase_order_id'
WHERE i.type = 'SupplierInvoiceReceived' AND i.data->>'invoice_id' = %(invoice_id)s::text
  AND i.data->>'supplier_id' = %(supplier_id)s::text AND p.data->>'supplier_id' = %(supplier_id)s::text
  AND i.occurred_at < %(at)s::timestamptz AND p.occurred_at < %(at)s::timestamptz
ORDER BY i.occurred_at, i.position LIMIT 1;

-- payee_digest --
-- Bank details of a party as the last change that was carried out set them; empty, which is no address, where none was.
SELECT to_jsonb(coalesce((
    SELECT p.data->'params'->>'payee'
    FROM event p JOIN event e ON e.type = 'ActionExecuted' AND e.data->>'action_id' = p.data->>'action_id'
    WHERE p.type = 'ActionProposed' AND p.data->>'kind' = 'payee.change' AND p.data->'params'->>'party' = %(party)s::text
      AND e.occurred_at < %(at)s::timestamptz
    ORDER BY e.occurred_at DESC, e.position DESC LIMIT 1), '')) AS value;

-- payee_changed_at --
-- When that change was carried out.
SELECT to_jsonb(to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS value
FROM event p JOIN event e ON e.type = 'ActionExecuted' AND e.data->>'action_id' = p.data->>'action_id'
WHERE p.type = 'ActionProposed' AND p.data->>'kind' = 'payee.change' AND p.data->'params'->>'party' = %(party)s::text
  AND e.occurred_at < %(at)s::timestamptz
ORDER BY e.occurred_at DESC, e.position DESC LIMIT 1;

-- creator_matured --
-- Commissions of a creator whose return window is over, less what was reversed of them and all that was paid.
WITH earned AS (
    SELECT c.data, (c.data->>'amount_minor')::bigint - coalesce((
        SELECT sum((r.data->>'amount_minor')::bigint) FROM event r
        WHERE r.type = 'CommissionReversed' AND r.data->>'commission_id' = c.data->>'commission_id'
          AND r.occurred_at < %(at)s::timestamptz), 0) AS left_minor
    FROM event c
    WHERE c.type = 'CommissionEarned' AND c.data->>'creator_id' = %(creator_id)s::text
      AND c.occurred_at < %(at)s::timestamptz AND (c.data->>'eligible_at')::timestamptz <= %(at)s::timestamptz
), paid AS (
    SELECT data->>'currency' AS currency, (data->>'amount_minor')::bigint AS amount_minor FROM event
    WHERE type = 'PayoutProcessed' AND data->>'creator_id' = %(creator_id)s::text AND occurred_at < %(at)s::timestamptz
), moved AS (
    SELECT data->>'currency' AS currency, left_minor AS amount_minor FROM earned
    UNION ALL SELECT currency, -amount_minor FROM paid
)
SELECT jsonb_build_object('amount_minor', coalesce(sum(amount_minor), 0)::bigint,
                          'currency', coalesce(min(currency), %(currency)s::text)) AS value
FROM moved HAVING count(DISTINCT currency) <= 1;

-- creator_recent --
-- Commissions whose return window was over within the holdback's days, less what was reversed of them.
WITH earned AS (
    SELECT c.data->>'currency' AS currency, (c.data->>'amount_minor')::bigint - coalesce((
        SELECT sum((r.data->>'amount_minor')::bigint) FROM event r
        WHERE r.type = 'CommissionReversed' AND r.data->>'commission_id' = c.data->>'commission_id'
          AND r.occurred_at < %(at)s::timestamptz), 0) AS left_minor
    FROM event c
    WHERE c.type = 'CommissionEarned' AND c.data->>'creator_id' = %(creator_id)s::text
      AND c.occurred_at < %(at)s::timestamptz AND (c.data->>'eligible_at')::timestamptz <= %(at)s::timestamptz
      AND (c.data->>'eligible_at')::timestamptz
          > %(at)s::timestamptz - make_interval(days => %(payout_holdback_days)s::integer)
)
SELECT jsonb_build_object('amount_minor', coalesce(sum(greatest(left_minor, 0)), 0)::bigint,
                          'currency', coalesce(min(currency), %(currency)s::text)) AS value
FROM earned HAVING count(DISTINCT currency) <= 1;

-- creator_rate --
-- The commission rate a creator has.
SELECT to_jsonb(data->>'commission_rate') AS value FROM event
WHERE type IN ('CreatorOnboarded', 'TierUpgraded') AND data->>'creator_id' = %(creator_id)s::text
  AND data->>'commission_rate' IS NOT NULL AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- creator_rate_since --
-- Since when.
SELECT to_jsonb(to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS value FROM event
WHERE type IN ('CreatorOnboarded', 'TierUpgraded') AND data->>'creator_id' = %(creator_id)s::text
  AND data->>'commission_rate' IS NOT NULL AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- samples_month --
-- Cost of samples sent since the first of the month.
SELECT jsonb_build_object('amount_minor', coalesce(sum((data->>'cost_minor')::bigint), 0)::bigint,
                          'currency', coalesce(min(data->>'currency'), %(currency)s::text)) AS value
FROM event
WHERE type = 'SampleSent' AND occurred_at < %(at)s::timestamptz
  AND occurred_at >= date_trunc('month', %(at)s::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
HAVING count(DISTINCT data->>'currency') <= 1;

-- listing_bans --
-- How often a channel took listings of a product down.
SELECT to_jsonb(count(*)) AS value FROM event
WHERE type = 'ListingBanned' AND data->>'channel' = %(channel)s::text AND occurred_at < %(at)s::timestamptz
  AND (data->>'sku' = %(sku)s::text OR data->>'listing_id' = %(listing_id)s::text);

-- sku_live_shows --
-- Shows on air that were planned with a product or pinned it.
SELECT to_jsonb(count(DISTINCT s.data->>'show_id')) AS value FROM event s
WHERE s.type = 'LiveShowStarted' AND s.occurred_at < %(at)s::timestamptz
  AND NOT EXISTS (SELECT FROM event e WHERE e.type = 'LiveShowEnded' AND e.data->>'show_id' = s.data->>'show_id'
                  AND e.occurred_at < %(at)s::timestamptz)
  AND EXISTS (SELECT FROM event p WHERE p.type IN ('LiveShowScheduled', 'ProductPinned')
              AND p.data->>'show_id' = s.data->>'show_id' AND p.occurred_at < %(at)s::timestamptz
              AND (p.data->>'sku' = %(sku)s::text OR p.data->'skus' ? %(sku)s::text));

-- stock_on_hand --
-- Units on hand: the newest level of each warehouse together, up by what came in since and down by what was sold or lost.
-- Nothing where no level was ever reported.
WITH levels AS (
    SELECT DISTINCT ON (coalesce(data->>'warehouse', '')) occurred_at, position,
           CASE WHEN type = 'StockOut' THEN 0 ELSE (data->>'on_hand')::bigint END AS level
    FROM event
    WHERE type IN ('StockAdjusted', 'StockReplenished', 'StockLow', 'StockOut') AND data->>'sku' = %(sku)s::text
      AND (type = 'StockOut' OR data->>'on_hand' IS NOT NULL) AND occurred_at < %(at)s::timestamptz
    ORDER BY coalesce(data->>'warehouse', ''), occurred_at DESC, position DESC
), since AS (SELECT sum(level) AS level, min(occurred_at) AS at FROM levels),
moved AS (
    SELECT coalesce((e.data->>'delta')::bigint, (e.data->>'quantity')::bigint) AS units FROM event e, since s
    WHERE e.type IN ('StockAdjusted', 'StockReplenished') AND e.data->>'sku' = %(sku)s::text
      AND e.data->>'on_hand' IS NULL AND e.occurred_at >= s.at AND e.occurred_at < %(at)s::timestamptz
    UNION ALL
    SELECT -l.quantity FROM sale_line l, since s
    WHERE l.sku = %(sku)s::text AND l.occurred_at >= s.at AND l.occurred_at < %(at)s::timestamptz
)
SELECT CASE WHEN s.level IS NOT NULL THEN jsonb_build_object(
    'low', s.level + coalesce((SELECT sum(units) FROM moved WHERE units < 0), 0)::bigint,
    'high', s.level + coalesce((SELECT sum(units) FROM moved WHERE units > 0), 0)::bigint) END AS value
FROM since s;

-- stock_promised --
-- Units of orders that were placed and neither sent nor cancelled.
SELECT to_jsonb(coalesce(sum(greatest(l.quantity - f.sent, 0)), 0)::bigint) AS value
FROM sale_line l
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN e.type = 'OrderFulfilled' AND jsonb_array_length(coalesce(e.data->'lines', '[]')) > 0
                        THEN (SELECT coalesce(sum((x->>'quantity')::bigint), 0)
                              FROM jsonb_array_elements(e.data->'lines') x WHERE x->>'sku' = l.sku)
                        ELSE l.quantity END), 0) AS sent
    FROM event e
    WHERE e.subject = 'order/' || l.order_id AND e.type IN ('OrderFulfilled', 'OrderCancelled')
      AND e.occurred_at < %(at)s::timestamptz
) f
WHERE l.sku = %(sku)s::text AND l.quantity > 0 AND l.occurred_at < %(at)s::timestamptz;

-- sku_defects --
-- Defective units of a product reported within the counting window.
SELECT to_jsonb(coalesce(sum((data->>'quantity')::bigint), 0)::bigint) AS value FROM event
WHERE type = 'DefectReported' AND data->>'sku' = %(sku)s::text AND occurred_at < %(at)s::timestamptz
  AND occurred_at >= %(at)s::timestamptz - make_interval(days => %(refund_window_days)s::integer);

-- ticket_replies --
-- Replies to a ticket that were let through.
SELECT to_jsonb(count(DISTINCT p.data->>'action_id')) AS value
FROM event p JOIN event e ON e.type IN ('ActionShadowed', 'ActionExecuted') AND e.data->>'action_id' = p.data->>'action_id'
WHERE p.type = 'ActionProposed' AND p.data->>'kind' = 'reply.send'
  AND p.data->'params'->>'ticket_id' = %(ticket_id)s::text AND p.occurred_at < %(at)s::timestamptz;

-- reply_action_done --
-- Whether an action was carried out.
SELECT to_jsonb(count(*) > 0) AS value FROM event
WHERE type = 'ActionExecuted' AND data->>'action_id' = %(action_id)s::text AND occurred_at < %(at)s::timestamptz;

-- show_starts_at --
-- When a show was planned to begin, as last planned.
SELECT to_jsonb(data->>'starts_at') AS value FROM event
WHERE type = 'LiveShowScheduled' AND data->>'show_id' = %(show_id)s::text AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- show_starts --
-- How often a show began.
SELECT to_jsonb(count(*)) AS value FROM event
WHERE type = 'LiveShowStarted' AND data->>'show_id' = %(show_id)s::text AND occurred_at < %(at)s::timestamptz;

-- kill_tested_at --
-- When a stop that had been thrown was last taken back. Nothing where it never was.
SELECT to_jsonb(to_char(max(e.occurred_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS value FROM event e
WHERE e.type = 'KillSwitchThrown' AND NOT (e.data->>'on')::boolean AND e.occurred_at < %(at)s::timestamptz
  AND EXISTS (SELECT FROM event t WHERE t.type = 'KillSwitchThrown' AND (t.data->>'on')::boolean
              AND t.data->>'scope' = e.data->>'scope' AND t.occurred_at <= e.occurred_at AND t.position < e.position);

-- dispute_due --
-- Until when a processor takes evidence. Nothing where it does not say.
SELECT to_jsonb(data->>'evidence_due_at') AS value FROM event
WHERE type = 'DisputeOpened' AND data->>'dispute_id' = %(dispute_id)s::text AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- dispute_evidence_sent --
-- How often evidence was sent.
SELECT to_jsonb(count(*)) AS value FROM event
WHERE type = 'EvidenceSubmitted' AND data->>'dispute_id' = %(dispute_id)s::text AND occurred_at < %(at)s::timestamptz;

-- approvals_people --
-- Who approved an action with exactly these parameters.
SELECT coalesce(jsonb_agg(DISTINCT a.data->>'approver'), '[]') AS value
FROM event p JOIN event a ON a.type = 'ActionApproved' AND a.data->>'action_id' = p.data->>'action_id'
WHERE p.type = 'ActionProposed' AND p.data->'params' = %(params)s::jsonb AND a.occurred_at < %(at)s::timestamptz;

-- approvals_at --
-- When the newest of these approvals was given.
SELECT to_jsonb(to_char(max(a.occurred_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) AS value
FROM event p JOIN event a ON a.type = 'ActionApproved' AND a.data->>'action_id' = p.data->>'action_id'
WHERE p.type = 'ActionProposed' AND p.data->'params' = %(params)s::jsonb AND a.occurred_at < %(at)s::timestamptz;

-- policy_loosened --
-- Loosening changes of any policy within the policy window.
SELECT to_jsonb(count(*)) AS value FROM event
WHERE type = 'PolicyUpdated' AND (data->>'loosens')::boolean AND occurred_at < %(at)s::timestamptz
  AND occurred_at >= %(at)s::timestamptz - make_interval(days => %(policy_window_days)s::integer);
