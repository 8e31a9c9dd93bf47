-- Which products have a run-out that no longer fits their stock, the day, or their forecast?
-- One row: a product. Parameters: today, most.
WITH on_hand AS (
    SELECT product_id, CAST(NULL AS integer) AS warehouse_id, sum(quantity) AS quantity
    FROM stock_level GROUP BY product_id
    UNION ALL
    SELECT product_id, warehouse_id, quantity FROM stock_level
)
SELECT DISTINCT p.id AS product_id
FROM product AS p
LEFT JOIN on_hand ON on_hand.product_id = p.id
LEFT JOIN run_out AS r
    ON r.product_id = p.id AND r.warehouse_id IS NOT DISTINCT FROM on_hand.warehouse_id
WHERE p.is_active
  AND (r.id IS NULL OR r.as_of <> :today OR r.on_hand <> coalesce(on_hand.quantity, 0))
ORDER BY p.id
LIMIT :most
