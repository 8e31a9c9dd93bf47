-- What was booked for these products, day by day, since the oldest of their open ranges was issued?
-- One row: a product and a day, all warehouses together, to the newest day booked; and on_hand, its stock of
-- now. A product on which nothing was booked since has one row without a day.
-- Parameters: product_ids.
WITH asked AS (
    SELECT r.product_id, min(r.issued_on) AS since FROM issued_range AS r
    WHERE r.state = 'open' AND r.product_id = ANY(CAST(:product_ids AS integer[]))
    GROUP BY r.product_id
)
SELECT asked.product_id, s.day, s.demand, s.receipts, s.other, level.on_hand
FROM asked
CROSS JOIN LATERAL (
    SELECT CAST(coalesce(sum(l.quantity), 0) AS double precision) AS on_hand FROM stock_level AS l WHERE l.product_id = asked.product_id
) AS level
LEFT JOIN LATERAL (
    SELECT d.day, CAST(sum(d.demand) AS double precision) AS demand,
           CAST(sum(d.receipts) AS double precision) AS receipts,
           CAST(sum(d.other) AS double precision) AS other
    FROM stock_day AS d
    WHERE d.product_id = asked.product_id AND d.day >= asked.since
    GROUP BY d.day
) AS s ON true
