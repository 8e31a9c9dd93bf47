-- Which run-out ranges say something new today? They are kept, to be held against what happens.
-- One row: a product whose range was issued, by its run-out of today and the stock of its morning.
-- Not where stock came or was counted since the morning: then the range speaks of another stock than the day
-- began with, and the day's demand cannot be split. It is issued tomorrow.
-- Parameters: today, horizon_days (how far forecasts reach), again_days (after which the same is said again).
WITH promised AS (
    SELECT r.product_id, r.p10_on, r.p50_on, r.p90_on, r.chance_14, r.due, f.method, f.demand_class,
           f.as_of + CAST(:horizon_days AS integer) AS until
    FROM run_out AS r
    JOIN forecast AS f ON f.id = r.forecast_id AND f.state = 'ok'
    JOIN product AS p ON p.id = r.product_id AND p.is_active
    WHERE r.warehouse_id IS NULL AND r.as_of = :today AND r.status <> 'out'
      AND r.p10_on IS NOT NULL AND r.chance_14 IS NOT NULL
), since_morning AS (
    SELECT s.product_id, sum(s.demand) AS demand, sum(s.receipts) AS receipts, sum(s.other) AS other
    FROM stock_day AS s WHERE s.day >= :today GROUP BY s.product_id
), morning AS (
    SELECT level.product_id, sum(level.quantity) AS quantity FROM stock_level AS level GROUP BY level.product_id
)
INSERT INTO issued_range (product_id, issued_on, method, demand_class, on_hand, due, p10_on, p50_on, p90_on,
                          until, chance_14)
SELECT promised.product_id, :today, coalesce(promised.method, ''), promised.demand_class,
       morning.quantity + coalesce(since.demand, 0), promised.due, promised.p10_on, promised.p50_on,
       promised.p90_on, promised.until, promised.chance_14
FROM promised
JOIN morning ON morning.product_id = promised.product_id
LEFT JOIN since_morning AS since ON since.product_id = promised.product_id
LEFT JOIN LATERAL (
    SELECT i.issued_on, i.p10_on, i.p50_on, i.p90_on FROM issued_range AS i
    WHERE i.product_id = promised.product_id
    ORDER BY i.issued_on DESC LIMIT 1
) AS last ON true
WHERE morning.quantity + coalesce(since.demand, 0) > 0
  AND coalesce(since.receipts, 0) = 0 AND coalesce(since.other, 0) = 0
  AND (last.issued_on IS NULL
       OR (last.issued_on < :today
           AND ((last.p10_on, last.p50_on, last.p90_on)
                IS DISTINCT FROM (promised.p10_on, promised.p50_on, promised.p90_on)
                OR last.issued_on <= CAST(:today AS date) - CAST(:again_days AS integer))))
ON CONFLICT (product_id, issued_on) DO NOTHING
RETURNING product_id
