-- Of which products is the forecast worst, and why? One page of the list.
-- One row: an active product with the scores of its test on the past, what its error is worth, and how often its
-- issued ranges held; total_count is that of all pages. State: ok, too_short, failed (the last training could
-- not; an older forecast may still serve), none (not trained yet).
-- Parameters: every filter may be null; sort is one of the names below, descending turns it round; limit,
-- offset; today and most (of how many issued ranges).
-- (Scores are few: the test takes a sample of products. What is not sorted by is looked up for the page only.)
WITH failing AS MATERIALIZED (
    SELECT DISTINCT ON (f.product_id) f.product_id, f.id, f.created_at
    FROM forecast AS f
    WHERE f.state = 'failed' AND f.warehouse_id IS NULL
    ORDER BY f.product_id, f.id DESC
), matching AS MATERIALIZED (
    SELECT p.id, p.sku, f.id AS forecast_id, failing.id AS failing_id, key.word, key.number
    FROM product AS p
    LEFT JOIN forecast AS f ON f.product_id = p.id AND f.warehouse_id IS NULL AND f.is_current
    LEFT JOIN failing ON failing.product_id = p.id AND failing.created_at >= coalesce(f.created_at, '-infinity')
    CROSS JOIN LATERAL (
        SELECT CASE :sort WHEN 'sku' THEN p.sku WHEN 'name' THEN lower(p.name) END AS word,
               CASE :sort
                   WHEN 'cost' THEN CAST(f.scores ->> 'crps' AS double precision)
                       * CAST(f.daily_rate * coalesce(p.unit_price, p.unit_cost, 0) AS double precision)
                   WHEN 'crps' THEN CAST(f.scores ->> 'crps' AS double precision)
                   WHEN 'skill' THEN CAST(f.scores ->> 'skill' AS double precision)
                   WHEN 'coverage' THEN CAST(f.scores ->> 'coverage' AS double precision)
                   WHEN 'bias' THEN CAST(f.scores ->> 'bias' AS double precision)
                   WHEN 'money_at_risk' THEN (
                       SELECT CAST(r.money_at_risk AS double precision) FROM run_out AS r
                       WHERE r.product_id = p.id AND r.warehouse_id IS NULL)
               END AS number
    ) AS key
    WHERE p.is_active
      AND (CAST(:demand_class AS text) IS NULL OR f.demand_class = :demand_class)
      AND (CAST(:state AS text) IS NULL
           OR CASE WHEN failing.id IS NOT NULL THEN 'failed' ELSE coalesce(f.state, 'none') END = :state)
      AND (CAST(:text_like AS text) IS NULL OR p.sku ILIKE :text_like OR p.name ILIKE :text_like)
), page AS (
    SELECT chosen.*, row_number() OVER () AS place
    FROM (
        SELECT id, forecast_id, failing_id FROM matching
        ORDER BY CASE WHEN :descending THEN NULL ELSE word END ASC NULLS LAST,
                 CASE WHEN :descending THEN word END DESC NULLS LAST,
                 CASE WHEN :descending THEN NULL ELSE number END ASC NULLS LAST,
                 CASE WHEN :descending THEN number END DESC NULLS LAST,
                 sku
        LIMIT :limit OFFSET :offset
    ) AS chosen
)
SELECT p.id AS product_id, p.uid, p.sku, p.name, p.category,
       CASE WHEN failing.id IS NOT NULL THEN 'failed' ELSE coalesce(f.state, 'none') END AS state,
       f.demand_class, f.method, f.history_days, f.demand_days, f.would_help,
       coalesce(failing.reason, f.reason, 'not trained yet') AS reason,
       figure.tasks, figure.crps, figure.crps_naive, figure.skill, figure.coverage, figure.bias, figure.mase,
       figure.mase_naive, f.daily_rate, worth.sales_a_day,
       CAST(figure.crps AS numeric) * worth.sales_a_day AS cost,
       r.money_at_risk, r.status, held.issued_right, held.issued_of,
       (SELECT count(*) FROM matching) AS total_count
FROM page
JOIN product AS p ON p.id = page.id
LEFT JOIN forecast AS f ON f.id = page.forecast_id
LEFT JOIN forecast AS failing ON failing.id = page.failing_id
LEFT JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL
CROSS JOIN LATERAL (
    SELECT CAST(f.scores ->> 'tasks' AS double precision) AS tasks,
           CAST(f.scores ->> 'crps' AS double precision) AS crps,
           CAST(f.scores ->> 'crps_naive' AS double precision) AS crps_naive,
           CAST(f.scores ->> 'skill' AS double precision) AS skill,
           CAST(f.scores ->> 'coverage' AS double precision) AS coverage,
           CAST(f.scores ->> 'bias' AS double precision) AS bias,
           CAST(f.scores ->> 'mase' AS double precision) AS mase,
           CAST(f.scores ->> 'mase_naive' AS double precision) AS mase_naive
) AS figure
CROSS JOIN LATERAL (
    SELECT f.daily_rate * coalesce(p.unit_price, p.unit_cost) AS sales_a_day
) AS worth
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE over.state = 'inside') AS issued_right, count(*) AS issued_of
    FROM (
        SELECT i.state FROM issued_range AS i
        WHERE i.product_id = p.id AND i.state IN ('inside', 'early', 'late')
          AND coalesce(i.p90_on, i.until) < :today
        ORDER BY i.issued_on DESC
        LIMIT :most
    ) AS over
) AS held
ORDER BY page.place
