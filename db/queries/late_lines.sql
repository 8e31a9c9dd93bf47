-- Which lines of purchase orders are past the day they were expected on, and where does it hurt?
-- One row: an open line that is late, with the run-out of its product in the whole shop; what hurts most first.
-- Parameters: today; product_id may be null.
SELECT o.uid AS order_uid, o.number, o.sent_on, v.uid AS vendor_uid, v.name AS vendor, v.email AS vendor_email,
       v.phone AS vendor_phone, l.uid AS line_uid, p.id AS product_id, p.uid AS product_uid, p.sku,
       p.name AS product_name, p.unit_of_measure, w.code AS warehouse_code, l.quantity,
       l.quantity - l.received - l.given_up AS open, l.expected_on, l.promised_on,
       CAST(:today AS date) - l.expected_on AS days_late, coalesce(r.status, 'unknown') AS status,
       r.p10_on, r.p50_on, r.p90_on, r.chance_before_replenishment AS chance,
       coalesce(r.money_at_risk, 0) AS money_at_risk
FROM purchase_order_line AS l
JOIN purchase_order AS o ON o.id = l.order_id
JOIN vendor AS v ON v.id = o.vendor_id
JOIN product AS p ON p.id = l.product_id
JOIN warehouse AS w ON w.id = l.warehouse_id
LEFT JOIN run_out AS r ON r.product_id = l.product_id AND r.warehouse_id IS NULL
WHERE o.state IN ('sent', 'partly_received')
  AND l.quantity > l.received + l.given_up
  AND l.expected_on < CAST(:today AS date)
  AND (CAST(:product_id AS integer) IS NULL OR l.product_id = :product_id)
ORDER BY array_position(ARRAY['out', 'late', 'order_now', 'unknown', 'fine', 'excess'],
                        coalesce(r.status, 'unknown')),
         coalesce(r.money_at_risk, 0) DESC, l.expected_on, l.id
