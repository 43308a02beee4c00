-- known_bill --
-- A file of bills that was taken before, by its content.
SELECT * FROM invoice_file WHERE digest = %(digest)s AND refused = '' LIMIT 1;

-- add_bill_file --
-- A file that came in, taken or refused; the same refusal of the same content stands once.
INSERT INTO invoice_file (file_id, vendor, format, name, digest, bytes, received_at, received_by, control_total_ok,
                          controls, rejected, refused, refused_line)
VALUES (%(file_id)s, %(vendor)s, %(format)s, %(name)s, %(digest)s, %(bytes)s, %(now)s, %(by)s, %(control_total_ok)s,
        %(controls)s, %(rejected)s, %(refused)s, %(refused_line)s)
ON CONFLICT (digest, refused) DO NOTHING;

-- invoice_in_force --
-- The version of an invoice that is in force, locked.
SELECT * FROM invoice WHERE vendor = %(vendor)s AND number = %(number)s AND superseded_by IS NULL FOR UPDATE;

-- add_invoice --
-- A version of an invoice.
INSERT INTO invoice (invoice_id, file_id, vendor, number, version, issued, due, totals, lines, lines_digest, received_at)
VALUES (%(invoice_id)s, %(file_id)s, %(vendor)s, %(number)s, %(version)s, %(issued)s, %(due)s, %(totals)s, %(lines)s,
        %(lines_digest)s, %(now)s);

-- supersede_invoice --
-- An invoice that a corrected one takes the place of.
UPDATE invoice SET superseded_by = %(by)s, superseded_at = %(now)s
WHERE invoice_id = %(invoice_id)s AND superseded_by IS NULL;

-- copy_invoice_lines --
-- Lines of an invoice.
COPY invoice_line (invoice_id, number, service, subject, sku, day, at, quantity, unit_minor, amount_minor, currency)
FROM STDIN;

-- invoice_lines --
-- Every line in force, with what its invoice is called.
SELECT i.vendor, i.number, i.version, i.issued, l.number, l.service, l.subject, l.sku, l.day, l.at, l.quantity,
       l.unit_minor, l.amount_minor, l.currency
FROM invoice i JOIN invoice_line l USING (invoice_id) WHERE i.superseded_by IS NULL;

-- put_invoice_facts --
-- What happened; the same fact again changes nothing.
INSERT INTO invoice_fact (kind, key, subject, sku, party, at, quantity, amount_minor, currency, position)
SELECT r.kind, r.key, r.subject, r.sku, r.party, r.at, r.quantity, r.amount_minor, r.currency, r.position
FROM jsonb_to_recordset(%(rows)s) AS r (kind text, key text, subject text, sku text, party text, at timestamptz,
                                        quantity bigint, amount_minor bigint, currency text, position bigint)
ON CONFLICT (kind, key) DO NOTHING;

-- invoice_facts --
-- What happened by then.
SELECT kind, key, subject, sku, party, at, quantity, amount_minor, currency FROM invoice_fact WHERE at <= %(as_of)s;

-- invoices --
-- Invoices in force, newest first, with what is in dispute of each and what the books took it in at, net of tax.
WITH disputed AS (
    SELECT provider, evidence ->> 'invoice' AS number, currency, count(*) AS breaks, sum(amount_minor) AS amount
    FROM recon_break WHERE side = 'invoice' AND state = 'open' GROUP BY 1, 2, 3
), told AS (
    SELECT provider, number, sum(breaks)::integer AS breaks, jsonb_object_agg(currency, amount) AS reclaim
    FROM disputed GROUP BY 1, 2
)
SELECT i.invoice_id, i.vendor, i.number, i.version, i.issued, i.due, i.totals, i.lines, i.received_at, f.control_total_ok,
       k.amount_minor AS booked_minor, k.currency AS booked_currency,
       coalesce(t.breaks, 0) AS open_breaks, coalesce(t.reclaim, '{}') AS reclaim
FROM invoice i JOIN invoice_file f USING (file_id)
LEFT JOIN invoice_fact k ON k.kind = 'booked' AND k.key = i.vendor || '/' || i.number
LEFT JOIN told t ON t.provider = i.vendor AND t.number = i.number
WHERE i.superseded_by IS NULL AND (%(vendor)s::text IS NULL OR i.vendor = %(vendor)s::text)
ORDER BY i.received_at DESC, i.invoice_id DESC LIMIT %(limit)s;

-- refused_bills --
-- Files that were refused, newest first.
SELECT file_id, vendor, name, encode(digest, 'hex') AS sha256, received_at, refused, refused_line
FROM invoice_file WHERE refused <> '' ORDER BY received_at DESC LIMIT %(limit)s;

-- open_claims --
-- Disputes of invoices that are open, with what each is about.
SELECT b.break_id, b.type, b.provider, b.currency, b.amount_minor, b.evidence, b.suggestion, i.key
FROM recon_break b JOIN recon_break_item i USING (break_id)
WHERE b.side = 'invoice' AND b.state = 'open' AND (%(vendor)s::text IS NULL OR b.provider = %(vendor)s::text)
ORDER BY b.provider, i.key;

-- settled_claims --
-- What people resolved of invoices: the line or credit, how, and what that posted.
SELECT i.key, b.type, b.provider, b.ended_how, b.evidence FROM recon_item i JOIN recon_break b USING (break_id)
WHERE i.is_live AND i.book = 'invoice';

-- mark_audited --
-- Every bill in force was judged by this run, unless one before did.
INSERT INTO invoice_audited (invoice_id, run_id, at)
SELECT invoice_id, %(run_id)s, %(now)s FROM invoice WHERE superseded_by IS NULL
ON CONFLICT (invoice_id) DO NOTHING;
