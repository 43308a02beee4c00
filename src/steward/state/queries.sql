-- project_sales --
-- Orders after a position into the sale and sale_line read models, set-based.
WITH placed AS (
    SELECT position, occurred_at, upcast_event(type, schema_version, data) AS data FROM event
    WHERE type = 'OrderPlaced' AND position > %(after)s AND position <= %(until)s
), sales AS (
    INSERT INTO sale (order_id, customer_id, total_minor, units, currency, occurred_at, position)
    SELECT data->>'order_id', data->>'customer_id', (data->>'total_minor')::bigint,
           coalesce((SELECT sum((l->>'quantity')::bigint) FROM jsonb_array_elements(data->'lines') l), 0),
           data->>'currency', occurred_at, position
    FROM placed ON CONFLICT (order_id) DO NOTHING
)
INSERT INTO sale_line (order_id, line, sku, customer_id, quantity, total_minor, currency, occurred_at, position)
SELECT p.data->>'order_id', l.line, l.item->>'sku', p.data->>'customer_id', (l.item->>'quantity')::bigint,
       (l.item->>'total_minor')::bigint, p.data->>'currency', p.occurred_at, p.position
FROM placed p, jsonb_array_elements(p.data->'lines') WITH ORDINALITY AS l (item, line)
ON CONFLICT (order_id, line) DO NOTHING;

-- project_refunds --
-- Refunds after a position into the refund read model, set-based; their links are computed by link().
INSERT INTO refund (refund_id, customer_id, amount_minor, currency, lines, occurred_at, position)
SELECT data->>'refund_id', data->>'customer_id', (data->>'amount_minor')::bigint, data->>'currency',
       coalesce(data->'lines', '[]'), occurred_at, position
FROM (SELECT type, upcast_event(type, schema_version, data) AS data, occurred_at, position FROM event) e
WHERE type = 'RefundProcessed' AND position > %(after)s AND position <= %(until)s
ON CONFLICT (refund_id) DO NOTHING;

-- refunds_between --
-- Refunds by time, oldest first.
SELECT refund_id, customer_id, amount_minor, currency, lines, occurred_at, position FROM refund
WHERE occurred_at >= %(since)s AND occurred_at < %(until)s ORDER BY occurred_at, position;

-- unlinked_refunds --
-- Refunds of a position range with a customer, oldest first, after a place among them.
SELECT refund_id, customer_id, lines, occurred_at, position FROM refund
WHERE customer_id IS NOT NULL AND position > %(after)s AND position <= %(until)s
  AND (occurred_at, position) > (%(last_at)s::timestamptz, %(last_position)s::bigint)
ORDER BY occurred_at, position LIMIT %(limit)s;

-- bought --
-- Everything these customers ever bought of these products, newest first.
SELECT s.customer_id, s.order_id, s.line, s.sku, s.quantity, s.total_minor, s.occurred_at, s.position
FROM unnest(%(customers)s::text[], %(skus)s::text[]) AS w (customer_id, sku)
JOIN sale_line s USING (customer_id, sku)
ORDER BY s.occurred_at DESC, s.position DESC, s.line DESC;

-- linked --
-- What refunds took from these purchases already.
SELECT l.order_id, l.line, l.occurred_at, l.position, l.quantity, l.amount_minor
FROM unnest(%(orders)s::text[], %(lines)s::integer[]) AS p (order_id, line)
JOIN refund_link l USING (order_id, line);

-- purchases --
-- A customer's purchases of some products before an instant, newest first, with what is refunded of each by then.
SELECT s.order_id, s.line, s.sku, s.quantity, s.total_minor,
       coalesce(r.quantity, 0)::bigint AS refunded_quantity, coalesce(r.amount_minor, 0)::bigint AS refunded_minor
FROM sale_line s
LEFT JOIN LATERAL (
    SELECT sum(l.quantity) AS quantity, sum(l.amount_minor) AS amount_minor FROM refund_link l
    WHERE l.order_id = s.order_id AND l.line = s.line
      AND (l.occurred_at, l.position) < (%(at)s::timestamptz, %(position)s::bigint)
) r ON true
WHERE s.customer_id = %(customer)s AND s.sku = ANY (%(skus)s::text[])
  AND (s.occurred_at, s.position) < (%(at)s::timestamptz, %(position)s::bigint)
