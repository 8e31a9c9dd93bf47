-- How many order lines came on some days, and how many of them were served?
-- One row: all these products together. A day on which a product was asked for counts as one line, served (what
-- was left unserved on a day that ended empty is not known). On a day without anything on the shelf a line is
-- expected with the frequency of the days before, and lost.
-- Parameters: product_ids; warehouse_ids (taken together); first_on, last_on; since (of the days before).
WITH sold AS (
    SELECT product_id, day, sum(demand) AS demand
    FROM stock_day
    WHERE product_id = ANY(CAST(:product_ids AS integer[]))
      AND warehouse_id = ANY(CAST(:warehouse_ids AS integer[]))
      AND day BETWEEN CAST(:since AS date) AND CAST(:last_on AS date)
    GROUP BY product_id, day
), usual AS (
    SELECT product_id,
           count(*) FILTER (WHERE demand > 0)::float / (CAST(:first_on AS date) - min(day)) AS often
    FROM sold WHERE day < CAST(:first_on AS date)
    GROUP BY product_id
), days AS (
    SELECT product.id AS product_id, CAST(day AS date) AS day
    FROM product
    CROSS JOIN generate_series(CAST(:first_on AS date), CAST(:last_on AS date), interval '1 day') AS day
    WHERE product.id = ANY(CAST(:product_ids AS integer[]))
), lived AS (
    SELECT days.product_id, days.day, coalesce(sold.demand, 0) AS demand, coalesce((
               SELECT sum(last_row.closing)
               FROM unnest(CAST(:warehouse_ids AS integer[])) AS place
               CROSS JOIN LATERAL (
                   SELECT s.closing FROM stock_day AS s
                   WHERE s.product_id = days.product_id AND s.warehouse_id = place AND s.day <= days.day
                   ORDER BY s.day DESC LIMIT 1
               ) AS last_row
           ), 0) AS closing
    FROM days
    LEFT JOIN sold ON sold.product_id = days.product_id AND sold.day = days.day
)
SELECT count(*) FILTER (WHERE lived.demand > 0) AS served,
       count(*) FILTER (WHERE lived.demand > 0)
       + coalesce(sum(coalesce(usual.often, 0)) FILTER (WHERE lived.demand <= 0 AND lived.closing <= 0), 0)
           AS lines
FROM lived
LEFT JOIN usual ON usual.product_id = lived.product_id
