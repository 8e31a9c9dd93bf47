-- What is wrong in the ledger?
-- One row: how often each rule is broken, all 0 on a sound ledger. Reads every movement.
WITH chain AS (
    SELECT m.*, lag(stock_after, 1, 0) OVER (PARTITION BY product_id, warehouse_id ORDER BY id) AS expected
    FROM movement AS m
), sums AS (
    SELECT product_id, warehouse_id, sum(change) AS change FROM movement GROUP BY product_id, warehouse_id
), days AS (
    SELECT s.*, row_number() OVER backwards AS from_the_end,
           lag(closing, 1, 0) OVER (PARTITION BY product_id, warehouse_id ORDER BY day) AS opening
    FROM stock_day AS s
    WINDOW backwards AS (PARTITION BY product_id, warehouse_id ORDER BY day DESC)
), demand AS (
    SELECT product_id, warehouse_id, demand_day AS day, -sum(change) AS demand
    FROM movement WHERE demand_day IS NOT NULL GROUP BY product_id, warehouse_id, demand_day
), lone_legs AS (
    SELECT leg.id
    FROM movement AS leg
    LEFT JOIN movement AS other ON other.id = leg.counterpart_id
    WHERE leg.type = 'transfer' AND (
        other.id IS NULL OR other.counterpart_id IS DISTINCT FROM leg.id OR other.type <> 'transfer'
        OR other.posting_id <> leg.posting_id OR other.change <> -leg.change
        OR other.product_id <> leg.product_id OR other.warehouse_id = leg.warehouse_id)
), answered AS (
    SELECT -sale.change AS sold, bool_or(undone.id IS NOT NULL) AS is_reversed,
           coalesce(sum(back.change) FILTER (WHERE taken_back.id IS NULL), 0) AS returned
    FROM movement AS back
    JOIN movement AS sale ON sale.id = back.returns_id
    LEFT JOIN movement AS undone ON undone.reverses_id = sale.id
    LEFT JOIN movement AS taken_back ON taken_back.reverses_id = back.id
    GROUP BY sale.id
)
SELECT
    (SELECT count(*) FROM stock_level WHERE quantity < 0)
        + (SELECT count(*) FROM movement WHERE stock_after < 0) AS negative,
    (SELECT count(*) FROM stock_level FULL JOIN sums USING (product_id, warehouse_id)
     WHERE coalesce(quantity, 0) <> coalesce(sums.change, 0)) AS level_is_not_the_sum,
    (SELECT count(*) FROM stock_level AS l
     LEFT JOIN days AS d ON d.product_id = l.product_id AND d.warehouse_id = l.warehouse_id
         AND d.from_the_end = 1
     WHERE l.quantity <> coalesce(d.closing, 0)) AS level_is_not_the_last_closing,
    (SELECT count(*) FROM days WHERE closing <> opening + receipts - demand + other) AS broken_days,
    (SELECT count(*) FROM stock_day FULL JOIN demand USING (product_id, warehouse_id, day)
     WHERE coalesce(stock_day.demand, 0) <> coalesce(demand.demand, 0)) AS demand_is_not_the_sum,
    (SELECT count(*) FROM chain WHERE stock_before <> expected OR stock_after <> stock_before + change)
        AS broken_chain,
    (SELECT count(*) FROM lone_legs) AS unbalanced_transfers,
    (SELECT count(*) FROM movement AS m LEFT JOIN posting AS p ON p.id = m.posting_id WHERE p.id IS NULL)
        + (SELECT count(*) FROM posting AS p
           WHERE p.answer -> 'lines' IS DISTINCT FROM '[]'  -- a count that found what is on hand
             AND NOT EXISTS (SELECT 1 FROM movement AS m WHERE m.posting_id = p.id)) AS orphans,
    (SELECT count(*) FROM movement AS m JOIN movement AS o ON o.id = m.reverses_id
     WHERE m.change <> -o.change OR m.product_id <> o.product_id OR m.warehouse_id <> o.warehouse_id)
        + (SELECT count(*) - count(DISTINCT reverses_id) FROM movement WHERE reverses_id IS NOT NULL)
        AS wrong_reversals,
    (SELECT count(*) FROM answered
     WHERE returned > sold OR returned < 0 OR (returned > 0 AND is_reversed)) AS returned_twice,
    (SELECT count(*) FROM stock_day WHERE demand < 0) AS negative_demand
