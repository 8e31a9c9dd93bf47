-- How many movements does an export tell that tells not all, and between which ones does a page of it lie?
-- One row: total (all of them up to the horizon); after_id, behind which the page begins, and last_id, the id of
-- its last row (both null: the page is empty); more, whether others follow. Parameters: the filters of an
-- export, each may be null: since and until (business days), warehouse_id, category, updated_since; marked_id,
-- up to which all were booked before updated_since (0: nobody knows); after_id, behind which `offset` counts;
-- offset; limit; horizon.
WITH told AS NOT MATERIALIZED (
    SELECT m.id
    FROM movement AS m
    WHERE m.id > :marked_id AND m.id <= :horizon
      AND (CAST(:since AS date) IS NULL OR m.day >= :since)
      AND (CAST(:until AS date) IS NULL OR m.day <= :until)
      AND (CAST(:warehouse_id AS integer) IS NULL OR m.warehouse_id = :warehouse_id)
      AND (CAST(:category AS text) IS NULL
           OR m.product_id = ANY (ARRAY(SELECT product.id FROM product WHERE product.category = :category)))
      AND (CAST(:updated_since AS timestamptz) IS NULL
           OR EXISTS (SELECT FROM posting AS p WHERE p.id = m.posting_id AND p.recorded_at >= :updated_since))
), page AS (
    SELECT told.id, row_number() OVER (ORDER BY told.id) AS nth
    FROM (SELECT told.id FROM told WHERE told.id > :after_id
          ORDER BY told.id OFFSET :offset LIMIT CAST(:limit AS bigint) + 1) AS told
)
SELECT (SELECT count(*) FROM told) AS total,
       (SELECT min(page.id) - 1 FROM page) AS after_id,
       (SELECT max(page.id) FROM page WHERE page.nth <= :limit) AS last_id,
       (SELECT count(*) > :limit FROM page) AS more
