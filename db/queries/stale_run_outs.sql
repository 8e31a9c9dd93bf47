-- Which products have a run-out that no longer fits their stock, the day, or their forecast?
-- One row: a product. Parameters: today, most.
WITH on_hand AS (
    SELECT product_id, sum(quantity) AS quantity FROM stock_level GROUP BY product_id
)
SELECT p.id AS product_id
FROM product AS p
LEFT JOIN on_hand ON on_hand.product_id = p.id
LEFT JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL
WHERE p.is_active
  AND (r.id IS NULL OR r.as_of <> :today OR r.on_hand <> coalesce(on_hand.quantity, 0))
UNION
SELECT p.id
FROM stock_level AS level
JOIN product AS p ON p.id = level.product_id
LEFT JOIN run_out AS r ON r.product_id = level.product_id AND r.warehouse_id = level.warehouse_id
WHERE p.is_active AND (r.id IS NULL OR r.as_of <> :today OR r.on_hand <> level.quantity)
ORDER BY product_id
LIMIT :most
