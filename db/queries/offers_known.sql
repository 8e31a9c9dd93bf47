-- What do these vendors ask, what did they ask before, and what are they going to ask?
-- One row: the offer that counts for a product from its first day on, with its steps (minimum_quantities and
-- unit_prices, ascending); neither corrected nor withdrawn ones. Ascending by first day.
-- Parameters: vendor_ids.
WITH offer AS (
    SELECT DISTINCT ON (vendor_id, product_id, valid_from) *
    FROM vendor_offer
    WHERE vendor_id = ANY(CAST(:vendor_ids AS integer[])) AND withdrawn_at IS NULL
    ORDER BY vendor_id, product_id, valid_from, id DESC
), step AS (
    SELECT s.offer_id, array_agg(s.minimum_quantity ORDER BY s.minimum_quantity) AS minimum_quantities,
           array_agg(s.unit_price ORDER BY s.minimum_quantity) AS unit_prices
    FROM price_step AS s JOIN offer ON offer.id = s.offer_id
    GROUP BY s.offer_id
)
SELECT offer.vendor_id, offer.product_id, offer.valid_from, offer.valid_until, offer.lead_time_days,
       offer.minimum_order_quantity, offer.order_multiple, offer.vendor_sku,
       step.minimum_quantities, step.unit_prices
FROM offer JOIN step ON step.offer_id = offer.id
ORDER BY offer.vendor_id, offer.product_id, offer.valid_from
