-- Which movements follow this one? (The page of newer ones.)
-- One row: as in movements.sql, the ones next after after_id, shown newest first.
SELECT * FROM (
    SELECT
        m.id AS movement_id, m.occurred_at, p.recorded_at, m.day,
        product.sku, product.name AS product_name, product.uid AS product_uid, product.unit_of_measure,
        warehouse.code AS warehouse_code, m.type, m.reason_code, reason.label AS reason_label,
        m.change, m.stock_before, m.stock_after, m.unit_price, m.change * m.unit_price AS total,
        noted.reason, noted.reference_type, noted.reference_id, m.customer, person.name AS person, m.posting_id, p.kind,
        (SELECT key.name FROM key_posting AS by_key JOIN api_key AS key ON key.id = by_key.api_key_id
         WHERE by_key.posting_id = m.posting_id) AS api_key,
        m.reverses_id, undone.id AS reversed_by_id, m.counterpart_id
    FROM movement AS m
    JOIN posting AS p ON p.id = m.posting_id
    JOIN person ON person.id = p.actor_id
    JOIN product ON product.id = m.product_id
    JOIN warehouse ON warehouse.id = m.warehouse_id
    JOIN reason ON reason.code = m.reason_code
    LEFT JOIN movement AS undone ON undone.reverses_id = m.id
    CROSS JOIN LATERAL (
        -- What somebody added later is shown instead of what was written then; an empty text clears it.
        SELECT nullif(coalesce((SELECT n.notes FROM movement_note AS n WHERE n.movement_id = m.id
                                AND n.notes IS NOT NULL ORDER BY n.id DESC LIMIT 1), m.reason), '') AS reason,
               nullif(coalesce((SELECT n.reference_type FROM movement_note AS n WHERE n.movement_id = m.id
                                AND n.reference_type IS NOT NULL ORDER BY n.id DESC LIMIT 1),
                               m.reference_type), '') AS reference_type,
               nullif(coalesce((SELECT n.reference_id FROM movement_note AS n WHERE n.movement_id = m.id
                                AND n.reference_id IS NOT NULL ORDER BY n.id DESC LIMIT 1),
                               m.reference_id), '') AS reference_id
    ) AS noted
    WHERE (CAST(:product_id AS integer) IS NULL OR m.product_id = :product_id)
      AND (CAST(:warehouse_id AS integer) IS NULL OR m.warehouse_id = :warehouse_id)
      AND (CAST(:kind AS text) IS NULL OR m.type = :kind)
      AND (CAST(:reason_code AS text) IS NULL OR m.reason_code = :reason_code)
      AND (CAST(:person_id AS integer) IS NULL OR p.actor_id = :person_id)
      AND (CAST(:api_key_id AS integer) IS NULL OR EXISTS (
          SELECT 1 FROM key_posting AS k WHERE k.posting_id = m.posting_id AND k.api_key_id = :api_key_id))
      AND (CAST(:since AS date) IS NULL OR m.day >= :since)
      AND (CAST(:until AS date) IS NULL OR m.day <= :until)
      AND (CAST(:text_like AS text) IS NULL OR product.sku ILIKE :text_like OR product.name ILIKE :text_like
           OR noted.reference_id ILIKE :text_like OR m.customer ILIKE :text_like
           OR noted.reason ILIKE :text_like)
      AND (CAST(:before_id AS bigint) IS NULL OR m.id < :before_id)
      AND (CAST(:after_id AS bigint) IS NULL OR m.id > :after_id)
    ORDER BY m.id
    LIMIT :limit
) AS following
ORDER BY movement_id DESC
