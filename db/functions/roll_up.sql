-- Adds one day's figures of one product and warehouse to the daily roll-up and carries the change of
-- closing stock into every later row. The caller holds the lock on the stock level.
-- Keeps: closing = closing of the row before + receipts - demand + other.
CREATE OR REPLACE FUNCTION roll_up(
    p_product integer, p_warehouse integer, p_day date, p_demand numeric, p_receipts numeric, p_other numeric
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    net numeric := p_receipts - p_demand + p_other;
BEGIN
    INSERT INTO stock_day AS kept (product_id, warehouse_id, day, demand, receipts, other, closing)
    VALUES (
        p_product, p_warehouse, p_day, p_demand, p_receipts, p_other,
        net + coalesce((
            SELECT before.closing FROM stock_day AS before
            WHERE before.product_id = p_product AND before.warehouse_id = p_warehouse AND before.day < p_day
            ORDER BY before.day DESC LIMIT 1
        ), 0)
    )
    ON CONFLICT (product_id, warehouse_id, day) DO UPDATE
        SET demand = kept.demand + p_demand,
            receipts = kept.receipts + p_receipts,
            other = kept.other + p_other,
            closing = kept.closing + net;

    IF net <> 0 THEN
        UPDATE stock_day SET closing = closing + net
        WHERE product_id = p_product AND warehouse_id = p_warehouse AND day > p_day;
    END IF;
END $$;
