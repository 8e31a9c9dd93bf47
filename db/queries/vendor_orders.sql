-- Which orders of a vendor are not complete?
-- One row: a draft or an order that is on its way, the latest first. value: goods, open_value: what is still to
-- come of them, both in the vendor's currency; expected_on: the next day something is to arrive; late_days:
-- since the day that was promised for the line that is latest, 0 when none is late.
-- Parameters: vendor_id, today.
SELECT o.uid, o.number, o.state, o.currency, o.sent_on, count(l.id) AS lines,
       coalesce(sum(l.quantity * l.unit_price), 0) AS value,
       coalesce(sum(greatest(l.quantity - l.received - l.given_up, 0) * l.unit_price), 0) AS open_value,
       coalesce(min(coalesce(l.expected_on, o.expected_on))
                FILTER (WHERE l.quantity > l.received + l.given_up), o.expected_on) AS expected_on,
       greatest(coalesce(max(CAST(:today AS date) - coalesce(l.promised_on, l.expected_on, o.expected_on))
                FILTER (WHERE o.state <> 'draft' AND l.quantity > l.received + l.given_up), 0), 0) AS late_days
FROM purchase_order AS o LEFT JOIN purchase_order_line AS l ON l.order_id = o.id
WHERE o.vendor_id = CAST(:vendor_id AS integer) AND o.state IN ('draft', 'sent', 'partly_received')
GROUP BY o.id
ORDER BY o.id DESC
