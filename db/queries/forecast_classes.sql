-- How many products have a forecast, of which kind of demand, and why have the others none?
-- One row: a state (ok, too_short, failed, none) and a class of demand (null without one), with its products.
SELECT coalesce(f.state, 'none') AS state, f.demand_class, count(*) AS products
FROM product AS p
LEFT JOIN forecast AS f ON f.product_id = p.id AND f.warehouse_id IS NULL AND f.is_current
WHERE p.is_active
GROUP BY coalesce(f.state, 'none'), f.demand_class
ORDER BY products DESC