ORDER BY s.occurred_at DESC, s.position DESC, s.line DESC;

-- insert_links --
-- The parts of processed refunds.
INSERT INTO refund_link (refund_id, part, order_id, line, sku, quantity, amount_minor, occurred_at, position)
SELECT l.refund_id, l.part, l.order_id, l.line, l.sku, l.quantity, l.amount_minor, l.occurred_at, l.position
FROM jsonb_to_recordset(%(rows)s::jsonb) AS l (refund_id text, part integer, order_id text, line integer, sku text,
    quantity bigint, amount_minor bigint, occurred_at timestamptz, position bigint)
ON CONFLICT (refund_id, part) DO NOTHING;

-- refunded_between --
-- Money refunded in a span of time, up to a place in it.
SELECT coalesce(sum(amount_minor), 0)::bigint AS amount_minor, count(*) AS refunds FROM refund
WHERE occurred_at >= %(since)s AND occurred_at < %(until)s;

-- customer_refunds --
-- How many refunds a customer had in a span of time before a place in the log.
SELECT count(*) AS refunds FROM refund
WHERE customer_id = %(customer)s AND occurred_at >= %(since)s
  AND (occurred_at, position) < (%(at)s::timestamptz, %(position)s::bigint);

-- metrics --
-- What a snapshot holds: orders, sales and refunds of the day and of the seven days before an instant, and all time.
SELECT
    (SELECT count(*) FROM sale WHERE occurred_at >= %(day)s AND occurred_at < %(at)s) AS orders_today,
    (SELECT coalesce(sum(total_minor), 0) FROM sale
     WHERE occurred_at >= %(day)s AND occurred_at < %(at)s)::bigint AS sales_today_minor,
    (SELECT count(*) FROM sale WHERE occurred_at >= %(week)s AND occurred_at < %(at)s) AS orders_7d,
    (SELECT coalesce(sum(total_minor), 0) FROM sale
     WHERE occurred_at >= %(week)s AND occurred_at < %(at)s)::bigint AS sales_7d_minor,
    (SELECT count(DISTINCT customer_id) FROM sale
     WHERE occurred_at >= %(week)s AND occurred_at < %(at)s) AS customers_7d,
    (SELECT count(*) FROM refund WHERE occurred_at >= %(day)s AND occurred_at < %(at)s) AS refunds_today,
    (SELECT coalesce(sum(amount_minor), 0) FROM refund
     WHERE occurred_at >= %(day)s AND occurred_at < %(at)s)::bigint AS refunds_today_minor,
    (SELECT count(*) FROM refund WHERE occurred_at >= %(week)s AND occurred_at < %(at)s) AS refunds_7d,
    (SELECT coalesce(sum(amount_minor), 0) FROM refund
     WHERE occurred_at >= %(week)s AND occurred_at < %(at)s)::bigint AS refunds_7d_minor;

-- insert_snapshot --
-- The same hour is the same snapshot. No column is named: of two that take it at once, one may meet the other in either
-- of the unique indexes.
INSERT INTO snapshot (snapshot_id, as_of, currency, metrics, digest)
VALUES (%(snapshot_id)s, %(as_of)s, %(currency)s, %(metrics)s, %(digest)s)
ON CONFLICT DO NOTHING RETURNING snapshot_id;

-- get_snapshot --
-- The snapshot of an instant.
SELECT snapshot_id, as_of, currency, metrics, digest FROM snapshot WHERE as_of = %(as_of)s;

-- all_snapshots --
-- Every snapshot, oldest first.
SELECT snapshot_id, as_of, currency, metrics, digest FROM snapshot ORDER BY as_of;

-- span --
-- The first and last instant of what was sold or refunded.
SELECT min(occurred_at) AS first_at, max(occurred_at) AS last_at
FROM (SELECT occurred_at FROM sale UNION ALL SELECT occurred_at FROM refund) o;

