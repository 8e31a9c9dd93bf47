-- Which prices rose lately, or are going to?
-- One row: an offer that counts or is to come, beside the one before it, where the later one is dearer. Prices
-- are compared at the smallest quantity that both sell (quantity), in the vendor's currency; rough_cost is what
-- the difference is worth a day in the shop's at the demand of the next weeks, and orders the rows.
-- Parameters: today; since (first days before it are old news); vendor_id, product_id (null: all); most.
WITH offered AS (
    SELECT DISTINCT ON (o.vendor_id, o.product_id, o.valid_from) o.*
    FROM vendor_offer AS o
    WHERE o.withdrawn_at IS NULL
      AND (CAST(:vendor_id AS integer) IS NULL OR o.vendor_id = CAST(:vendor_id AS integer))
      AND (CAST(:product_id AS integer) IS NULL OR o.product_id = CAST(:product_id AS integer))
    ORDER BY o.vendor_id, o.product_id, o.valid_from, o.id DESC
), followed AS (
    SELECT o.*, lag(o.id) OVER each AS before_id, lead(o.valid_from) OVER each AS next_from
    FROM offered AS o
    WINDOW each AS (PARTITION BY o.vendor_id, o.product_id ORDER BY o.valid_from)
), newer AS (
    SELECT * FROM followed
    WHERE before_id IS NOT NULL AND valid_from >= CAST(:since AS date)
      AND (next_from IS NULL OR next_from > CAST(:today AS date))
), priced AS (
    SELECT n.*, at.quantity,
           (SELECT s.unit_price FROM price_step AS s WHERE s.offer_id = n.id
            AND s.minimum_quantity <= at.quantity ORDER BY s.minimum_quantity DESC LIMIT 1) AS price,
           (SELECT s.unit_price FROM price_step AS s WHERE s.offer_id = n.before_id
            AND s.minimum_quantity <= at.quantity ORDER BY s.minimum_quantity DESC LIMIT 1) AS price_before
    FROM newer AS n
    CROSS JOIN LATERAL (
        SELECT max(least) AS quantity FROM (
            SELECT min(s.minimum_quantity) AS least FROM price_step AS s
            WHERE s.offer_id IN (n.id, n.before_id) GROUP BY s.offer_id
        ) AS steps
    ) AS at
)
SELECT o.uid AS offer_uid, o.product_id, p.uid AS product_uid, p.sku, p.name AS product, v.uid AS vendor_uid,
       v.name AS vendor, v.currency, v.exchange_rate, o.quantity, o.price_before, o.price, o.valid_from,
       o.valid_from > CAST(:today AS date) AS is_upcoming,
       coalesce(p.preferred_vendor_id = o.vendor_id, false) AS is_preferred,
       (o.price - o.price_before) * v.exchange_rate * coalesce(r.daily_rate, 0) AS rough_cost
FROM priced AS o
JOIN product AS p ON p.id = o.product_id AND p.is_active
JOIN vendor AS v ON v.id = o.vendor_id AND v.is_active
LEFT JOIN run_out AS r ON r.product_id = o.product_id AND r.warehouse_id IS NULL
WHERE o.price > o.price_before
ORDER BY rough_cost DESC, p.sku, o.valid_from
LIMIT :most
