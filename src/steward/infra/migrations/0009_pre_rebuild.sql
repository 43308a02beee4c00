-- Read models are emptied whole and filled without indexes, which are made afterwards: several times faster than
-- keeping them up row by row. All of it is transactional: until the rebuild commits, everybody sees the old models.

GRANT TRUNCATE ON sale, sale_line, refund, refund_link TO steward_app;

CREATE FUNCTION state_bare() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    TRUNCATE refund_link, refund, sale, sale_line;
    DROP INDEX sale_line_by_customer, sale_line_by_sku, sale_by_time;
    ALTER TABLE sale_line DROP CONSTRAINT sale_line_pkey;
    ALTER TABLE sale DROP CONSTRAINT sale_pkey;
$$;

CREATE FUNCTION state_indexed() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    ALTER TABLE sale ADD CONSTRAINT sale_pkey PRIMARY KEY (order_id);
    ALTER TABLE sale_line ADD CONSTRAINT sale_line_pkey PRIMARY KEY (order_id, line);
    CREATE INDEX sale_by_time ON sale (occurred_at);
    CREATE INDEX sale_line_by_customer ON sale_line (customer_id, sku, occurred_at);
    CREATE INDEX sale_line_by_sku ON sale_line (sku, occurred_at);
    ANALYZE sale, sale_line, refund;  -- plans for what follows in this transaction
END $$;

REVOKE ALL ON FUNCTION state_bare(), state_indexed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION state_bare(), state_indexed() TO steward_app;
