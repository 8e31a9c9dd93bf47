-- Which purchase orders match, and what do they come to? One page of the list.
-- One row: an order with figures of its lines, money in its own currency; total_count, late_count and
-- total_open_value (the shop's currency) are those of all pages.
-- Parameters: every filter may be null; sort is one of the names below, descending turns it round; limit,
-- offset; today.
WITH matching AS MATERIALIZED (
    SELECT o.id, o.number, o.state, o.exchange_rate, v.name AS vendor, o.sent_on, o.created_at,
           figures.*,
           CASE WHEN figures.due_on < CAST(:today AS date) THEN CAST(:today AS date) - figures.due_on END AS late_days
    FROM purchase_order AS o
    JOIN vendor AS v ON v.id = o.vendor_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines,
               coalesce(sum(l.quantity * l.unit_price), 0) AS goods,
               count(*) FILTER (WHERE l.received > 0) AS lines_begun,
               count(*) FILTER (WHERE line.open > 0) AS open_lines,
               coalesce(sum(line.open * l.unit_price), 0) AS open_value,
               -- The next day on which something of it is expected.
               min(l.expected_on) FILTER (WHERE line.open > 0) AS due_on,
               max(l.expected_on) AS last_expected_on
        FROM purchase_order_line AS l
        CROSS JOIN LATERAL (
            SELECT CASE WHEN o.state IN ('sent', 'partly_received')
                        THEN greatest(l.quantity - l.received - l.given_up, 0) ELSE 0 END AS open
        ) AS line
        WHERE l.order_id = o.id
    ) AS figures
    WHERE (CAST(:states AS text[]) IS NULL OR o.state = ANY(CAST(:states AS text[])))
      AND (CAST(:vendor_id AS integer) IS NULL OR o.vendor_id = :vendor_id)
      AND (CAST(:product_id AS integer) IS NULL OR EXISTS (
            SELECT FROM purchase_order_line AS l WHERE l.order_id = o.id AND l.product_id = :product_id))
      AND (NOT CAST(:only_late AS boolean) OR figures.due_on < CAST(:today AS date))
      AND (CAST(:text_like AS text) IS NULL OR o.number ILIKE :text_like OR v.name ILIKE :text_like
           OR o.vendor_reference ILIKE :text_like OR o.note ILIKE :text_like
           OR EXISTS (SELECT FROM purchase_order_line AS l JOIN product AS p ON p.id = l.product_id
                      WHERE l.order_id = o.id AND (p.sku ILIKE :text_like OR p.name ILIKE :text_like)))
), page AS (
    SELECT m.*, key.*
    FROM matching AS m
    CROSS JOIN LATERAL (
        SELECT CASE :sort WHEN 'number' THEN m.number WHEN 'vendor' THEN lower(m.vendor) END AS word,
               CASE :sort
                   WHEN 'value' THEN m.goods * m.exchange_rate
                   WHEN 'lines' THEN m.lines
                   WHEN 'sent_on' THEN m.sent_on - DATE '2000-01-01'
                   WHEN 'expected_on' THEN coalesce(m.due_on, m.last_expected_on) - DATE '2000-01-01'
                   WHEN 'late' THEN m.late_days
                   WHEN 'state' THEN array_position(
                       ARRAY['draft', 'sent', 'partly_received', 'received', 'cancelled'], m.state)
               END AS rank
    ) AS key
    ORDER BY CASE WHEN :descending THEN NULL ELSE key.word END ASC NULLS LAST,
             CASE WHEN :descending THEN key.word END DESC NULLS LAST,
             CASE WHEN :descending THEN NULL ELSE key.rank END ASC NULLS LAST,
             CASE WHEN :descending THEN key.rank END DESC NULLS LAST,
             m.id DESC
    LIMIT :limit OFFSET :offset
)
SELECT o.uid, o.number, o.state, v.uid AS vendor_uid, v.name AS vendor, o.currency, o.exchange_rate,
       o.vendor_reference, o.note, o.created_at, creator.name AS created_by, o.sent_on, o.received_on,
       o.mailed_to, o.mailed_at, o.mailing_at, o.cancelled_at, o.cancelled_because,
       page.lines, page.open_lines, page.lines_begun, page.goods,
       page.goods * o.exchange_rate AS value, page.open_value * o.exchange_rate AS open_value,
       coalesce(page.due_on, page.last_expected_on, o.expected_on) AS expected_on,
       coalesce(page.late_days, 0) AS late_days,
       (SELECT count(*) FROM matching) AS total_count,
       (SELECT count(*) FROM matching AS m WHERE m.late_days > 0) AS late_count,
       (SELECT coalesce(sum(m.open_value * m.exchange_rate), 0) FROM matching AS m) AS total_open_value
FROM page
JOIN purchase_order AS o ON o.id = page.id
JOIN vendor AS v ON v.id = o.vendor_id
JOIN person AS creator ON creator.id = o.created_by
ORDER BY CASE WHEN :descending THEN NULL ELSE page.word END ASC NULLS LAST,
         CASE WHEN :descending THEN page.word END DESC NULLS LAST,
         CASE WHEN :descending THEN NULL ELSE page.rank END ASC NULLS LAST,
         CASE WHEN :descending THEN page.rank END DESC NULLS LAST,
         page.id DESC
