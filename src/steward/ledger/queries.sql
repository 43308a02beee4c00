-- open_accounts --
-- Account ids by code and currency; opens what does not exist yet.
SELECT o_account_id, o_code, o_currency
FROM ledger_open(%(codes)s::text[], %(currencies)s::text[], %(normals)s::text[]);

-- post --
-- Post a batch; returns only the lines that were not posted, each with its code.
SELECT o_line, o_code FROM ledger_post(
    %(ids)s::uuid[], %(keys)s::text[], %(kinds)s::text[], %(sources)s::text[], %(effective)s::timestamptz[],
    %(bodies)s::bytea[], %(rows)s::bytea[], %(recorded)s::timestamptz, %(batch)s::text,
    %(leg_transfer)s::integer[], %(leg_account)s::integer[], %(leg_amount)s::bigint[]);

-- balances --
-- Every account with its balance, as of now or as of an effective time.
SELECT a.code, a.currency, a.normal,
       coalesce(sum(p.amount_minor), 0)::bigint AS amount_minor, count(p.*) AS postings
FROM account a
LEFT JOIN (SELECT p.account_id, p.amount_minor FROM posting p JOIN transfer t USING (transfer_id)
           WHERE %(as_of)s::timestamptz IS NULL OR t.effective_at < %(as_of)s::timestamptz) p USING (account_id)
GROUP BY a.account_id, a.code, a.currency, a.normal ORDER BY a.code, a.currency;

-- trial_balance --
-- Zero per currency, or the books are wrong.
SELECT a.currency, sum(b.amount_minor)::bigint AS amount_minor
FROM balance b JOIN account a USING (account_id) GROUP BY a.currency ORDER BY a.currency;

-- transfer_count --
-- How many transfers are posted.
SELECT count(*) AS transfers FROM transfer;

-- stored_balances --
-- The balance rows the trigger keeps.
SELECT b.account_id, a.code, a.currency, b.amount_minor, b.version FROM balance b JOIN account a USING (account_id)
ORDER BY b.account_id;

-- postings --
-- Every posting in chain order.
SELECT p.account_id, p.version, p.transfer_id, p.line, p.amount_minor, p.balance_after, a.code, a.currency
FROM posting p JOIN account a USING (account_id) ORDER BY p.account_id, p.version;

-- transfers --
-- Every transfer in posted order.
SELECT transfer_id, idempotency_key, kind, source, effective_at, recorded_at, batch, batch_line, body_digest,
       row_digest
FROM transfer ORDER BY batch, batch_line;

-- journal --
-- Every posting with its transfer, in posted order: by the version its first account had.
SELECT t.transfer_id, t.kind, t.source, t.effective_at, p.line, a.code, a.currency, p.amount_minor, p.balance_after
FROM transfer t JOIN posting p USING (transfer_id) JOIN account a USING (account_id)
ORDER BY t.batch, t.batch_line, p.line;
