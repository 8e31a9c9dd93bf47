-- Where is the ledger wrong?
-- One row: a place where a rule is broken (product and warehouse, a movement or a posting), with the figures of
-- its sentence. At most :most a rule, those that are known first: what is known and not among them is whole.
-- A rule of days is one row for each product and warehouse, with the first of its days.
-- Parameters: rules (the broken ones of `ledger_faults.sql`; the others are not looked into), most.
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
), answered AS (
    SELECT sale.id, sale.product_id, sale.warehouse_id, sale.posting_id,
           -sale.change AS sold, bool_or(undone.id IS NOT NULL) AS is_reversed,
           coalesce(sum(back.change) FILTER (WHERE taken_back.id IS NULL), 0) AS returned
    FROM movement AS back
    JOIN movement AS sale ON sale.id = back.returns_id
    LEFT JOIN movement AS undone ON undone.reverses_id = sale.id
    LEFT JOIN movement AS taken_back ON taken_back.reverses_id = back.id
    GROUP BY sale.id
), reversals AS (
    SELECT m.id, m.product_id, m.warehouse_id, m.posting_id, m.change, m.reverses_id, o.change AS reversed,
           m.change <> -o.change OR m.product_id <> o.product_id
               OR m.warehouse_id <> o.warehouse_id AS is_other,
           row_number() OVER (PARTITION BY m.reverses_id ORDER BY m.id) > 1 AS is_again
    FROM movement AS m
    JOIN movement AS o ON o.id = m.reverses_id
), broken (rule, product_id, warehouse_id, movement_id, posting_id, figures) AS (
    SELECT 'negative', product_id, warehouse_id, CAST(NULL AS bigint), CAST(NULL AS bigint),
           jsonb_build_object('on_hand', quantity::text)
    FROM stock_level
    WHERE quantity < 0 AND 'negative' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'negative', product_id, warehouse_id, id, posting_id,
           jsonb_build_object('after', stock_after::text)
    FROM movement
    WHERE stock_after < 0 AND 'negative' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'level_is_not_the_sum', product_id, warehouse_id, NULL, NULL,
           jsonb_build_object('on_hand', coalesce(quantity, 0)::text, 'sum', coalesce(sums.change, 0)::text)
    FROM stock_level
    FULL JOIN sums USING (product_id, warehouse_id)
    WHERE coalesce(quantity, 0) <> coalesce(sums.change, 0) AND 'level_is_not_the_sum' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'level_is_not_the_last_closing', l.product_id, l.warehouse_id, NULL, NULL,
           jsonb_build_object('on_hand', l.quantity::text, 'closing', coalesce(d.closing, 0)::text)
    FROM stock_level AS l
    LEFT JOIN days AS d
        ON d.product_id = l.product_id AND d.warehouse_id = l.warehouse_id AND d.from_the_end = 1
    WHERE l.quantity <> coalesce(d.closing, 0) AND 'level_is_not_the_last_closing' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'broken_days', product_id, warehouse_id, NULL, NULL,
           (array_agg(jsonb_build_object('day', day, 'opening', opening::text, 'receipts', receipts::text,
                                         'demand', demand::text, 'other', other::text,
                                         'closing', closing::text) ORDER BY day))[1] || jsonb_build_object('days', count(*))
    FROM days
    WHERE closing <> opening + receipts - demand + other AND 'broken_days' = ANY(CAST(:rules AS text[]))
    GROUP BY product_id, warehouse_id
    UNION ALL
    SELECT 'demand_is_not_the_sum', product_id, warehouse_id, NULL, NULL,
           (array_agg(jsonb_build_object('day', day, 'kept', coalesce(stock_day.demand, 0)::text,
                                         'sum', coalesce(demand.demand, 0)::text) ORDER BY day))[1]
           || jsonb_build_object('days', count(*))
    FROM stock_day
    FULL JOIN demand USING (product_id, warehouse_id, day)
    WHERE coalesce(stock_day.demand, 0) <> coalesce(demand.demand, 0)
      AND 'demand_is_not_the_sum' = ANY(CAST(:rules AS text[]))
    GROUP BY product_id, warehouse_id
    UNION ALL
    SELECT 'broken_chain', product_id, warehouse_id, id, posting_id,
           jsonb_build_object('expected', expected::text, 'before', stock_before::text, 'change', change::text,
                              'after', stock_after::text)
    FROM chain
    WHERE (stock_before <> expected OR stock_after <> stock_before + change)
      AND 'broken_chain' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'unbalanced_transfers', leg.product_id, leg.warehouse_id, leg.id, leg.posting_id,
           jsonb_build_object('change', leg.change::text, 'other', leg.counterpart_id,
                              'is_there', other.id IS NOT NULL)
    FROM movement AS leg
    LEFT JOIN movement AS other ON other.id = leg.counterpart_id
    WHERE leg.type = 'transfer' AND 'unbalanced_transfers' = ANY(CAST(:rules AS text[])) AND (
        other.id IS NULL OR other.counterpart_id IS DISTINCT FROM leg.id OR other.type <> 'transfer'
        OR other.posting_id <> leg.posting_id OR other.change <> -leg.change
        OR other.product_id <> leg.product_id OR other.warehouse_id = leg.warehouse_id)
    UNION ALL
    SELECT 'orphans', m.product_id, m.warehouse_id, m.id, m.posting_id, '{}'
    FROM movement AS m
    LEFT JOIN posting AS p ON p.id = m.posting_id
    WHERE p.id IS NULL AND 'orphans' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'orphans', NULL, NULL, NULL, p.id, jsonb_build_object('kind', p.kind, 'at', p.recorded_at)
    FROM posting AS p
    WHERE p.answer -> 'lines' IS DISTINCT FROM '[]' AND 'orphans' = ANY(CAST(:rules AS text[]))
      AND NOT EXISTS (SELECT 1 FROM movement AS m WHERE m.posting_id = p.id)
    UNION ALL
    SELECT 'wrong_reversals', product_id, warehouse_id, id, posting_id,
           jsonb_build_object('change', change::text, 'reverses', reverses_id, 'reversed', reversed::text,
                              'is_again', is_again AND NOT is_other)
    FROM reversals
    WHERE (is_other OR is_again) AND 'wrong_reversals' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'returned_twice', product_id, warehouse_id, id, posting_id,
           jsonb_build_object('sold', sold::text, 'returned', returned::text, 'is_reversed', is_reversed)
    FROM answered
    WHERE (returned > sold OR returned < 0 OR (returned > 0 AND is_reversed))
      AND 'returned_twice' = ANY(CAST(:rules AS text[]))
    UNION ALL
    SELECT 'negative_demand', product_id, warehouse_id, NULL, NULL,
           (array_agg(jsonb_build_object('day', day, 'kept', demand::text) ORDER BY day))[1]
           || jsonb_build_object('days', count(*))
    FROM stock_day
    WHERE demand < 0 AND 'negative_demand' = ANY(CAST(:rules AS text[]))
    GROUP BY product_id, warehouse_id
), placed AS (
    SELECT b.*, row_number() OVER (
               PARTITION BY b.rule
               ORDER BY f.id IS NULL, b.product_id, b.warehouse_id, b.movement_id, b.posting_id
           ) AS place
    FROM broken AS b
    LEFT JOIN ledger_fault AS f
        ON f.gone_at IS NULL AND f.rule = b.rule
        AND f.product_id IS NOT DISTINCT FROM b.product_id
        AND f.warehouse_id IS NOT DISTINCT FROM b.warehouse_id
        AND f.movement_id IS NOT DISTINCT FROM b.movement_id
        AND f.posting_id IS NOT DISTINCT FROM b.posting_id
)
SELECT pl.rule, p.id AS product_id, w.id AS warehouse_id, pl.movement_id, pl.posting_id, pl.figures,
       p.sku, w.code AS warehouse_code
FROM placed AS pl
LEFT JOIN product AS p ON p.id = pl.product_id
LEFT JOIN warehouse AS w ON w.id = pl.warehouse_id
WHERE pl.place <= :most
ORDER BY pl.rule, pl.place
