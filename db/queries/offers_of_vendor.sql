-- What does a vendor ask for these products on a day?
-- One row: the offer of one product that counts on that day, its prices as two arrays, fewest pieces first.
SELECT o.id AS offer_id, o.product_id, o.vendor_sku, o.lead_time_days, o.minimum_order_quantity,
       o.order_multiple, o.valid_until,
       ARRAY(SELECT s.minimum_quantity FROM price_step AS s WHERE s.offer_id = o.id
             ORDER BY s.minimum_quantity) AS quantities,
       ARRAY(SELECT s.unit_price FROM price_step AS s WHERE s.offer_id = o.id
             ORDER BY s.minimum_quantity) AS prices
FROM offers_on(CAST(:today AS date)) AS o
WHERE o.product_id = ANY(CAST(:product_ids AS integer[])) AND o.vendor_id = :vendor_id
