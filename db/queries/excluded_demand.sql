-- What demand of these products is left out?
-- One row: an exclusion that stands. Of days: starts_on and ends_on. Of a sale: its demand_day, warehouse_id
-- and the units by which it still raises that day's demand: what came back is out of it already, and a
-- reversed sale raises nothing.
-- Parameters: product_ids (null: all products).
WITH out AS (
    SELECT e.product_id, e.starts_on, e.ends_on, e.movement_id
    FROM demand_exclusion AS e
    WHERE e.undone_at IS NULL
      AND (CAST(:product_ids AS integer[]) IS NULL OR e.product_id = ANY(CAST(:product_ids AS integer[])))
), family AS (
    SELECT out.movement_id AS sale_id, out.movement_id AS id FROM out WHERE out.movement_id IS NOT NULL
    UNION ALL
    SELECT out.movement_id, back.id FROM out JOIN movement AS back ON back.returns_id = out.movement_id
), line AS (
    SELECT family.sale_id, m.change, m.demand_day FROM family JOIN movement AS m ON m.id = family.id
    UNION ALL
    SELECT family.sale_id, m.change, m.demand_day FROM family JOIN movement AS m ON m.reverses_id = family.id
), still AS (
    SELECT line.sale_id, sum(-line.change) AS units
    FROM line WHERE line.demand_day IS NOT NULL GROUP BY line.sale_id
)
SELECT out.product_id, out.starts_on, out.ends_on, sale.demand_day, sale.warehouse_id, still.units
FROM out
LEFT JOIN still ON still.sale_id = out.movement_id
LEFT JOIN movement AS sale ON sale.id = out.movement_id
