-- Which products match, and how are they off? One page of the list.
-- One row: a product with its stock of now and its stored run-out; total_count is that of all pages.
-- Parameters: every filter may be null; warehouse_id null means the whole shop; sort is one of the names
-- below, descending turns it round; limit, offset.
-- (Two plain comparisons instead of IS NOT DISTINCT FROM, for which the planner knows no index and guesses
-- one row; the count apart from the order, so that only the page's rows are kept in order.)
WITH matching AS MATERIALIZED (
    SELECT p.id, p.sku, r.id AS run_out_id, r.money_at_risk, key.word, key.number, key.rank
    FROM product AS p
    LEFT JOIN run_out AS r
        ON r.product_id = p.id
       AND (r.warehouse_id = CAST(:warehouse_id AS integer)
            OR (CAST(:warehouse_id AS integer) IS NULL AND r.warehouse_id IS NULL))
    CROSS JOIN LATERAL (
        SELECT CASE :sort WHEN 'sku' THEN p.sku WHEN 'name' THEN lower(p.name) END AS word,
               CASE :sort
                   WHEN 'on_hand' THEN r.on_hand
                   WHEN 'days_of_cover' THEN r.days_of_cover
                   WHEN 'daily_rate' THEN r.daily_rate
                   WHEN 'stock_value' THEN r.stock_value
                   WHEN 'money_at_risk' THEN r.money_at_risk
                   WHEN 'p50_on' THEN r.p50_on - DATE '2000-01-01'
                   WHEN 'order_by_on' THEN r.order_by_on - DATE '2000-01-01'
               END AS number,
               CASE WHEN :sort = 'priority' THEN array_position(
                   ARRAY['out', 'late', 'order_now', 'unknown', 'excess', 'fine'], r.status) END AS rank
    ) AS key
    WHERE (NOT :only_active OR p.is_active)
      AND (CAST(:category AS text) IS NULL OR p.category = :category)
      AND (CAST(:statuses AS text[]) IS NULL OR coalesce(r.status, 'unknown') = ANY(CAST(:statuses AS text[])))
      AND (CAST(:text_like AS text) IS NULL OR p.sku ILIKE :text_like OR p.name ILIKE :text_like
           OR EXISTS (SELECT 1 FROM barcode AS b WHERE b.product_id = p.id AND b.code = :code))
      AND (CAST(:warehouse_id AS integer) IS NULL OR r.id IS NOT NULL
           OR EXISTS (SELECT 1 FROM stock_level AS s WHERE s.product_id = p.id AND s.warehouse_id = :warehouse_id))
), page AS (
    SELECT chosen.*, row_number() OVER () AS place
    FROM (
        SELECT id, run_out_id FROM matching
        ORDER BY CASE WHEN :descending THEN NULL ELSE word END ASC NULLS LAST,
                 CASE WHEN :descending THEN word END DESC NULLS LAST,
                 CASE WHEN :descending THEN NULL ELSE number END ASC NULLS LAST,
                 CASE WHEN :descending THEN number END DESC NULLS LAST,
                 rank, money_at_risk DESC NULLS LAST, sku
        LIMIT :limit OFFSET :offset
    ) AS chosen
)
SELECT p.id AS product_id, p.uid, p.sku, p.name, p.category, p.unit_of_measure, p.is_active,
       level.on_hand, coalesce(r.status, 'unknown') AS status, r.p10_on, r.p50_on, r.p90_on,
       r.chance_7, r.chance_14, r.chance_30, r.chance_before_replenishment, r.days_of_cover, r.daily_rate,
       r.lead_time_days, r.order_by_on, r.expected_lost, r.money_at_risk, r.stock_value,
       f.state AS forecast_state, f.reason AS forecast_reason, f.history_days, r.computed_at,
       (r.id IS NULL OR r.on_hand <> level.on_hand) AS is_stale,
       (SELECT count(*) FROM matching) AS total_count
FROM page
JOIN product AS p ON p.id = page.id
LEFT JOIN run_out AS r ON r.id = page.run_out_id
LEFT JOIN forecast AS f ON f.id = r.forecast_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.quantity), 0) AS on_hand FROM stock_level AS s
    WHERE s.product_id = p.id AND (CAST(:warehouse_id AS integer) IS NULL OR s.warehouse_id = :warehouse_id)
) AS level
ORDER BY page.place
