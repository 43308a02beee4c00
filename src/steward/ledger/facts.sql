-- account_held --
-- What each open hold would add to an account.
SELECT l.amount_minor FROM hold_open o JOIN hold_leg l USING (hold_no) JOIN account a USING (account_id)
WHERE a.code = %(code)s::text AND a.currency = %(currency)s::text AND l.amount_minor > 0 ORDER BY o.hold_no, l.line;

-- account_now --
-- An account's balance and limits as they stand.
SELECT b.amount_minor, a.floor_minor, a.ceiling_minor FROM account a JOIN balance b USING (account_id)
WHERE a.code = %(code)s::text AND a.currency = %(currency)s::text;
