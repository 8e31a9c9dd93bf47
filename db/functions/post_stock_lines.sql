-- The set-based sibling of post_stock: books every line of one batch of posting_line as one posting, under
-- the same rules and with the same result as line by line in order of line_no; all of them or none.
--
-- Answers {"posting_id", "lines_booked"}, plus "lines" as post_stock does when p_with_lines;
-- "replayed" when the key was booked before; or {"refused": [...]} with the first 100 refused lines.
CREATE OR REPLACE FUNCTION post_stock_lines(
    p_actor integer, p_kind text, p_key text, p_hash bytea, p_batch uuid, p_with_lines boolean DEFAULT false
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept record;
    refused jsonb;
    new_posting_id bigint;
    booked bigint;
    answer jsonb;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(p_actor || ':' || p_key, 0));
    SELECT p.request_hash, p.answer INTO kept FROM posting AS p WHERE p.actor_id = p_actor AND p.key = p_key;
    IF FOUND THEN
        DELETE FROM posting_line WHERE batch = p_batch;
        IF kept.request_hash <> p_hash THEN
            RETURN refusal('key_reused');
        END IF;
        RETURN kept.answer || jsonb_build_object('replayed', true);
    END IF;

    -- What a line says about itself and about the line or movement it names.
    SELECT jsonb_agg(jsonb_build_object('line', bad.line_no, 'code', bad.code)) INTO refused
    FROM (
        SELECT l.line_no,
               CASE
                   WHEN p.id IS NULL THEN 'unknown_product'
                   WHEN w.id IS NULL THEN 'unknown_warehouse'
                   WHEN r.code IS NULL THEN 'unknown_reason'
                   WHEN l.change = 0 THEN 'wrong_sign'
                   WHEN l.change > 0 AND l.reverses_id IS NULL AND l.reverses_line IS NULL
                        AND NOT w.is_active THEN 'inactive_warehouse'
                   WHEN l.change > 0 AND l.reverses_id IS NULL AND l.reverses_line IS NULL
                        AND NOT p.is_active THEN 'inactive_product'
                   WHEN l.reverses_id IS NULL AND l.reverses_line IS NULL
                        AND ((l.type = 'in' AND l.change < 0) OR (l.type = 'out' AND l.change > 0))
                       THEN 'wrong_sign'
                   WHEN (l.reverses_id IS NOT NULL AND reversed.id IS NULL)
                        OR (l.returns_id IS NOT NULL AND returned.id IS NULL)
                        OR (l.reverses_line IS NOT NULL AND reversed_line.line_no IS NULL)
                        OR (l.returns_line IS NOT NULL AND returned_line.line_no IS NULL)
                       THEN 'unknown_movement'
                   WHEN reversed.id IS NOT NULL AND (reversed.change <> -l.change
                        OR reversed.product_id <> l.product_id OR reversed.warehouse_id <> l.warehouse_id
                        OR reversed.type <> l.type)
                       THEN 'not_the_opposite'
                   WHEN reversed_line.line_no IS NOT NULL AND (reversed_line.change <> -l.change
                        OR reversed_line.product_id <> l.product_id
                        OR reversed_line.warehouse_id <> l.warehouse_id OR reversed_line.type <> l.type
                        OR reversed_line.line_no > l.line_no)
                       THEN 'not_the_opposite'
                   WHEN returned.id IS NOT NULL AND l.reverses_id IS NULL AND (
                        l.change < 0 OR returned.change > 0 OR returned.reverses_id IS NOT NULL
                        OR returned.product_id <> l.product_id OR returned.warehouse_id <> l.warehouse_id)
                       THEN 'not_the_opposite'
                   WHEN returned_line.line_no IS NOT NULL AND l.reverses_line IS NULL AND (
                        l.change < 0 OR returned_line.change > 0
                        OR coalesce(returned_line.reverses_id, returned_line.reverses_line) IS NOT NULL
                        OR returned_line.product_id <> l.product_id
                        OR returned_line.warehouse_id <> l.warehouse_id OR returned_line.line_no > l.line_no)
                       THEN 'not_the_opposite'
                   WHEN l.type = 'transfer' AND (other_leg.line_no IS NULL OR other_leg.type <> 'transfer'
                        OR other_leg.counterpart_line IS DISTINCT FROM l.line_no
                        OR other_leg.product_id <> l.product_id OR other_leg.change <> -l.change
                        OR other_leg.warehouse_id = l.warehouse_id)
                       THEN 'broken_transfer'
               END AS code
        FROM posting_line AS l
        LEFT JOIN product AS p ON p.id = l.product_id
        LEFT JOIN warehouse AS w ON w.id = l.warehouse_id
        LEFT JOIN reason AS r ON r.code = l.reason_code
        LEFT JOIN movement AS reversed ON reversed.id = l.reverses_id
        LEFT JOIN movement AS returned ON returned.id = l.returns_id
        LEFT JOIN posting_line AS reversed_line
            ON reversed_line.batch = l.batch AND reversed_line.line_no = l.reverses_line
        LEFT JOIN posting_line AS returned_line
            ON returned_line.batch = l.batch AND returned_line.line_no = l.returns_line
        LEFT JOIN posting_line AS other_leg
            ON other_leg.batch = l.batch AND other_leg.line_no = l.counterpart_line
        WHERE l.batch = p_batch
    ) AS bad
    WHERE bad.code IS NOT NULL;
    IF refused IS NOT NULL THEN
        DELETE FROM posting_line WHERE batch = p_batch;
        RETURN jsonb_build_object('refused', jsonb_path_query_array(refused, '$[0 to 99]'));
    END IF;

    -- Lock every level in sorted order, so that two batches can wait for each other but never in a circle.
    -- A level that is not there yet is made first: what cannot be locked could appear before it is judged.
    INSERT INTO stock_level (product_id, warehouse_id, quantity)
    SELECT DISTINCT l.product_id, l.warehouse_id, 0
    FROM posting_line AS l WHERE l.batch = p_batch
    ORDER BY l.product_id, l.warehouse_id
    ON CONFLICT DO NOTHING;
    PERFORM 1 FROM stock_level AS level
    WHERE (level.product_id, level.warehouse_id) IN (
        SELECT l.product_id, l.warehouse_id FROM posting_line AS l WHERE l.batch = p_batch
    )
    ORDER BY level.product_id, level.warehouse_id
    FOR UPDATE;

    -- Under the locks: what is on hand before each line, and who was faster with the same reversal.
    SELECT jsonb_agg(told.refusal ORDER BY told.line_no) INTO refused
    FROM (
        SELECT running.line_no,
               jsonb_build_object(
                   'line', running.line_no, 'code', 'insufficient_stock', 'product_id', running.product_id,
                   'warehouse_id', running.warehouse_id, 'on_hand', (running.after - running.change)::text,
                   'asked', (-running.change)::text) AS refusal
        FROM (
            SELECT l.line_no, l.product_id, l.warehouse_id, l.change,
                   coalesce(level.quantity, 0) + sum(l.change) OVER (
                       PARTITION BY l.product_id, l.warehouse_id ORDER BY l.line_no) AS after
            FROM posting_line AS l
            LEFT JOIN stock_level AS level USING (product_id, warehouse_id)
            WHERE l.batch = p_batch
        ) AS running
        WHERE running.after < 0
        UNION ALL
        SELECT l.line_no, jsonb_build_object(
                   'line', l.line_no, 'code', 'already_reversed', 'movement_id', l.reverses_id)
        FROM posting_line AS l
        WHERE l.batch = p_batch AND l.reverses_id IS NOT NULL
          AND (EXISTS (SELECT 1 FROM movement AS m WHERE m.reverses_id = l.reverses_id)
               OR EXISTS (SELECT 1 FROM posting_line AS twin
                          WHERE twin.batch = p_batch AND twin.reverses_id = l.reverses_id
                            AND twin.line_no < l.line_no))
        UNION ALL
        SELECT l.line_no, jsonb_build_object('line', l.line_no, 'code', 'already_reversed')
        FROM posting_line AS l
        WHERE l.batch = p_batch AND l.reverses_line IS NOT NULL
          AND EXISTS (SELECT 1 FROM posting_line AS twin
                      WHERE twin.batch = p_batch AND twin.reverses_line = l.reverses_line
                        AND twin.line_no < l.line_no)
        UNION ALL
        SELECT answer.line_no, jsonb_build_object(
                   'line', answer.line_no,
                   'code', CASE WHEN answer.is_return AND answer.reversed THEN 'already_reversed'
                                ELSE 'already_returned' END,
                   'sold', answer.sold::text, 'returned', (answer.returned - answer.change)::text)
                   || CASE WHEN answer.sale_id IS NULL THEN '{}' ELSE
                          jsonb_build_object('movement_id', answer.sale_id) END
        FROM (
            -- A line that answers a sale of the ledger or of the batch, and what came of that sale so far.
            SELECT a.*, -coalesce(sale.change, sale_line.change) AS sold,
                   coalesce(returned_of(a.sale_id), 0) + sum(a.change) OVER sale_so_far AS returned,
                   bool_or(a.is_reversal) OVER sale_so_far
                       OR EXISTS (SELECT 1 FROM movement AS m WHERE m.reverses_id = a.sale_id) AS reversed
            FROM (
                SELECT l.line_no, l.change, l.returns_id AS sale_id, l.returns_line AS sale_line,
                       true AS is_return, false AS is_reversal
                FROM posting_line AS l
                WHERE l.batch = p_batch AND (l.returns_id IS NOT NULL OR l.returns_line IS NOT NULL)
                  AND l.reverses_id IS NULL AND l.reverses_line IS NULL
                UNION ALL
                SELECT l.line_no, l.change, undone.returns_id, NULL, false, false
                FROM posting_line AS l JOIN movement AS undone ON undone.id = l.reverses_id
                WHERE l.batch = p_batch AND undone.returns_id IS NOT NULL
                UNION ALL
                SELECT l.line_no, l.change, undone.returns_id, undone.returns_line, false, false
                FROM posting_line AS l
                JOIN posting_line AS undone ON undone.batch = p_batch AND undone.line_no = l.reverses_line
                WHERE l.batch = p_batch
                  AND (undone.returns_id IS NOT NULL OR undone.returns_line IS NOT NULL)
                UNION ALL
                SELECT l.line_no, 0, l.reverses_id, l.reverses_line, false, true
                FROM posting_line AS l
                WHERE l.batch = p_batch AND (l.reverses_id IS NOT NULL OR l.reverses_line IS NOT NULL)
            ) AS a
            LEFT JOIN movement AS sale ON sale.id = a.sale_id
            LEFT JOIN posting_line AS sale_line
                ON sale_line.batch = p_batch AND sale_line.line_no = a.sale_line
            WINDOW sale_so_far AS (PARTITION BY a.sale_id, a.sale_line ORDER BY a.line_no)
        ) AS answer
        WHERE (answer.is_return AND (answer.reversed OR answer.returned > answer.sold))
           OR (answer.is_reversal AND answer.returned > 0)
        ORDER BY line_no LIMIT 100
    ) AS told;
    IF refused IS NOT NULL THEN
        DELETE FROM posting_line WHERE batch = p_batch;
        RETURN jsonb_build_object('refused', refused);
    END IF;

    PERFORM announce_ids();
    new_posting_id := nextval('posting_id_seq');
    -- ids are drawn in line order now that every level is locked: the order of ids is booking order. Drawn once
    -- and kept (MATERIALIZED): a plan that asked again for each line would draw them in the order of the disk.
    WITH numbered AS MATERIALIZED (
        SELECT ordered.*, nextval('movement_id_seq') AS movement_id
        FROM (
        SELECT l.line_no,
               coalesce(level.quantity, 0) + sum(l.change) OVER (
                   PARTITION BY l.product_id, l.warehouse_id ORDER BY l.line_no) AS after,
               coalesce(reversed.occurred_at, l.occurred_at, now()) AS happened_at,
               coalesce(reversed.day, (coalesce(l.occurred_at, now()) AT TIME ZONE w.time_zone)::date) AS day,
               CASE
                   WHEN l.reverses_id IS NOT NULL THEN reversed.demand_day
                   WHEN l.returns_id IS NOT NULL THEN returned.demand_day
                   WHEN r.is_demand AND l.change < 0
                       THEN (coalesce(l.occurred_at, now()) AT TIME ZONE w.time_zone)::date
               END AS demand_day
        FROM posting_line AS l
        JOIN warehouse AS w ON w.id = l.warehouse_id
        JOIN reason AS r ON r.code = l.reason_code
        LEFT JOIN stock_level AS level
            ON level.product_id = l.product_id AND level.warehouse_id = l.warehouse_id
        LEFT JOIN movement AS reversed ON reversed.id = l.reverses_id
        LEFT JOIN movement AS returned ON returned.id = l.returns_id
        WHERE l.batch = p_batch
        ORDER BY l.line_no
        ) AS ordered
    )
    UPDATE posting_line AS line
    SET movement_id = numbered.movement_id, stock_after = numbered.after,
        happened_at = numbered.happened_at, day = numbered.day, demand_day = numbered.demand_day
    FROM numbered
    WHERE line.batch = p_batch AND line.line_no = numbered.line_no;
    GET DIAGNOSTICS booked = ROW_COUNT;

    -- A line that names another line of the batch takes over that line's days.
    UPDATE posting_line AS line
    SET demand_day = named.demand_day,
        happened_at = CASE WHEN line.reverses_line IS NULL THEN line.happened_at ELSE named.happened_at END,
        day = CASE WHEN line.reverses_line IS NULL THEN line.day ELSE named.day END
    FROM posting_line AS named
    WHERE line.batch = p_batch AND named.batch = p_batch
      AND named.line_no = coalesce(line.reverses_line, line.returns_line);

    answer := jsonb_build_object('posting_id', new_posting_id, 'lines_booked', booked);
    IF p_with_lines THEN
        answer := answer || jsonb_build_object('lines', (
            SELECT jsonb_agg(jsonb_build_object(
                       'movement_id', l.movement_id, 'product_id', l.product_id,
                       'warehouse_id', l.warehouse_id, 'change', l.change::text,
                       'before', (l.stock_after - l.change)::text, 'after', l.stock_after::text
                   ) ORDER BY l.line_no)
            FROM posting_line AS l WHERE l.batch = p_batch));
    END IF;
    INSERT INTO posting (id, actor_id, kind, key, request_hash, answer)
    VALUES (new_posting_id, p_actor, p_kind, p_key, p_hash, answer);

    INSERT INTO movement (
        id, posting_id, product_id, warehouse_id, type, reason_code, change, stock_before, stock_after,
        unit_price, occurred_at, day, demand_day, reason, reference_type, reference_id, customer,
        reverses_id, returns_id, counterpart_id
    )
    SELECT l.movement_id, new_posting_id, l.product_id, l.warehouse_id, l.type, l.reason_code, l.change,
           l.stock_after - l.change, l.stock_after, l.unit_price, l.happened_at, l.day, l.demand_day,
           l.reason, l.reference_type, l.reference_id, l.customer,
           coalesce(l.reverses_id, reversed.movement_id), coalesce(l.returns_id, returned.movement_id),
           other_leg.movement_id
    FROM posting_line AS l
    LEFT JOIN posting_line AS reversed ON reversed.batch = p_batch AND reversed.line_no = l.reverses_line
    LEFT JOIN posting_line AS returned ON returned.batch = p_batch AND returned.line_no = l.returns_line
    LEFT JOIN posting_line AS other_leg
        ON other_leg.batch = p_batch AND other_leg.line_no = l.counterpart_line
    WHERE l.batch = p_batch
    ORDER BY l.line_no;

    UPDATE stock_level AS level
    SET quantity = level.quantity + moved.change, last_movement_id = moved.last_id, updated_at = now()
    FROM (
        SELECT l.product_id, l.warehouse_id, sum(l.change) AS change, max(l.movement_id) AS last_id
        FROM posting_line AS l WHERE l.batch = p_batch GROUP BY l.product_id, l.warehouse_id
    ) AS moved
    WHERE level.product_id = moved.product_id AND level.warehouse_id = moved.warehouse_id;

    -- The roll-up: first each day's own figures, then closing stock from the earliest day touched.
    INSERT INTO stock_day AS rolled (product_id, warehouse_id, day, demand, receipts, other, closing)
    SELECT figures.product_id, figures.warehouse_id, figures.day,
           sum(figures.demand), sum(figures.receipts), sum(figures.other), 0
    FROM (
        SELECT l.product_id, l.warehouse_id, l.day,
               CASE WHEN l.demand_day = l.day THEN -l.change ELSE 0 END AS demand,
               CASE WHEN l.demand_day IS NULL AND l.type = 'in' THEN l.change ELSE 0 END AS receipts,
               CASE WHEN l.demand_day = l.day OR (l.demand_day IS NULL AND l.type = 'in') THEN 0
                    ELSE l.change END AS other
        FROM posting_line AS l WHERE l.batch = p_batch
        UNION ALL
        -- The stock came back on one day, the demand it takes back was on another.
        SELECT l.product_id, l.warehouse_id, l.demand_day, -l.change, 0, -l.change
        FROM posting_line AS l WHERE l.batch = p_batch AND l.demand_day <> l.day
    ) AS figures
    GROUP BY figures.product_id, figures.warehouse_id, figures.day
    ON CONFLICT (product_id, warehouse_id, day) DO UPDATE
        SET demand = rolled.demand + excluded.demand,
            receipts = rolled.receipts + excluded.receipts,
            other = rolled.other + excluded.other;

    WITH touched AS (
        SELECT l.product_id, l.warehouse_id, min(least(l.day, l.demand_day)) AS first_day
        FROM posting_line AS l WHERE l.batch = p_batch GROUP BY l.product_id, l.warehouse_id
    ), opening AS (
        SELECT touched.*, coalesce((
                   SELECT before.closing FROM stock_day AS before
                   WHERE before.product_id = touched.product_id
                     AND before.warehouse_id = touched.warehouse_id AND before.day < touched.first_day
                   ORDER BY before.day DESC LIMIT 1
               ), 0) AS stock
        FROM touched
    ), closings AS (
        SELECT s.product_id, s.warehouse_id, s.day,
               opening.stock + sum(s.receipts - s.demand + s.other) OVER (
                   PARTITION BY s.product_id, s.warehouse_id ORDER BY s.day) AS closing
        FROM stock_day AS s
        JOIN opening ON opening.product_id = s.product_id AND opening.warehouse_id = s.warehouse_id
                    AND s.day >= opening.first_day
    )
    UPDATE stock_day AS s SET closing = closings.closing
    FROM closings
    WHERE s.product_id = closings.product_id AND s.warehouse_id = closings.warehouse_id
      AND s.day = closings.day AND s.closing IS DISTINCT FROM closings.closing;

    DELETE FROM posting_line WHERE batch = p_batch;
    RETURN answer;
END $$;
