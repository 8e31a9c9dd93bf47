-- What did vendors ask for products, from when until when, and who said so?
-- One row: a price step of an offer, newest offer first. state: current, upcoming, past, corrected (another
-- one was entered for the same first day) or withdrawn. until: the last day on which the offer counted, null
-- while it does or will; is_expired: it counts although its valid_until is over. file: the price list it came
-- with. Dates of withdrawals are those of the shop's time zone.
-- Parameters: today; vendor_id, product_id (null: all); limit (offers).
WITH asked AS (
    SELECT o.*, lead(o.valid_from) OVER following AS next_from, lead(o.id) OVER following AS next_id
    FROM vendor_offer AS o
    WHERE (CAST(:vendor_id AS integer) IS NULL OR o.vendor_id = CAST(:vendor_id AS integer))
      AND (CAST(:product_id AS integer) IS NULL OR o.product_id = CAST(:product_id AS integer))
    WINDOW following AS (PARTITION BY o.vendor_id, o.product_id, o.withdrawn_at IS NULL
                         ORDER BY o.valid_from, o.id)
), newest AS (
    SELECT * FROM asked ORDER BY valid_from DESC, id DESC LIMIT :limit
), told AS (
    SELECT o.*, CAST(o.withdrawn_at AT TIME ZONE shop.time_zone AS date) AS withdrawn_on,
           CASE WHEN o.withdrawn_at IS NOT NULL THEN 'withdrawn'
                WHEN o.next_from = o.valid_from THEN 'corrected'
                WHEN o.valid_from > CAST(:today AS date) THEN 'upcoming'
                WHEN o.next_from <= CAST(:today AS date) THEN 'past'
                ELSE 'current' END AS state
    FROM newest AS o CROSS JOIN shop
)
SELECT o.uid AS offer_uid, o.product_id, p.uid AS product_uid, p.sku, p.name AS product,
       o.vendor_id, v.uid AS vendor_uid, v.name AS vendor, v.currency, o.vendor_sku,
       s.minimum_quantity, s.unit_price, o.lead_time_days, o.minimum_order_quantity, o.order_multiple,
       o.valid_from, o.valid_until, o.state,
       CASE WHEN o.state = 'past' THEN o.next_from - 1
            WHEN o.state = 'withdrawn' AND o.withdrawn_on >= o.valid_from THEN o.withdrawn_on END AS until,
       o.state = 'current' AND coalesce(o.valid_until < CAST(:today AS date), false) AS is_expired,
       person.name AS entered_by, o.created_at AS entered_at, i.file_name AS file, i.uid AS import_uid
FROM told AS o
JOIN price_step AS s ON s.offer_id = o.id
JOIN product AS p ON p.id = o.product_id
JOIN vendor AS v ON v.id = o.vendor_id
LEFT JOIN person ON person.id = o.created_by
LEFT JOIN import AS i ON i.id = o.import_id
ORDER BY o.valid_from DESC, o.id DESC, s.minimum_quantity
