-- Which products may need an alert or have one, and what do the rules need to know about them?
-- One row: a product that is at or below a threshold, or most likely runs out by `until`, or is late, or has
-- an alert that is open or quiet. places: its warehouses with a threshold of their own ({code, on_hand, threshold}).
-- Parameters: product_ids (null: all products), until.
WITH on_hand AS (
    SELECT product_id, sum(quantity) AS quantity
    FROM stock_level
    WHERE CAST(:product_ids AS integer[]) IS NULL OR product_id = ANY(CAST(:product_ids AS integer[]))
    GROUP BY product_id
), place AS (
    SELECT t.product_id,
           bool_or(coalesce(level.quantity, 0) <= t.reorder_threshold) AS is_low,
           jsonb_agg(jsonb_build_object(
               'code', w.code,
               'on_hand', coalesce(level.quantity, 0)::text,
               'threshold', t.reorder_threshold::text
           ) ORDER BY w.code) AS places
    FROM warehouse_threshold AS t
    JOIN warehouse AS w ON w.id = t.warehouse_id AND w.is_active
    LEFT JOIN stock_level AS level
        ON level.product_id = t.product_id AND level.warehouse_id = t.warehouse_id
    WHERE CAST(:product_ids AS integer[]) IS NULL OR t.product_id = ANY(CAST(:product_ids AS integer[]))
    GROUP BY t.product_id
)
SELECT p.id AS product_id, p.sku, p.is_active, p.reorder_threshold AS threshold,
       coalesce(on_hand.quantity, 0) AS on_hand, place.places,
       r.status, r.p10_on, r.p50_on, r.p90_on, r.chance_before_replenishment AS chance, r.lead_time_days,
       r.daily_rate, coalesce(r.money_at_risk, 0) AS money_at_risk
FROM product AS p
LEFT JOIN on_hand ON on_hand.product_id = p.id
LEFT JOIN place ON place.product_id = p.id
LEFT JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL
WHERE (CAST(:product_ids AS integer[]) IS NULL OR p.id = ANY(CAST(:product_ids AS integer[])))
  AND ((p.is_active AND (coalesce(on_hand.quantity, 0) <= p.reorder_threshold
                         OR place.is_low
                         OR r.p50_on <= CAST(:until AS date)
                         OR r.status = 'late'))
       OR p.id IN (SELECT a.product_id FROM alert AS a
                   WHERE (a.state <> 'resolved' OR a.is_quiet)
                     AND (CAST(:product_ids AS integer[]) IS NULL
                          OR a.product_id = ANY(CAST(:product_ids AS integer[])))))
ORDER BY p.id
