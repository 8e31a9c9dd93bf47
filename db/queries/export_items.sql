-- What are the products called that an export speaks of?
-- One row: one product in order of ids; with product_ids only those, with a category only those of it.
SELECT product.id, product.uid, product.sku, product.category
FROM product
WHERE (CAST(:product_ids AS integer[]) IS NULL OR product.id = ANY(CAST(:product_ids AS integer[])))
  AND (CAST(:category AS text) IS NULL OR product.category = :category)
ORDER BY product.id
