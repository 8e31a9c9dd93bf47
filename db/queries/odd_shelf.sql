-- What does the catalogue know about some products, that a booking of them can be held against?
-- One row: a product with its code, pack factors (of its barcodes and of what vendors deliver at least at a
-- time), what a vendor asks for a piece (else what it costs by the catalogue) in the shop's currency, and
-- the pieces a day that its forecast expects. Parameters: product_ids, today.
WITH asked AS (
    SELECT p.id, p.sku, p.unit_cost FROM product AS p WHERE p.id = ANY(CAST(:product_ids AS integer[]))
), offers AS (
    SELECT DISTINCT ON (o.product_id, o.vendor_id) o.product_id, o.id, o.order_multiple, v.exchange_rate
    FROM asked
    JOIN vendor_offer AS o ON o.product_id = asked.id AND o.withdrawn_at IS NULL AND o.valid_from <= :today
    JOIN vendor AS v ON v.id = o.vendor_id AND v.is_active
    ORDER BY o.product_id, o.vendor_id, o.valid_from DESC, o.id DESC
), priced AS (
    SELECT offers.product_id, min(step.unit_price * offers.exchange_rate) AS unit_price
    FROM offers
    CROSS JOIN LATERAL (
        SELECT s.unit_price FROM price_step AS s WHERE s.offer_id = offers.id ORDER BY s.minimum_quantity LIMIT 1
    ) AS step
    GROUP BY offers.product_id
), packed AS (
    SELECT found.product_id, array_agg(DISTINCT found.factor::float8) AS factors
    FROM (
        SELECT b.product_id, b.pack_factor AS factor FROM asked JOIN barcode AS b ON b.product_id = asked.id
        UNION ALL
        SELECT offers.product_id, offers.order_multiple FROM offers
    ) AS found
    WHERE found.factor > 1
    GROUP BY found.product_id
)
SELECT asked.id, asked.sku, packed.factors, coalesce(priced.unit_price, asked.unit_cost)::float8 AS list_price,
       forecast.daily_rate::float8 AS daily_rate
FROM asked
LEFT JOIN priced ON priced.product_id = asked.id
LEFT JOIN packed ON packed.product_id = asked.id
LEFT JOIN forecast ON forecast.product_id = asked.id AND forecast.warehouse_id IS NULL AND forecast.is_current
