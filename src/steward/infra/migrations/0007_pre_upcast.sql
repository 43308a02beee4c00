-- Older payload versions read as the current one: the twin of events/core/upcast.py, which says why.

-- One CASE of immutable operators, so that PostgreSQL puts it into the query instead of calling it for every row.
-- The common rows of each version pass through with at most one concatenation.
CREATE FUNCTION upcast_event(event_type text, version integer, data jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN version <> 1 THEN data
    WHEN event_type = 'OrderPlaced' THEN
        CASE WHEN jsonb_typeof(data->'channel') = 'string' THEN data
             ELSE data || '{"channel": "unknown"}'::jsonb END
        - CASE WHEN data ?| '{customer,person_id,person_digest,discount_minor}'::text[] THEN ARRAY[
            'customer',
            CASE WHEN jsonb_typeof(data->'person_id') = 'null' THEN NULL
                 WHEN jsonb_typeof(data->'person_id') = 'string'
                    AND length(data->>'person_id') BETWEEN 1 AND 256 THEN NULL ELSE 'person_id' END,
            CASE WHEN jsonb_typeof(data->'person_digest') = 'null' THEN NULL
                 WHEN jsonb_typeof(data->'person_digest') = 'string'
                    AND data->>'person_digest' ~ '^[0-9a-f]{64}$' THEN NULL ELSE 'person_digest' END,
            CASE WHEN jsonb_typeof(data->'discount_minor') <> 'number' THEN 'discount_minor'
                 WHEN (data->>'discount_minor')::numeric NOT BETWEEN 0 AND 1000000000000000 THEN 'discount_minor' END
        ] ELSE '{}'::text[] END
    WHEN event_type = 'RefundProcessed' THEN
        CASE WHEN data->'method' IN ('"original"'::jsonb, '"store_credit"'::jsonb, '"other"'::jsonb, '"unknown"'::jsonb)
             THEN data ELSE data || '{"method": "unknown"}'::jsonb END
        - CASE WHEN data ?| '{customer,person_id,person_digest}'::text[] THEN ARRAY[
            'customer',
            CASE WHEN jsonb_typeof(data->'person_id') = 'null' THEN NULL
                 WHEN jsonb_typeof(data->'person_id') = 'string'
                    AND length(data->>'person_id') BETWEEN 1 AND 256 THEN NULL ELSE 'person_id' END,
            CASE WHEN jsonb_typeof(data->'person_digest') = 'null' THEN NULL
                 WHEN jsonb_typeof(data->'person_digest') = 'string'
                    AND data->>'person_digest' ~ '^[0-9a-f]{64}$' THEN NULL ELSE 'person_digest' END
        ] ELSE '{}'::text[] END
    WHEN event_type = 'TicketOpened' THEN
        data - 'message' || CASE WHEN jsonb_typeof(data->'message') = 'string'
            THEN jsonb_set('{"messages": [{"author": "customer", "text": ""}]}'::jsonb, '{messages,0,text}'::text[],
                data->'message')
            ELSE '{"messages": []}'::jsonb END
    ELSE data
END;
GRANT EXECUTE ON FUNCTION upcast_event(text, integer, jsonb) TO steward_app;