-- totals --
-- Orders, units and value; refunds and value: the figures an outsider can recompute from the file.
SELECT (SELECT count(*) FROM sale) AS orders,
       (SELECT coalesce(sum(units), 0) FROM sale)::bigint AS units,
       (SELECT coalesce(sum(total_minor), 0) FROM sale)::bigint AS order_value_minor,
       (SELECT count(*) FROM refund) AS refunds,
       (SELECT coalesce(sum(amount_minor), 0) FROM refund)::bigint AS refund_value_minor;

-- weekly_sales --
-- Units, lines and the usual price of each product in each whole week before an instant. The usual price is the
-- median over lines of what a unit cost; weeks count back from the instant, so week -1 is the last whole one.
SELECT sku, floor(extract(epoch FROM occurred_at - %(at)s::timestamptz) / 604800)::integer AS week,
       sum(quantity)::bigint AS units, count(*) AS lines,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY total_minor / quantity)::bigint AS price_minor
FROM sale_line
WHERE quantity > 0 AND total_minor > 0 AND occurred_at >= %(since)s AND occurred_at < %(at)s
GROUP BY sku, week ORDER BY sku, week;

-- price_spreads --
-- What customers really paid for a unit of each product (or of one) in a span: deciles over order lines. The middle
-- one is the usual price.
SELECT sku, percentile_disc(0.1) WITHIN GROUP (ORDER BY total_minor / quantity)::bigint AS low_minor,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY total_minor / quantity)::bigint AS mid_minor,
       percentile_disc(0.9) WITHIN GROUP (ORDER BY total_minor / quantity)::bigint AS high_minor,
       count(*) AS lines
FROM sale_line
WHERE (%(sku)s::text IS NULL OR sku = %(sku)s::text) AND quantity > 0 AND total_minor >= quantity
  AND occurred_at >= %(since)s AND occurred_at < %(at)s
GROUP BY sku;

-- sku_units --
-- Units of one product sold in a span of time.
SELECT coalesce(sum(quantity), 0)::bigint AS units
FROM sale_line
WHERE sku = %(sku)s AND quantity > 0 AND total_minor > 0 AND occurred_at >= %(since)s AND occurred_at < %(until)s;

-- daily_refunds --
-- Money refunded after a time of day until midnight, day by day.
SELECT date_trunc('day', occurred_at) AS day, sum(amount_minor)::bigint AS amount_minor
FROM refund
WHERE occurred_at >= %(since)s AND occurred_at < %(until)s
  AND occurred_at - date_trunc('day', occurred_at) >= %(after)s::interval
GROUP BY day ORDER BY day;

-- wipe --
-- Forget the read models, to rebuild them from the log.
TRUNCATE refund_link, refund, sale, sale_line;

-- bare --
-- The same, and no indexes until `indexed`.
SELECT state_bare();

-- indexed --
-- The indexes of filled read models. An order that was placed twice is a unique violation.
SELECT state_indexed();

-- fill_sales --
-- Every order up to a position, where no index is kept.
INSERT INTO sale (order_id, customer_id, total_minor, units, currency, occurred_at, position)
SELECT data->>'order_id', data->>'customer_id', (data->>'total_minor')::bigint,
       coalesce((SELECT sum((l->>'quantity')::bigint) FROM jsonb_array_elements(data->'lines') l), 0),
       data->>'currency', occurred_at, position
FROM (SELECT position, occurred_at, upcast_event(type, schema_version, data) AS data FROM event
      WHERE type = 'OrderPlaced' AND position <= %(until)s) placed;

-- fill_sale_lines --
-- Every line of every order up to a position, where no index is kept.
INSERT INTO sale_line (order_id, line, sku, customer_id, quantity, total_minor, currency, occurred_at, position)
SELECT p.data->>'order_id', l.line, l.item->>'sku', p.data->>'customer_id', (l.item->>'quantity')::bigint,
       (l.item->>'total_minor')::bigint, p.data->>'currency', p.occurred_at, p.position
FROM (SELECT position, occurred_at, upcast_event(type, schema_version, data) AS data FROM event
      WHERE type = 'OrderPlaced' AND position <= %(until)s) p,
     jsonb_array_elements(p.data->'lines') WITH ORDINALITY AS l (item, line);

