-- What does the shop have to do with each vendor: what it offers, what is on order there, how it is quoted?
-- One row: a vendor. offers: products it offers today (of those how many are expired or run out within
-- :soon_days); quoted_days: the middle of its quoted lead times, else its usual one; on_order: what is open of
-- sent orders, in the shop's currency; late: orders of which a promised part is missing.
-- Parameters: today, soon_days, text_like (may be null), only_active.
WITH asked AS (
    SELECT * FROM vendor AS v
    WHERE (v.is_active OR NOT :only_active)
      AND (CAST(:text_like AS text) IS NULL OR v.name ILIKE :text_like OR v.contact_name ILIKE :text_like
           OR v.email ILIKE :text_like OR v.phone ILIKE :text_like)
), offered AS (
    SELECT o.vendor_id, count(*) AS offers,
           count(*) FILTER (WHERE o.valid_until < CAST(:today AS date)) AS expired,
           count(*) FILTER (WHERE o.valid_until >= CAST(:today AS date)
                              AND o.valid_until <= CAST(:today AS date) + CAST(:soon_days AS integer)) AS ending,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY o.lead_time_days) AS lead_time_days
    FROM offers_on(CAST(:today AS date)) AS o
    GROUP BY o.vendor_id
), waiting AS (
    SELECT o.vendor_id, count(DISTINCT o.id) FILTER (WHERE o.state <> 'draft') AS orders,
           count(DISTINCT o.id) FILTER (WHERE o.state = 'draft') AS drafts,
           count(DISTINCT o.id) FILTER (WHERE o.state <> 'draft' AND l.quantity > l.received + l.given_up
               AND coalesce(l.promised_on, l.expected_on, o.expected_on) < CAST(:today AS date)) AS late,
           sum(greatest(l.quantity - l.received - l.given_up, 0) * l.unit_price * o.exchange_rate)
               FILTER (WHERE o.state <> 'draft') AS on_order
    FROM purchase_order AS o LEFT JOIN purchase_order_line AS l ON l.order_id = o.id
    WHERE o.state IN ('draft', 'sent', 'partly_received')
    GROUP BY o.vendor_id
)
SELECT v.id, v.uid, v.name, v.is_active, v.currency, v.contact_name, v.email, v.phone,
       coalesce(offered.offers, 0) AS offers, coalesce(offered.expired, 0) AS expired,
       coalesce(offered.ending, 0) AS ending, coalesce(offered.lead_time_days, v.lead_time_days) AS quoted_days,
       coalesce(waiting.orders, 0) AS orders, coalesce(waiting.drafts, 0) AS drafts,
       coalesce(waiting.late, 0) AS late, coalesce(waiting.on_order, 0) AS on_order
FROM asked AS v
LEFT JOIN offered ON offered.vendor_id = v.id
LEFT JOIN waiting ON waiting.vendor_id = v.id
ORDER BY lower(v.name), v.id
