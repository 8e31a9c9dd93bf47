-- The thresholds of what a booking moved, so that whoever booked can tell whether it crossed one.
--
-- p_answer is the answer of post_stock. Answers [{"product_id", "of_shop", "on_hand", "of_places"}], one for
-- each active product with a threshold: that of the shop (or null), what the whole shop has on hand now, and
-- those of warehouses as {warehouse_id: threshold} (or null). Quantities are JSON strings. Null when there is
-- none, and when nothing was booked (refused, or booked before).
--
-- A function because every booking asks: its plans are kept, and it travels with the booking's own statement.
-- Product by product, so that each plan is one look into an index. VOLATILE so that it sees what that
-- statement has just booked.
CREATE OR REPLACE FUNCTION thresholds_of(p_answer jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    moved integer;
    threshold numeric;
    of_places jsonb;
    on_hand numeric;
    found_so_far jsonb;
BEGIN
    IF p_answer ? 'refused' OR p_answer ? 'replayed' THEN
        RETURN NULL;
    END IF;
    FOR moved IN
        SELECT DISTINCT (line ->> 'product_id')::integer FROM jsonb_array_elements(p_answer -> 'lines') AS line
    LOOP
        SELECT p.reorder_threshold INTO threshold FROM product AS p WHERE p.id = moved AND p.is_active;
        CONTINUE WHEN NOT FOUND;
        SELECT jsonb_object_agg(t.warehouse_id, t.reorder_threshold::text) INTO of_places
        FROM warehouse_threshold AS t WHERE t.product_id = moved;
        CONTINUE WHEN threshold IS NULL AND of_places IS NULL;
        SELECT sum(level.quantity) INTO on_hand FROM stock_level AS level WHERE level.product_id = moved;
        found_so_far := coalesce(found_so_far, '[]') || jsonb_build_object(
            'product_id', moved, 'of_shop', threshold::text, 'on_hand', on_hand::text, 'of_places', of_places);
    END LOOP;
    RETURN found_so_far;
END
$$;
