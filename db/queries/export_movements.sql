-- What did the ledger write down, in columns of fixed width?
-- One row: one movement in order of ids, of those behind after_id and up to last_id that were asked for.
-- `place` holds the product's id, the warehouse's in 24 bits and the first letter of the type; change and
-- price are in ten-thousandths, a price of -1 is none. No null, so every row has the same length.
-- (For COPY in binary: a number costs a third of a numeric on the way, and a join is cheaper in memory.)
SELECT m.id, m.posting_id,
       (m.product_id::bigint << 32) | (m.warehouse_id::bigint << 8) | ascii(m.type) AS place,
       (m.change * 10000)::bigint AS change, coalesce((m.unit_price * 10000)::bigint, -1) AS unit_price,
       m.occurred_at
FROM movement AS m
WHERE m.id > :after_id AND m.id <= :last_id
  AND (CAST(:since AS date) IS NULL OR m.day >= :since)
  AND (CAST(:until AS date) IS NULL OR m.day <= :until)
  AND (CAST(:warehouse_id AS integer) IS NULL OR m.warehouse_id = :warehouse_id)
  AND (CAST(:category AS text) IS NULL
       OR m.product_id IN (SELECT product.id FROM product WHERE product.category = :category))
ORDER BY m.id
LIMIT :limit
