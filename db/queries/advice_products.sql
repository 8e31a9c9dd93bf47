-- Which products does advice speak of, and what is known of each?
-- One row: an active product that has stock or a forecast, or had either. threshold is that of the shop,
-- lead_time_days what counts where no vendor says another; counted_decimals of its stock.
-- Parameters: product_ids (may be null: all).
SELECT p.id AS product_id, p.sku, p.name, p.category, p.unit_of_measure, p.unit_cost, p.unit_price,
       p.reorder_threshold, p.preferred_vendor_id,
       coalesce(p.lead_time_days, shop.default_lead_time_days) AS lead_time_days
FROM product AS p
CROSS JOIN shop
WHERE p.is_active
  AND (CAST(:product_ids AS integer[]) IS NULL OR p.id = ANY(CAST(:product_ids AS integer[])))
ORDER BY p.id
