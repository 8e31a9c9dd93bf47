-- How did the stock of one product move, day by day?
-- One row: a day on which it moved. Parameters: product_id, until, warehouse_ids (null: all warehouses together).
SELECT s.day, sum(s.demand) AS demand, sum(s.receipts) AS receipts, sum(s.other) AS other
FROM stock_day AS s
WHERE s.product_id = :product_id AND s.day <= :until
  AND (CAST(:warehouse_ids AS integer[]) IS NULL OR s.warehouse_id = ANY(CAST(:warehouse_ids AS integer[])))
GROUP BY s.day
ORDER BY s.day
