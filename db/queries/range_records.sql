-- How often did issued ranges of these products hold?
-- One row: a product with a forecast or ranges; "right" of the last `most` whose days are over and that could
-- be judged, "open" ones not yet decided, and the class and test scores of its forecast.
-- Parameters: product_ids, today, most.
SELECT p.id AS product_id, f.demand_class, f.scores, held."right", held."of", waiting."open"
FROM product AS p
LEFT JOIN forecast AS f ON f.product_id = p.id AND f.warehouse_id IS NULL AND f.is_current
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE over.state = 'inside') AS "right", count(*) AS "of"
    FROM (
        SELECT r.state FROM issued_range AS r
        WHERE r.product_id = p.id AND r.state IN ('inside', 'early', 'late')
          AND coalesce(r.p90_on, r.until) < :today
        ORDER BY r.issued_on DESC
        LIMIT :most
    ) AS over
) AS held
CROSS JOIN LATERAL (
    SELECT count(*) AS "open" FROM issued_range AS r WHERE r.product_id = p.id AND r.state = 'open'
) AS waiting
WHERE p.id = ANY(CAST(:product_ids AS integer[]))
