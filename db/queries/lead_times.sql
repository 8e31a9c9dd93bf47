-- How many days does an order of these products take today?
-- One row: a product. Its own lead time, else the quoted one of the vendor it is bought from whatever others
-- ask, else of the quickest vendor, else the usual one of the shop.
-- Parameters: product_ids, today.
SELECT p.id AS product_id,
       coalesce(p.lead_time_days, (
           SELECT o.lead_time_days FROM offers_on(CAST(:today AS date)) AS o
           WHERE o.product_id = p.id
           ORDER BY coalesce(o.vendor_id = p.preferred_vendor_id, false) DESC, o.lead_time_days LIMIT 1
       ), shop.default_lead_time_days) AS lead_time_days
FROM product AS p CROSS JOIN shop
WHERE p.id = ANY(CAST(:product_ids AS integer[]))
