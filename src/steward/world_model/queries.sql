-- insert_forecast --
-- A forecast, written before its outcome is known.
INSERT INTO forecast (forecast_id, action_id, option, quantity, low, mid, high, level, horizon_end, basis)
VALUES (%(forecast_id)s, %(action_id)s, %(option)s, %(quantity)s, %(low)s, %(mid)s, %(high)s, %(level)s,
        %(horizon_end)s, %(basis)s);

-- of_action --
-- The forecasts of one action, with what happened where it is known.
SELECT f.forecast_id, f.action_id, f.option, f.quantity, f.low, f.mid, f.high, f.level, f.horizon_end, f.basis,
       s.actual, s.baseline
FROM forecast f LEFT JOIN forecast_settlement s USING (forecast_id)
WHERE f.action_id = %(action_id)s ORDER BY f.option DESC;

-- unsettled --
-- Forecasts of the option that history took, whose horizon has ended, oldest first.
SELECT f.forecast_id, f.action_id, f.option, f.quantity, f.low, f.mid, f.high, f.level, f.horizon_end, f.basis
FROM forecast f LEFT JOIN forecast_settlement s USING (forecast_id)
WHERE s.forecast_id IS NULL AND f.horizon_end <= %(until)s AND (f.basis->>'settles')::boolean
ORDER BY f.horizon_end, f.forecast_id LIMIT %(limit)s;

-- settle --
-- What happened beside what was forecast.
INSERT INTO forecast_settlement (forecast_id, actual, baseline) VALUES (%(forecast_id)s, %(actual)s, %(baseline)s);

-- scores --
-- Absolute errors of forecasts and of "no change", and how often the interval held, by quantity.
SELECT f.quantity, count(*) AS settled, sum(abs(s.actual - f.mid))::bigint AS error,
       sum(abs(s.actual - s.baseline))::bigint AS baseline_error, sum(abs(s.actual))::bigint AS actual,
       count(*) FILTER (WHERE s.actual BETWEEN f.low AND f.high) AS covered, min(f.level) AS level
FROM forecast f JOIN forecast_settlement s USING (forecast_id)
GROUP BY f.quantity ORDER BY f.quantity;
