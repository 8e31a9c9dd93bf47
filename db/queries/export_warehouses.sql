-- What are the warehouses called that an export speaks of?
-- One row: one warehouse in order of ids.
SELECT warehouse.id, warehouse.uid, warehouse.code FROM warehouse ORDER BY warehouse.id