-- processed_refunds --
-- Which of these refunds were processed before an instant.
SELECT refund_id FROM refund WHERE refund_id = ANY (%(refund_ids)s::text[]) AND occurred_at < %(at)s;

-- show_skus --
-- The products of a show, as last planned.
SELECT data->'skus' AS value FROM event
WHERE type = 'LiveShowScheduled' AND data->>'show_id' = %(show_id)s::text AND occurred_at < %(at)s::timestamptz
ORDER BY occurred_at DESC, position DESC LIMIT 1;

-- happened --
-- Which of these ids an event of a type names.
SELECT coalesce(jsonb_agg(DISTINCT data->>%(field)s::text), '[]') AS value FROM event
WHERE type = %(type)s::text AND data->>%(field)s::text = ANY (%(ids)s::text[]) AND occurred_at < %(at)s::timestamptz;

-- discount_most --
-- The largest share that discounts took off an order in a span, in ten-thousandths rounded up. Nothing without orders.
SELECT to_jsonb(max(ceil(10000 * coalesce((data->>'discount_minor')::numeric, 0)
                         / nullif((data->>'total_minor')::numeric + coalesce((data->>'discount_minor')::numeric, 0), 0)))::bigint)
       AS value
FROM event
WHERE type = 'OrderPlaced' AND occurred_at >= %(since)s::timestamptz AND occurred_at < %(at)s::timestamptz
  AND (data->>'total_minor')::bigint > 0;

-- weekly_money --
-- Sales, refunds, captures and disputes of each whole week before an instant, newest first, in one currency.
SELECT coalesce(jsonb_agg(jsonb_build_object('sales', w.sales, 'refunds', w.refunds, 'captures', w.captures,
                                             'disputes', w.disputes) ORDER BY w.week), '[]') AS value
FROM (
    SELECT n AS week,
           (SELECT coalesce(sum(total_minor), 0) FROM sale WHERE total_minor > 0 AND occurred_at >= b.low AND occurred_at < b.high)::bigint AS sales,
           (SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE occurred_at >= b.low AND occurred_at < b.high)::bigint AS refunds,
           (SELECT count(*) FROM event WHERE type = 'PaymentCaptured' AND occurred_at >= b.low AND occurred_at < b.high) AS captures,
           (SELECT count(*) FROM event WHERE type = 'DisputeOpened' AND occurred_at >= b.low AND occurred_at < b.high) AS disputes
    FROM generate_series(1, %(weeks)s::integer) n
    CROSS JOIN LATERAL (SELECT %(at)s::timestamptz - n * interval '7 days' AS low,
                               %(at)s::timestamptz - (n - 1) * interval '7 days' AS high) b
) w;

-- orders_touched --
-- What was sold, given back, disputed and credited of some orders, as a place in the log sees it.
SELECT o.order_id,
       (SELECT coalesce(sum(s.total_minor), 0) FROM sale_line s WHERE s.order_id = o.order_id)::bigint AS captured_minor,
       (SELECT coalesce(sum(l.amount_minor), 0) FROM refund_link l WHERE l.order_id = o.order_id
        AND (l.occurred_at, l.position) < (%(at)s::timestamptz, %(position)s::bigint))::bigint AS refunded_minor,
       (SELECT coalesce(sum((d.data->>'amount_minor')::bigint), 0) FROM event d
        WHERE d.type = 'DisputeOpened' AND d.data->>'order_id' = o.order_id AND d.occurred_at < %(at)s::timestamptz
          AND NOT EXISTS (SELECT FROM event w WHERE w.type = 'DisputeResolved' AND w.data->>'outcome' = 'won'
                          AND w.data->>'dispute_id' = d.data->>'dispute_id'
                          AND w.occurred_at < %(at)s::timestamptz))::bigint AS disputed_minor,
       (SELECT coalesce(sum((c.data->>'amount_minor')::bigint), 0) FROM event c
        WHERE c.type = 'StoreCreditIssued' AND c.data->>'order_id' = o.order_id AND c.data->>'refund_id' IS NULL
          AND c.occurred_at < %(at)s::timestamptz)::bigint AS credited_minor
FROM unnest(%(orders)s::text[]) AS o (order_id) ORDER BY o.order_id;
