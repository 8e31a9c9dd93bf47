-- What happened in the shop, flat, for feature pipelines?
-- One row: one movement as a JSON object, in order of ids, after after_id and up to last_id; quantity and
-- total are signed, created_at is when it happened (created_at_ts: in seconds since 1970), recorded_at when
-- it was booked. Parameters: after_id, last_id, limit, offset.
-- (PostgreSQL writes the JSON: numbers stay exact, and ten thousand rows cost no Python objects.)
WITH page AS MATERIALIZED (
    SELECT m.* FROM movement AS m
    WHERE m.id > :after_id AND m.id <= :last_id
    ORDER BY m.id
    LIMIT :limit OFFSET :offset
), told AS (
    SELECT page.id AS transaction_id, product.uid AS item_id, product.sku AS item_sku,
           product.category AS item_category, warehouse.uid AS warehouse_id, warehouse.code AS warehouse_code,
           page.type AS transaction_type, trim_scale(page.change) AS quantity,
           trim_scale(page.unit_price) AS unit_price,
           trim_scale(page.change * page.unit_price) AS total_amount,
           to_char(page.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
           to_char(p.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded_at,
           trim_scale(extract(epoch FROM page.occurred_at)) AS created_at_ts
    FROM page
    JOIN posting AS p ON p.id = page.posting_id
    JOIN product ON product.id = page.product_id
    JOIN warehouse ON warehouse.id = page.warehouse_id
)
SELECT to_json(told)::text AS row FROM told ORDER BY transaction_id
