-- How many products are in each status, and how much money is at stake?
-- One row: a status. Money: what an empty shelf is expected to cost (out, late, order_now), or the value of
-- the stock (fine, excess, unknown). Parameters: warehouse_id may be null (the whole shop).
SELECT r.status, count(*) AS products,
       sum(CASE WHEN r.status IN ('out', 'late', 'order_now') THEN r.money_at_risk ELSE r.stock_value END)
           AS money
FROM run_out AS r
JOIN product AS p ON p.id = r.product_id
WHERE p.is_active
  AND (r.warehouse_id = CAST(:warehouse_id AS integer)
       OR (CAST(:warehouse_id AS integer) IS NULL AND r.warehouse_id IS NULL))
GROUP BY r.status
