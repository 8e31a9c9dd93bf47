-- What did these products sell on each day?
-- One row: a product and a day on which it sold, as its place in the window (0 for the first day); a day on
-- which more was taken back than sold counts as 0. Other days had no demand.
-- Parameters: product_ids, since, until, warehouse_id (may be null: all warehouses together).
SELECT s.product_id, s.day - CAST(:since AS date) AS place,
       greatest(CAST(sum(s.demand) AS double precision), 0) AS demand
FROM stock_day AS s
WHERE s.product_id = ANY(CAST(:product_ids AS integer[]))
  AND s.day BETWEEN :since AND :until
  AND (CAST(:warehouse_id AS integer) IS NULL OR s.warehouse_id = :warehouse_id)
GROUP BY s.product_id, s.day
