-- What does a run-out date follow from?
-- One row: a product (warehouse_id null) or a product in one warehouse, with its stock of now, the current
-- forecast, what an empty shelf costs, and what is on its way there: due is [[date, quantity], ...] by date,
-- quantities as text, null where nothing is. Overdue receipts are among it: they may come any moment.
-- edits is what people changed of the product's forecast from this week on: [[week, adds, replaces, the first
-- day they spoke of], ...] by week, the same in each warehouse, null where nothing is.
-- Parameters: product_ids; today; run_id (may be null) puts the forecasts of a run before the published ones.
WITH shop_places AS (
    SELECT count(*) AS number FROM warehouse WHERE is_active
), wanted AS (
    SELECT p.id, p.is_active, p.unit_cost, p.unit_price,
           coalesce(p.lead_time_days, (
               -- As lead_times.sql says it.
               SELECT o.lead_time_days FROM offers_on(CAST(:today AS date)) AS o
               WHERE o.product_id = p.id
               ORDER BY coalesce(o.vendor_id = p.preferred_vendor_id, false) DESC, o.lead_time_days LIMIT 1
           ), shop.default_lead_time_days) AS lead_time_days
    FROM product AS p CROSS JOIN shop
    WHERE p.id = ANY(CAST(:product_ids AS integer[]))
), places AS (
    SELECT wanted.id AS product_id, CAST(NULL AS integer) AS warehouse_id, coalesce((
               SELECT sum(level.quantity) FROM stock_level AS level WHERE level.product_id = wanted.id
           ), 0) AS on_hand
    FROM wanted
    UNION ALL
    SELECT level.product_id, level.warehouse_id, level.quantity
    FROM stock_level AS level JOIN wanted ON wanted.id = level.product_id
), coming AS (
    SELECT e.product_id, e.warehouse_id, grouping(e.warehouse_id) = 1 AS is_whole_shop,
           jsonb_agg(jsonb_build_array(e.expected_on, trim_scale(e.quantity)::text)
                     ORDER BY e.expected_on, e.id) AS due
    FROM expected_receipt AS e
    WHERE e.closed_at IS NULL AND e.product_id = ANY(CAST(:product_ids AS integer[]))
    GROUP BY GROUPING SETS ((e.product_id), (e.product_id, e.warehouse_id))
), edited AS (
    SELECT e.product_id,
           jsonb_agg(jsonb_build_array(e.week_on, trim_scale(e.adds)::text, trim_scale(e.replaces)::text,
                     greatest(e.week_on, CAST(e.edited_at AT TIME ZONE shop.time_zone AS date)))
                     ORDER BY e.week_on) AS edits
    FROM forecast_edit AS e CROSS JOIN shop
    WHERE e.week_on > CAST(:today AS date) - 7 AND e.product_id = ANY(CAST(:product_ids AS integer[]))
    GROUP BY e.product_id
)
SELECT places.product_id, places.warehouse_id, places.on_hand, wanted.lead_time_days,
       wanted.is_active, wanted.unit_cost, wanted.unit_price, coming.due, edited.edits,
       f.id AS forecast_id, f.as_of, f.state, f.demand_days, f.paths
FROM places
JOIN wanted ON wanted.id = places.product_id
CROSS JOIN shop_places
LEFT JOIN coming ON coming.product_id = places.product_id
                AND (coming.warehouse_id = places.warehouse_id
                     OR (places.warehouse_id IS NULL AND coming.is_whole_shop))
LEFT JOIN edited ON edited.product_id = places.product_id
LEFT JOIN LATERAL (
    SELECT * FROM forecast AS f
    WHERE f.product_id = places.product_id
      -- In a shop with one warehouse the forecast of the shop is the forecast of the warehouse.
      AND f.warehouse_id IS NOT DISTINCT FROM
          CASE WHEN shop_places.number > 1 THEN places.warehouse_id END
      AND (f.is_current OR (f.model_run_id = CAST(:run_id AS integer) AND f.state <> 'failed'))
    ORDER BY (f.model_run_id = CAST(:run_id AS integer)) DESC NULLS LAST, f.is_current DESC
    LIMIT 1
) AS f ON true
ORDER BY places.product_id, places.warehouse_id NULLS FIRST
