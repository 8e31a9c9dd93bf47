-- What did these products sell on each day?
-- One row: a product and a day on which it sold or a sale was taken back; other days had no demand.
-- Parameters: warehouse_id may be null (all warehouses together).
SELECT s.product_id, s.day, sum(s.demand) AS demand
FROM stock_day AS s
WHERE s.product_id = ANY(CAST(:product_ids AS integer[]))
  AND s.day BETWEEN :since AND :until
  AND (CAST(:warehouse_id AS integer) IS NULL OR s.warehouse_id = :warehouse_id)
GROUP BY s.product_id, s.day
