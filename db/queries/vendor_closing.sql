-- What hangs on a vendor that is to be closed?
-- One row: how many active products prefer the vendor, and how many nobody else offers today.
-- Parameters: vendor_id, today.
WITH asked AS (
    SELECT o.product_id
    FROM offers_on(CAST(:today AS date)) AS o JOIN product AS p ON p.id = o.product_id
    WHERE p.is_active
    GROUP BY o.product_id
    HAVING min(o.vendor_id) = :vendor_id AND max(o.vendor_id) = :vendor_id
)
SELECT (SELECT count(*) FROM product WHERE preferred_vendor_id = :vendor_id AND is_active) AS preferred_by,
       (SELECT count(*) FROM asked) AS only_vendor_of
