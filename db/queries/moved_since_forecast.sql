-- Which products have moved since their forecast was made?
-- One row: an active product with a day in the roll-up after its forecast's data, or without a forecast.
-- Parameters: until (the last whole day).
SELECT p.id AS product_id
FROM product AS p
LEFT JOIN forecast AS f ON f.product_id = p.id AND f.warehouse_id IS NULL AND f.is_current
WHERE p.is_active AND (f.id IS NULL OR EXISTS (
    SELECT 1 FROM stock_day AS s
    WHERE s.product_id = p.id AND s.day > f.as_of AND s.day <= :until
))
ORDER BY p.id
