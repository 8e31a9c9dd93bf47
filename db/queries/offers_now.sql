-- What do vendors ask for these products: the offers that count on a day, or those to come after it?
-- One row: an offer of an active vendor, with its price steps (minimum_quantities and unit_prices, ascending),
-- and whether its product is bought from this vendor whatever others ask.
-- Parameters: today; product_ids (null: all); vendor_id (null: all); upcoming.
WITH asked AS (
    SELECT * FROM offers_on(CAST(:today AS date)) WHERE NOT :upcoming
    UNION ALL
    SELECT o.* FROM vendor_offer AS o JOIN vendor AS v ON v.id = o.vendor_id
    WHERE :upcoming AND o.withdrawn_at IS NULL AND o.valid_from > CAST(:today AS date) AND v.is_active
)
SELECT o.id, o.uid, o.vendor_id, o.product_id, o.vendor_sku, o.lead_time_days, o.minimum_order_quantity,
       o.order_multiple, o.valid_from, o.valid_until,
       coalesce(p.preferred_vendor_id = o.vendor_id, false) AS is_preferred,
       step.minimum_quantities, step.unit_prices
FROM asked AS o
JOIN product AS p ON p.id = o.product_id
JOIN vendor AS v ON v.id = o.vendor_id
CROSS JOIN LATERAL (
    SELECT array_agg(s.minimum_quantity ORDER BY s.minimum_quantity) AS minimum_quantities,
           array_agg(s.unit_price ORDER BY s.minimum_quantity) AS unit_prices
    FROM price_step AS s WHERE s.offer_id = o.id
) AS step
WHERE (CAST(:product_ids AS integer[]) IS NULL OR o.product_id = ANY(CAST(:product_ids AS integer[])))
  AND (CAST(:vendor_id AS integer) IS NULL OR o.vendor_id = CAST(:vendor_id AS integer))
ORDER BY o.product_id, o.valid_from, lower(v.name), o.id
