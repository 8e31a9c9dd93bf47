-- Of which products is the forecast worst, and why? One page of the list.
-- One row: an active product with the scores of its test on the past, what its error is worth, and how often its
-- issued ranges held; total_count is that of all pages. State: ok, too_short, failed (the last training could
-- not; an older forecast may still serve), none (not trained yet).
-- Parameters: every filter may be null; sort is cost, crps, skill, coverage, bias, sku or name, descending turns
-- it round; limit, offset; today and most (of how many issued ranges).
-- (The test takes a sample of products, so those with scores are few: they alone are sorted by a score, the
-- others follow by SKU. What is not sorted by is looked up for the page only.)
WITH failing AS MATERIALIZED (
    SELECT DISTINCT ON (f.product_id) f.product_id, f.reason
    FROM forecast AS f
    WHERE f.state = 'failed' AND f.warehouse_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM forecast AS later
                      WHERE later.product_id = f.product_id AND later.warehouse_id IS NULL
                        AND later.is_current AND later.id > f.id)
    ORDER BY f.product_id, f.id DESC
), fitting AS NOT MATERIALIZED (
    SELECT p.* FROM product AS p
    WHERE p.is_active
      AND (CAST(:text_like AS text) IS NULL OR p.sku ILIKE :text_like OR p.name ILIKE :text_like)
      AND (CAST(:demand_class AS text) IS NULL
           OR p.id IN (SELECT f.product_id FROM forecast AS f
                       WHERE f.is_current AND f.warehouse_id IS NULL AND f.demand_class = :demand_class))
      AND (CAST(:state AS text) IS NULL
           OR (:state = 'failed') = (p.id IN (SELECT failing.product_id FROM failing)))
      AND (CAST(:state AS text) IS NULL OR :state = 'failed'
           OR (:state = 'none') = (p.id NOT IN (
               SELECT f.product_id FROM forecast AS f
               WHERE f.is_current AND f.warehouse_id IS NULL AND (f.state = :state OR :state = 'none'))))
), tested AS MATERIALIZED (
    SELECT p.id, p.sku,
           CASE :sort
               WHEN 'cost' THEN CAST(f.scores ->> 'crps' AS double precision)
                   * CAST(f.daily_rate * coalesce(p.unit_price, p.unit_cost, 0) AS double precision)
               ELSE CAST(f.scores ->> :sort AS double precision)
           END AS number
    FROM forecast AS f
    JOIN fitting AS p ON p.id = f.product_id
    WHERE f.is_current AND f.warehouse_id IS NULL AND f.scores -> 'tasks' IS NOT NULL
      AND :sort NOT IN ('sku', 'name')
), others AS (
    SELECT p.id, p.sku, CASE WHEN :sort = 'name' THEN lower(p.name) ELSE p.sku END AS word
    FROM fitting AS p
    WHERE :sort IN ('sku', 'name') OR p.id NOT IN (SELECT tested.id FROM tested)
    ORDER BY CASE WHEN NOT :descending OR :sort NOT IN ('sku', 'name')
                  THEN CASE WHEN :sort = 'name' THEN lower(p.name) ELSE p.sku END END,
             CASE WHEN :descending AND :sort IN ('sku', 'name')
                  THEN CASE WHEN :sort = 'name' THEN lower(p.name) ELSE p.sku END END DESC,
             p.sku
    LIMIT :limit + :offset
), page AS (
    SELECT sorted.id, row_number() OVER () AS place
    FROM (
        SELECT chosen.id
        FROM (
            SELECT tested.id, 1 AS part, tested.number, CAST(NULL AS text) AS word, tested.sku FROM tested
            UNION ALL
            SELECT others.id, 2, NULL, others.word, others.sku FROM others
        ) AS chosen
        ORDER BY chosen.part,
                 CASE WHEN :descending THEN NULL ELSE chosen.number END NULLS LAST,
                 CASE WHEN :descending THEN chosen.number END DESC NULLS LAST,
                 CASE WHEN NOT :descending OR :sort NOT IN ('sku', 'name') THEN chosen.word END,
                 CASE WHEN :descending THEN chosen.word END DESC,
                 chosen.sku
        LIMIT :limit OFFSET :offset
    ) AS sorted
)
SELECT p.id AS product_id, p.uid, p.sku, p.name, p.category,
       CASE WHEN failing.product_id IS NOT NULL THEN 'failed' ELSE coalesce(f.state, 'none') END AS state,
       f.demand_class, f.method, f.history_days, f.demand_days, f.would_help,
       coalesce(failing.reason, f.reason, 'not trained yet') AS reason,
       figure.tasks, figure.crps, figure.crps_naive, figure.skill, figure.coverage, figure.bias, figure.mase,
       figure.mase_naive, f.daily_rate, worth.sales_a_day,
       CAST(figure.crps AS numeric) * worth.sales_a_day AS cost,
       r.money_at_risk, r.status, held.issued_right, held.issued_of,
       (SELECT count(*) FROM fitting) AS total_count
FROM page
JOIN product AS p ON p.id = page.id
LEFT JOIN forecast AS f ON f.product_id = p.id AND f.warehouse_id IS NULL AND f.is_current
LEFT JOIN failing ON failing.product_id = p.id
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
