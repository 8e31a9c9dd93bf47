-- How many products have a forecast, of which kind of demand, and why have the others none?
-- One row: a state (ok, too_short, failed, none) and a class of demand (null without one), with its products.
-- (Counted in an index; what belongs to the few products that are not sold any more is taken off.)
WITH current AS (
    SELECT f.state, f.demand_class, count(*) AS products
    FROM forecast AS f
    WHERE f.is_current AND f.warehouse_id IS NULL
    GROUP BY f.state, f.demand_class
), gone AS (
    SELECT f.state, f.demand_class, count(*) AS products
    FROM product AS p
    JOIN forecast AS f ON f.product_id = p.id AND f.is_current AND f.warehouse_id IS NULL
    WHERE NOT p.is_active
    GROUP BY f.state, f.demand_class
), sold AS (
    SELECT current.state, current.demand_class, current.products - coalesce(gone.products, 0) AS products
    FROM current
    LEFT JOIN gone ON gone.state = current.state AND gone.demand_class IS NOT DISTINCT FROM current.demand_class
)
SELECT state, demand_class, products FROM sold WHERE products > 0
UNION ALL
SELECT 'none', NULL, CAST(missing.products AS bigint)
FROM (
    SELECT (SELECT count(*) FROM product WHERE is_active) - coalesce(sum(sold.products), 0) AS products FROM sold
) AS missing
WHERE missing.products > 0
ORDER BY 3 DESC
