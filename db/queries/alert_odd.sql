-- Which products have movements that somebody should look at, or a broken rule of the ledger?
-- One row: a product with open findings (type anomaly), or a product, null for none in particular, with open
-- faults (type ledger). message: of the gravest; expected_loss: chance times money at risk, summed.
-- Parameters: product_ids (null: everything).
WITH odd AS (
    SELECT 'anomaly' AS type, product_id, id, message, raised_at AS seen_at, score AS chance, money_at_risk,
           CAST(score AS numeric) * money_at_risk AS expected_loss
    FROM finding
    WHERE state = 'open'
    UNION ALL
    SELECT 'ledger', product_id, id, message, first_seen_at, NULL, 0, 0
    FROM ledger_fault
    WHERE gone_at IS NULL
)
SELECT o.type, o.product_id, p.sku, count(*) AS number,
       (array_agg(o.message ORDER BY o.expected_loss DESC, o.id))[1] AS message,
       max(o.seen_at) AS news_at, max(o.chance) AS chance,
       CAST(sum(o.money_at_risk) AS numeric(28, 4)) AS money_at_risk, sum(o.expected_loss) AS expected_loss
FROM odd AS o
LEFT JOIN product AS p ON p.id = o.product_id
WHERE CAST(:product_ids AS integer[]) IS NULL OR o.product_id = ANY(CAST(:product_ids AS integer[]))
GROUP BY o.type, o.product_id, p.sku
ORDER BY o.type, o.product_id
