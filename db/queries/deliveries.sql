-- How did vendors deliver what was ordered of them?
-- One row: what arrived of one order on one day, or (received_on null) an order of which a promised part is
-- still missing today; with by_product for each product apart, else product_id is null. What is missing comes
-- first, then the newest, at most `most` arrivals of a vendor (and product). days: from sending the order
-- until then; late_days: after the promised day, of the line that was latest (null: promised for no day).
-- Parameters: vendor_ids, today, since (the first day of arrival that counts), most, by_product,
-- product_ids (null: all).
WITH line AS (
    SELECT l.id, o.vendor_id, o.id AS order_id, CASE WHEN :by_product THEN l.product_id END AS product_id,
           o.sent_on, coalesce(l.promised_on, l.expected_on, o.expected_on) AS promised_on,
           o.state IN ('sent', 'partly_received') AND l.quantity > l.received + l.given_up AS is_open
    FROM purchase_order AS o JOIN purchase_order_line AS l ON l.order_id = o.id
    WHERE o.vendor_id = ANY(CAST(:vendor_ids AS integer[])) AND o.sent_on <= CAST(:today AS date)
      AND (CAST(:product_ids AS integer[]) IS NULL OR l.product_id = ANY(CAST(:product_ids AS integer[])))
), arrived AS (
    SELECT line.vendor_id, line.order_id, line.product_id, line.sent_on, r.received_on,
           min(line.promised_on) AS promised_on, max(r.received_on - line.promised_on) AS late_days,
           count(DISTINCT line.id) AS lines
    FROM line JOIN order_receipt AS r ON r.line_id = line.id
    WHERE r.undone_at IS NULL
      AND r.received_on BETWEEN CAST(:since AS date) AND CAST(:today AS date)
    GROUP BY line.vendor_id, line.order_id, line.product_id, line.sent_on, r.received_on
), newest AS (
    SELECT arrived.*, row_number() OVER each AS place
    FROM arrived
    WINDOW each AS (PARTITION BY vendor_id, product_id ORDER BY received_on DESC, order_id DESC)
), missing AS (
    SELECT vendor_id, order_id, product_id, sent_on, CAST(NULL AS date) AS received_on,
           min(promised_on) AS promised_on, max(CAST(:today AS date) - promised_on) AS late_days,
           count(*) AS lines
    FROM line
    WHERE is_open AND promised_on < CAST(:today AS date)
    GROUP BY vendor_id, order_id, product_id, sent_on
), delivery AS (
    SELECT vendor_id, order_id, product_id, sent_on, received_on, promised_on, late_days, lines
    FROM newest WHERE place <= :most
    UNION ALL
    SELECT * FROM missing
)
SELECT d.vendor_id, d.product_id, o.uid AS order_uid, o.number, d.sent_on, d.promised_on, d.received_on,
       greatest(coalesce(d.received_on, CAST(:today AS date)) - d.sent_on, 0) AS days, d.late_days, d.lines
FROM delivery AS d JOIN purchase_order AS o ON o.id = d.order_id
ORDER BY d.vendor_id, d.product_id, d.received_on DESC NULLS FIRST, d.order_id DESC
