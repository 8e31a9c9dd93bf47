-- Which lines did people book lately, for learning what is usual?
-- One row: a movement that counts as a line, the newest first; see odd_earlier.sql for its columns.
-- Parameters: reasons (those of lines), since and until (business days, null: any), last_id, most.
SELECT m.id, m.product_id, m.warehouse_id, m.reason_code, m.change::float8 AS change,
       m.unit_price::float8 AS unit_price,
       extract(epoch FROM m.occurred_at AT TIME ZONE w.time_zone)::float8 AS at, m.customer,
       m.reference_type, m.reference_id, p.actor_id, m.stock_before::float8 AS stock_before,
       undone.id AS reversed_by
FROM movement AS m
JOIN posting AS p ON p.id = m.posting_id
JOIN warehouse AS w ON w.id = m.warehouse_id
LEFT JOIN movement AS undone ON undone.reverses_id = m.id
WHERE m.id <= :last_id AND m.reverses_id IS NULL AND m.reason_code = ANY(CAST(:reasons AS text[]))
  AND m.day >= coalesce(CAST(:since AS date), '-infinity')
  AND m.day <= coalesce(CAST(:until AS date), 'infinity')
ORDER BY m.id DESC
LIMIT :most
