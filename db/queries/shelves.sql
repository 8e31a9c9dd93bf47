-- Which products and warehouses have these public ids, and which warehouse is the default one?
-- One row: one of them, with the id it has inside, its SKU or code and its name.
SELECT false AS is_warehouse, p.uid, p.id, p.sku AS code, p.name, false AS is_default
FROM product AS p
WHERE p.uid = ANY(CAST(:product_uids AS uuid[]))
UNION ALL
SELECT true, w.uid, w.id, w.code, w.name, w.is_default
FROM warehouse AS w
WHERE w.uid = ANY(CAST(:warehouse_uids AS uuid[])) OR w.is_default
