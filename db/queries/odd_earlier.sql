-- What was booked before some movements: the last lines of their products, documents and customers?
-- One row: a movement that counts as a line (no reversal, no invented or opening stock), in booking order; `at` is
-- its moment on the clock of its warehouse, as seconds since 1970; with who booked it and, when it was
-- reversed, by which movement. Never the whole ledger: each product, document and customer is read backwards in
-- its own index, from before its first movement that is asked about.
-- Parameters (arrays side by side): products and product_before; documents (reference_type, '' for none),
-- references and document_before; customers and customer_before; pair_products, pair_customers and pair_before
-- (what a customer had of a product); of_product, of_document, of_customer, of_pair (how many of each);
-- reasons (those of lines); ids (movements that are lines themselves and come along).
WITH wanted AS (
    SELECT earlier.id
    FROM unnest(CAST(:products AS integer[]), CAST(:product_before AS bigint[])) AS asked (product_id, before_id)
    CROSS JOIN LATERAL (
        SELECT m.id FROM movement AS m
        WHERE m.product_id = asked.product_id AND m.id < asked.before_id
          AND m.reverses_id IS NULL AND m.reason_code = ANY(CAST(:reasons AS text[]))
        ORDER BY m.id DESC LIMIT :of_product
    ) AS earlier
    UNION
    SELECT earlier.id
    FROM unnest(CAST(:documents AS text[]), CAST(:references AS text[]), CAST(:document_before AS bigint[]))
        AS asked (reference_type, reference_id, before_id)
    CROSS JOIN LATERAL (
        SELECT m.id FROM movement AS m
        WHERE m.reference_id = asked.reference_id AND coalesce(m.reference_type, '') = asked.reference_type
          AND m.id < asked.before_id
          AND m.reverses_id IS NULL AND m.reason_code = ANY(CAST(:reasons AS text[]))
        ORDER BY m.id DESC LIMIT :of_document
    ) AS earlier
    UNION
    SELECT earlier.id
    FROM unnest(CAST(:customers AS text[]), CAST(:customer_before AS bigint[])) AS asked (customer, before_id)
    CROSS JOIN LATERAL (
        SELECT m.id FROM movement AS m
        WHERE m.customer = asked.customer AND m.id < asked.before_id
          AND m.reverses_id IS NULL AND m.reason_code = ANY(CAST(:reasons AS text[]))
        ORDER BY m.id DESC LIMIT :of_customer
    ) AS earlier
    UNION
    SELECT earlier.id
    FROM unnest(CAST(:pair_customers AS text[]), CAST(:pair_products AS integer[]), CAST(:pair_before AS bigint[]))
        AS asked (customer, product_id, before_id)
    CROSS JOIN LATERAL (
        SELECT m.id FROM movement AS m
        WHERE m.customer = asked.customer AND m.product_id = asked.product_id AND m.id < asked.before_id
          AND m.reverses_id IS NULL AND m.reason_code = ANY(CAST(:reasons AS text[]))
        ORDER BY m.id DESC LIMIT :of_pair
    ) AS earlier
    UNION
    SELECT unnest(CAST(:ids AS bigint[]))
)
SELECT m.id, m.product_id, m.warehouse_id, m.reason_code, m.change::float8 AS change,
       m.unit_price::float8 AS unit_price,
       extract(epoch FROM m.occurred_at AT TIME ZONE w.time_zone)::float8 AS at, m.customer,
       m.reference_type, m.reference_id, p.actor_id, m.stock_before::float8 AS stock_before,
       undone.id AS reversed_by
FROM wanted
-- LIMIT 1: row by row in the index, however many rows are guessed.
CROSS JOIN LATERAL (SELECT line.* FROM movement AS line WHERE line.id = wanted.id LIMIT 1) AS m
JOIN posting AS p ON p.id = m.posting_id
JOIN warehouse AS w ON w.id = m.warehouse_id
LEFT JOIN LATERAL (SELECT later.id FROM movement AS later WHERE later.reverses_id = m.id LIMIT 1) AS undone ON true
ORDER BY m.id
