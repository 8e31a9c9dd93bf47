-- What lies where, and what is on its way there?
-- One row: an active product in an active warehouse in which it has a level, a forecast, or something on its
-- way: due is [[date, quantity], ...] by date, quantities as text, null where nothing is; threshold is the one
-- of the warehouse.
-- Parameters: product_ids (may be null: all).
WITH coming AS (
    SELECT e.product_id, e.warehouse_id,
           jsonb_agg(jsonb_build_array(e.expected_on, trim_scale(e.quantity)::text)
                     ORDER BY e.expected_on, e.id) AS due
    FROM expected_receipt AS e
    WHERE e.closed_at IS NULL
    GROUP BY e.product_id, e.warehouse_id
), places AS (
    SELECT product_id, warehouse_id FROM stock_level
    UNION
    SELECT product_id, warehouse_id FROM forecast WHERE is_current AND warehouse_id IS NOT NULL
    UNION
    SELECT product_id, warehouse_id FROM coming
)
SELECT places.product_id, places.warehouse_id, coalesce(level.quantity, 0) AS on_hand, coming.due,
       own.reorder_threshold AS threshold
FROM places
JOIN product AS p ON p.id = places.product_id AND p.is_active
JOIN warehouse AS w ON w.id = places.warehouse_id AND w.is_active
LEFT JOIN stock_level AS level
    ON level.product_id = places.product_id AND level.warehouse_id = places.warehouse_id
LEFT JOIN coming ON coming.product_id = places.product_id AND coming.warehouse_id = places.warehouse_id
LEFT JOIN warehouse_threshold AS own
    ON own.product_id = places.product_id AND own.warehouse_id = places.warehouse_id
WHERE CAST(:product_ids AS integer[]) IS NULL OR places.product_id = ANY(CAST(:product_ids AS integer[]))
ORDER BY places.product_id, places.warehouse_id
