-- Which products have a run-out that no longer fits their stock, the day, or their forecast?
-- Nor what is on its way, how long an order takes, or what people changed of the forecast.
-- One row: a product. Parameters: today, most.
WITH on_hand AS (
    SELECT product_id, sum(quantity) AS quantity FROM stock_level GROUP BY product_id
), coming AS (
    -- As run_out_inputs.sql writes it down in run_out.due.
    SELECT e.product_id, e.warehouse_id, grouping(e.warehouse_id) = 1 AS is_whole_shop,
           jsonb_agg(jsonb_build_array(e.expected_on, trim_scale(e.quantity)::text)
                     ORDER BY e.expected_on, e.id) AS due
    FROM expected_receipt AS e
    WHERE e.closed_at IS NULL
    GROUP BY GROUPING SETS ((e.product_id), (e.product_id, e.warehouse_id))
), edited AS (
    -- As run_out_inputs.sql writes it down in run_out.edits.
    SELECT e.product_id,
           jsonb_agg(jsonb_build_array(e.week_on, trim_scale(e.adds)::text, trim_scale(e.replaces)::text,
                     greatest(e.week_on, CAST(e.edited_at AT TIME ZONE shop.time_zone AS date)))
                     ORDER BY e.week_on) AS edits
    FROM forecast_edit AS e CROSS JOIN shop
    WHERE e.week_on > CAST(:today AS date) - 7
    GROUP BY e.product_id
), vendor_lead AS (
    -- As lead_times.sql says it.
    SELECT DISTINCT ON (o.product_id) o.product_id, o.lead_time_days AS days
    FROM offers_on(CAST(:today AS date)) AS o JOIN product AS p ON p.id = o.product_id
    ORDER BY o.product_id, coalesce(o.vendor_id = p.preferred_vendor_id, false) DESC, o.lead_time_days
)
SELECT p.id AS product_id
FROM product AS p
CROSS JOIN shop
LEFT JOIN on_hand ON on_hand.product_id = p.id
LEFT JOIN vendor_lead ON vendor_lead.product_id = p.id
LEFT JOIN coming ON coming.product_id = p.id AND coming.is_whole_shop
LEFT JOIN edited ON edited.product_id = p.id
LEFT JOIN run_out AS r ON r.product_id = p.id AND r.warehouse_id IS NULL
WHERE p.is_active
  AND (r.id IS NULL OR r.as_of <> :today OR r.on_hand <> coalesce(on_hand.quantity, 0)
       OR r.due IS DISTINCT FROM coming.due OR r.edits IS DISTINCT FROM edited.edits
       OR r.lead_time_days <> coalesce(p.lead_time_days, vendor_lead.days, shop.default_lead_time_days))
UNION
SELECT p.id
FROM stock_level AS level
JOIN product AS p ON p.id = level.product_id
LEFT JOIN coming ON coming.product_id = level.product_id AND coming.warehouse_id = level.warehouse_id
LEFT JOIN run_out AS r ON r.product_id = level.product_id AND r.warehouse_id = level.warehouse_id
WHERE p.is_active
  AND (r.id IS NULL OR r.as_of <> :today OR r.on_hand <> level.quantity OR r.due IS DISTINCT FROM coming.due)
ORDER BY product_id
LIMIT :most
