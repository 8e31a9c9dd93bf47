-- How did each product move in each warehouse, week by week, and in the weeks before?
-- One row: a product, a warehouse and a week (its Monday) in which it moved, oldest week first; out, in and the
-- others are sums of pieces (out positive, the others signed), value is what all of them are worth at their
-- prices. The sums of 4 and 13 weeks end the Sunday before: nothing of the week itself is in them.
-- Parameters: last_id (no movement behind it), since (weeks that begin on that day or later) and until (what
-- happened on that day or later is not counted).
-- (A reversal and what it reverses stand in the weeks they were booked for, as in the ledger.)
WITH weeks AS (
    SELECT m.product_id, m.warehouse_id, date_trunc('week', m.day)::date AS week,
           count(*) AS movements,
           count(DISTINCT m.reference_id) AS documents,
           count(DISTINCT m.customer) AS customers,
           coalesce(-sum(m.change) FILTER (WHERE m.type = 'out'), 0)::float8 AS quantity_out,
           coalesce(sum(m.change) FILTER (WHERE m.type = 'in'), 0)::float8 AS quantity_in,
           coalesce(sum(m.change) FILTER (WHERE m.type = 'adjust'), 0)::float8 AS quantity_adjusted,
           coalesce(sum(m.change) FILTER (WHERE m.type = 'transfer'), 0)::float8 AS quantity_transferred,
           max(abs(m.change))::float8 AS largest_quantity,
           coalesce(sum(abs(m.change) * m.unit_price), 0)::float8 AS value,
           (array_agg(m.stock_after ORDER BY m.id DESC))[1]::float8 AS stock_after
    FROM movement AS m
    WHERE m.id <= :last_id AND m.day < :until
    GROUP BY m.product_id, m.warehouse_id, week
), windowed AS (
    SELECT weeks.*,
           coalesce(sum(movements) OVER last_4, 0)::bigint AS movements_4_weeks,
           coalesce(sum(quantity_out) OVER last_4, 0) AS quantity_out_4_weeks,
           coalesce(sum(quantity_in) OVER last_4, 0) AS quantity_in_4_weeks,
           max(largest_quantity) OVER last_4 AS largest_quantity_4_weeks,
           coalesce(sum(movements) OVER last_13, 0)::bigint AS movements_13_weeks,
           coalesce(sum(quantity_out) OVER last_13, 0) AS quantity_out_13_weeks,
           coalesce(sum(quantity_in) OVER last_13, 0) AS quantity_in_13_weeks,
           max(largest_quantity) OVER last_13 AS largest_quantity_13_weeks
    FROM weeks
    WINDOW last_4 AS (PARTITION BY product_id, warehouse_id ORDER BY week
                      RANGE BETWEEN INTERVAL '28 days' PRECEDING AND INTERVAL '7 days' PRECEDING),
           last_13 AS (PARTITION BY product_id, warehouse_id ORDER BY week
                       RANGE BETWEEN INTERVAL '91 days' PRECEDING AND INTERVAL '7 days' PRECEDING)
)
SELECT w.week, product.uid::text AS item_id, product.sku AS item_sku, warehouse.uid::text AS warehouse_id,
       warehouse.code AS warehouse_code, w.movements, w.documents, w.customers, w.quantity_out, w.quantity_in,
       w.quantity_adjusted, w.quantity_transferred, w.largest_quantity, w.value, w.stock_after,
       w.movements_4_weeks, w.quantity_out_4_weeks, w.quantity_in_4_weeks, w.largest_quantity_4_weeks,
       w.movements_13_weeks, w.quantity_out_13_weeks, w.quantity_in_13_weeks, w.largest_quantity_13_weeks
FROM windowed AS w
JOIN product ON product.id = w.product_id
JOIN warehouse ON warehouse.id = w.warehouse_id
WHERE w.week >= :since
ORDER BY w.week, product.sku, warehouse.code
