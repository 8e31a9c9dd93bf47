-- The offer of each active vendor that counts on a day: one row a product and vendor that has one.
-- Inlined into the question that asks it, so that a condition on product_id reaches the index.
CREATE OR REPLACE FUNCTION offers_on(asked_on date) RETURNS SETOF vendor_offer
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (o.product_id, o.vendor_id) o.*
    FROM vendor_offer AS o
    WHERE o.withdrawn_at IS NULL AND o.valid_from <= asked_on
      AND EXISTS (SELECT FROM vendor AS v WHERE v.id = o.vendor_id AND v.is_active)
    ORDER BY o.product_id, o.vendor_id, o.valid_from DESC, o.id DESC
$$;
