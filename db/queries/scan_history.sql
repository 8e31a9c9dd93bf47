-- What was scanned, newest first?
-- One row: one scan with the names people know, what it booked, and whether that counts still. Of a transfer
-- the change and the figures are those of the warehouse it left. `is_reversed`: taken back elsewhere, in the
-- ledger itself.
-- Parameters: the ids of the scans.
SELECT
    s.id AS scan_id, s.uid AS scan_uid, s.scanned_at, s.person_id, person.name AS person, s.source, s.mode, s.code,
    s.symbology, s.outcome, s.said, s.product_id, product.uid AS product_uid, product.sku,
    product.name AS product_name, product.unit_of_measure, place.code AS warehouse_code,
    to_place.code AS to_warehouse_code, s.quantity, s.pack_factor, s.lot, s.serial, s.expires_on,
    booked.change, booked.stock_before, booked.stock_after, booked.reason_code, booked.reference_type,
    booked.reference_id, s.posting_id, s.undone_at,
    s.undone_at IS NULL AND booked.reversed_by_id IS NOT NULL AS is_reversed,
    booked.id IS NOT NULL AND s.undone_at IS NULL AND booked.reversed_by_id IS NULL AS can_undo
FROM scan AS s
JOIN person ON person.id = s.person_id
LEFT JOIN product ON product.id = s.product_id
LEFT JOIN warehouse AS place ON place.id = s.warehouse_id
LEFT JOIN warehouse AS to_place ON to_place.id = s.to_warehouse_id
LEFT JOIN LATERAL (
    SELECT m.*, undone.id AS reversed_by_id
    FROM movement AS m LEFT JOIN movement AS undone ON undone.reverses_id = m.id
    WHERE m.posting_id = s.posting_id
    ORDER BY m.change
    LIMIT 1
) AS booked ON true
WHERE s.id = ANY(CAST(:scan_ids AS bigint[]))
ORDER BY s.id DESC
