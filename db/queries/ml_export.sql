-- What happened in the shop, flat, for feature pipelines?
-- One row: one movement, in order of ids, after after_id and up to last_id; quantity and total are signed,
-- created_at is when it happened, recorded_at when it was booked. Parameters: after_id, last_id, limit, offset.
WITH page AS MATERIALIZED (
    SELECT m.* FROM movement AS m
    WHERE m.id > :after_id AND m.id <= :last_id
    ORDER BY m.id
    LIMIT :limit OFFSET :offset
)
SELECT page.id AS transaction_id, product.uid AS item_id, product.sku AS item_sku,
       product.category AS item_category, warehouse.uid AS warehouse_id, warehouse.code AS warehouse_code,
       page.type AS transaction_type, page.change AS quantity, page.unit_price,
       page.change * page.unit_price AS total_amount, page.occurred_at AS created_at, p.recorded_at
FROM page
JOIN posting AS p ON p.id = page.posting_id
JOIN product ON product.id = page.product_id
JOIN warehouse ON warehouse.id = page.warehouse_id
ORDER BY page.id
