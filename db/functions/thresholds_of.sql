-- The thresholds of what a booking moved, so that whoever booked can tell whether it crossed one.
--
-- p_answer is the answer of post_stock. Answers [{"product_id", "of_shop", "on_hand", "of_places"}], one for
-- each active product with a threshold: that of the shop (or null), what the whole shop has on hand now, and
-- those of warehouses as {warehouse_id: threshold} (or null). Quantities are JSON strings. Null when there is
-- none, and when nothing was booked (refused, or booked before).
--
-- A function because every booking asks: its plans are kept, and it travels with the booking's own statement.
-- VOLATILE so that it sees what that statement has just booked.
CREATE OR REPLACE FUNCTION thresholds_of(p_answer jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF p_answer ? 'refused' OR p_answer ? 'replayed' THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT jsonb_agg(jsonb_build_object(
            'product_id', p.id,
            'of_shop', p.reorder_threshold::text,
            'on_hand', (
                SELECT sum(level.quantity)::text FROM stock_level AS level WHERE level.product_id = p.id),
            'of_places', place.thresholds))
        FROM (
            SELECT DISTINCT (line ->> 'product_id')::integer AS id
            FROM jsonb_array_elements(p_answer -> 'lines') AS line
        ) AS moved
        JOIN product AS p ON p.id = moved.id AND p.is_active
        LEFT JOIN LATERAL (
            SELECT jsonb_object_agg(t.warehouse_id, t.reorder_threshold::text) AS thresholds
            FROM warehouse_threshold AS t WHERE t.product_id = p.id
        ) AS place ON true
        WHERE p.reorder_threshold IS NOT NULL OR place.thresholds IS NOT NULL
    );
END
$$;
