-- Which products have moved since their forecast was made, or been told something new about?
-- One row: an active product without a forecast; or one that moved after its forecast's data; or of which demand
-- was left out or counted again, whose predecessor was set, or about which an event was told, changed or removed,
-- since its forecast was made. What is true of a predecessor is true of the product. Somebody may have said so while
-- a training, which takes 6 hours at most, had looked already and not yet written: such a product comes again.
-- Parameters: until (the last whole day).
WITH RECURSIVE line (product_id, source_id, steps) AS (
    SELECT p.id, p.id, 0 FROM product AS p WHERE p.is_active
    UNION ALL
    SELECT line.product_id, p.predecessor_id, line.steps + 1
    FROM line JOIN product AS p ON p.id = line.source_id
    WHERE p.predecessor_id IS NOT NULL AND line.steps < 10
), known AS (
    SELECT p.id, f.id AS forecast_id, f.as_of, f.created_at - interval '6 hours' AS looked_at
    FROM product AS p
    LEFT JOIN forecast AS f ON f.product_id = p.id AND f.warehouse_id IS NULL AND f.is_current
    WHERE p.is_active
), moved AS (
    SELECT line.product_id, max(newest.day) AS day
    FROM line
    JOIN (
        SELECT s.product_id, max(s.day) AS day FROM stock_day AS s
        WHERE s.day > (SELECT min(known.as_of) FROM known) AND s.day <= :until
        GROUP BY s.product_id
    ) AS newest ON newest.product_id = line.source_id
    GROUP BY line.product_id
), said (product_id, said_at) AS (
    SELECT e.product_id, greatest(e.created_at, e.undone_at) FROM demand_exclusion AS e
    UNION ALL
    SELECT p.id, p.predecessor_set_at FROM product AS p WHERE p.predecessor_set_at IS NOT NULL
    UNION ALL
    SELECT v.product_id, v.changed_at FROM demand_event AS v WHERE v.product_id IS NOT NULL
    UNION ALL
    SELECT p.id, of_category.changed_at
    FROM (
        SELECT v.category, max(v.changed_at) AS changed_at
        FROM demand_event AS v WHERE v.category IS NOT NULL GROUP BY v.category
    ) AS of_category JOIN product AS p ON p.category = of_category.category
), told AS (
    SELECT line.product_id, max(said.said_at) AS told_at
    FROM said JOIN line ON line.source_id = said.product_id
    GROUP BY line.product_id
), told_of_all AS (
    SELECT max(v.changed_at) AS told_at FROM demand_event AS v WHERE v.product_id IS NULL AND v.category IS NULL
)
SELECT known.id AS product_id
FROM known
CROSS JOIN told_of_all
LEFT JOIN moved ON moved.product_id = known.id
LEFT JOIN told ON told.product_id = known.id
WHERE known.forecast_id IS NULL
   OR moved.day > known.as_of
   OR told.told_at > known.looked_at
   OR told_of_all.told_at > known.looked_at
ORDER BY known.id
