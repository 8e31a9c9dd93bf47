-- The only way into the ledger: books the lines of one posting, all of them or none.
--
-- p_lines is a JSON array of objects with product_id, warehouse_id, type, reason_code, change (signed) and,
-- where known, unit_price, occurred_at, reason, reference_type, reference_id, customer, reverses_id,
-- returns_id, counterpart_line (the 0-based place of a transfer's other leg). A posting of one line may give
-- `counted` instead of `change`: the stock that is there, or `total`: that of all warehouses together. When
-- that is what is on hand, the posting has no movement (it is kept all the same, so that a retry does not
-- count away what was sold since).
--
-- Answers {"posting_id", "lines": [{"movement_id", "product_id", "warehouse_id", "change", "before",
-- "after"}]}, with "replayed" when the key was booked before; or {"refused": [{"line", "code", ...}]} and
-- then nothing was written. Codes: insufficient_stock (with on_hand and asked), unknown_product,
-- unknown_warehouse, unknown_reason, wrong_sign, unknown_movement, inactive_product,
-- inactive_warehouse, already_reversed, already_returned (with
-- movement_id, sold and returned), not_the_opposite, broken_transfer, key_reused. Quantities are JSON strings,
-- so that no reader makes floats of them.
--
-- A sale comes back once: what was returned of it never exceeds what was sold, a reversed sale is not returned
-- and a returned one is not reversed (reverse the return first). A return goes where the sale left from.
--
-- Concurrency: the key is taken first (two copies of one request wait for each other), then each level with
-- one conditional UPDATE; ids are drawn while the level is locked, so the order of ids is booking order.
-- Several lines go through post_stock_lines, which locks its levels in sorted order.
CREATE OR REPLACE FUNCTION post_stock(
    p_actor integer, p_kind text, p_key text, p_hash bytea, p_lines jsonb
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    kept record;
    line record;
    original record;
    zone text;
    place_is_active boolean;
    product_is_active boolean;
    reason_is_demand boolean;
    level_after numeric;
    level_before numeric;
    on_hand numeric;
    returned numeric;
    movement_id bigint;
    posting_id bigint;
    happened_at timestamptz;
    stock_day_of date;
    demand_day_of date;
    sold numeric := 0;
    received numeric := 0;
    answer jsonb;
    batch_id uuid;
BEGIN
    IF jsonb_array_length(p_lines) <> 1 THEN
        batch_id := gen_random_uuid();
        INSERT INTO posting_line (
            batch, line_no, product_id, warehouse_id, type, reason_code, change, unit_price, occurred_at, reason,
            reference_type, reference_id, customer, reverses_id, returns_id, counterpart_line
        )
        SELECT batch_id, given.place - 1, l.product_id, l.warehouse_id, l.type, l.reason_code, l.change,
               l.unit_price, l.occurred_at, l.reason, l.reference_type, l.reference_id, l.customer,
               l.reverses_id, l.returns_id, l.counterpart_line
        FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS given (line, place),
             jsonb_to_record(given.line) AS l (
                 product_id integer, warehouse_id integer, type text, reason_code text, change numeric,
                 unit_price numeric, occurred_at timestamptz, reason text, reference_type text,
                 reference_id text, customer text, reverses_id bigint, returns_id bigint,
                 counterpart_line integer);
        RETURN post_stock_lines(p_actor, p_kind, p_key, p_hash, batch_id, true);
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended(p_actor || ':' || p_key, 0));
    SELECT p.request_hash, p.answer INTO kept FROM posting AS p WHERE p.actor_id = p_actor AND p.key = p_key;
    IF FOUND THEN
        IF kept.request_hash <> p_hash THEN
            RETURN jsonb_build_object('refused', jsonb_build_array(
                jsonb_build_object('line', 0, 'code', 'key_reused')));
        END IF;
        RETURN kept.answer || jsonb_build_object('replayed', true);
    END IF;

    SELECT * INTO line FROM jsonb_to_record(p_lines -> 0) AS l (
        product_id integer, warehouse_id integer, type text, reason_code text, change numeric(18, 4),
        unit_price numeric(14, 4), occurred_at timestamptz, reason text, reference_type text,
        reference_id text, customer text, reverses_id bigint, returns_id bigint, counted numeric(18, 4),
        total numeric(18, 4));

    SELECT w.time_zone, w.is_active INTO zone, place_is_active
    FROM warehouse AS w WHERE w.id = line.warehouse_id;
    IF NOT FOUND THEN
        RETURN refusal('unknown_warehouse');
    END IF;
    SELECT r.is_demand INTO reason_is_demand FROM reason AS r WHERE r.code = line.reason_code;
    IF NOT FOUND THEN
        RETURN refusal('unknown_reason');
    END IF;
    SELECT p.is_active INTO product_is_active FROM product AS p WHERE p.id = line.product_id;
    IF NOT FOUND THEN
        RETURN refusal('unknown_product');
    END IF;
    IF line.type = 'transfer' THEN
        RETURN refusal('broken_transfer');
    END IF;
    IF coalesce(line.counted, line.total) IS NOT NULL THEN
        -- A count: the difference to what is on hand, found under the locks that also book it.
        IF coalesce(line.counted, line.total) < 0 THEN
            RETURN refusal('wrong_sign');
        END IF;
        INSERT INTO stock_level (product_id, warehouse_id, quantity)
        VALUES (line.product_id, line.warehouse_id, 0) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM stock_level AS level
        WHERE level.product_id = line.product_id
          AND (level.warehouse_id = line.warehouse_id OR line.total IS NOT NULL)
        ORDER BY level.warehouse_id FOR UPDATE;
        -- A statement of its own: it sees a level that a transfer made while the locks were waited for.
        SELECT coalesce(line.counted, line.total) - sum(level.quantity) INTO line.change
        FROM stock_level AS level
        WHERE level.product_id = line.product_id
          AND (level.warehouse_id = line.warehouse_id OR line.total IS NOT NULL);
        IF line.change = 0 THEN
            posting_id := nextval('posting_id_seq');
            answer := jsonb_build_object('posting_id', posting_id, 'lines', '[]'::jsonb);
            INSERT INTO posting (id, actor_id, kind, key, request_hash, answer)
            VALUES (posting_id, p_actor, p_kind, p_key, p_hash, answer);
            RETURN answer;
        END IF;
    END IF;
    IF line.change = 0 OR (line.reverses_id IS NULL AND (
        (line.type = 'in' AND line.change < 0) OR (line.type = 'out' AND line.change > 0)
    )) THEN
        RETURN refusal('wrong_sign');
    END IF;
    -- What was closed is emptied, never filled; a mistake made before can still be taken back.
    IF line.change > 0 AND line.reverses_id IS NULL AND NOT (place_is_active AND product_is_active) THEN
        RETURN refusal(CASE WHEN place_is_active THEN 'inactive_product' ELSE 'inactive_warehouse' END);
    END IF;

    happened_at := coalesce(line.occurred_at, now());
    stock_day_of := (happened_at AT TIME ZONE zone)::date;
    demand_day_of := CASE WHEN reason_is_demand AND line.change < 0 THEN stock_day_of END;
    IF coalesce(line.reverses_id, line.returns_id) IS NOT NULL THEN
        SELECT m.* INTO original FROM movement AS m WHERE m.id = coalesce(line.reverses_id, line.returns_id);
        IF NOT FOUND THEN
            RETURN refusal('unknown_movement');
        END IF;
        IF original.product_id <> line.product_id OR original.warehouse_id <> line.warehouse_id
           OR (line.reverses_id IS NOT NULL AND (original.change <> -line.change OR original.type <> line.type))
           OR (line.reverses_id IS NULL
               AND (line.change < 0 OR original.change > 0 OR original.reverses_id IS NOT NULL)) THEN
            RETURN refusal('not_the_opposite');
        END IF;
        demand_day_of := original.demand_day;
        IF line.reverses_id IS NOT NULL THEN
            happened_at := original.occurred_at;
            stock_day_of := original.day;
        END IF;
        -- Under the level's lock, so that two answers to one movement cannot both get past these lines.
        PERFORM 1 FROM stock_level AS level
        WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id FOR UPDATE;
        PERFORM 1 FROM movement AS m WHERE m.reverses_id = original.id;
        IF FOUND THEN
            RETURN refusal('already_reversed', jsonb_build_object('movement_id', original.id));
        END IF;
        returned := returned_of(original.id);
        IF (line.reverses_id IS NOT NULL AND returned > 0)
           OR (line.reverses_id IS NULL AND returned + line.change > -original.change) THEN
            RETURN refusal('already_returned', jsonb_build_object(
                'movement_id', original.id, 'sold', (-original.change)::text, 'returned', returned::text));
        END IF;
    END IF;

    PERFORM announce_ids();
    -- One conditional statement moves the level; waiting for the row lock re-evaluates it, the id included.
    UPDATE stock_level AS level
    SET quantity = level.quantity + line.change,
        last_movement_id = nextval('movement_id_seq'),
        updated_at = now()
    WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id
      AND level.quantity + line.change >= 0
    RETURNING level.quantity, level.last_movement_id INTO level_after, movement_id;
    IF NOT FOUND AND line.change > 0 THEN
        INSERT INTO stock_level AS level (product_id, warehouse_id, quantity, last_movement_id)
        VALUES (line.product_id, line.warehouse_id, line.change, nextval('movement_id_seq'))
        ON CONFLICT (product_id, warehouse_id) DO UPDATE
            SET quantity = level.quantity + line.change,
                last_movement_id = nextval('movement_id_seq'),
                updated_at = now()
        RETURNING level.quantity, level.last_movement_id INTO level_after, movement_id;
    ELSIF NOT FOUND THEN
        SELECT level.quantity INTO on_hand FROM stock_level AS level
        WHERE level.product_id = line.product_id AND level.warehouse_id = line.warehouse_id;
        RETURN refusal('insufficient_stock', jsonb_build_object(
            'product_id', line.product_id, 'warehouse_id', line.warehouse_id,
            'on_hand', coalesce(on_hand, 0)::text, 'asked', (-line.change)::text));
    END IF;
    level_before := level_after - line.change;

    posting_id := nextval('posting_id_seq');
    answer := jsonb_build_object('posting_id', posting_id, 'lines', jsonb_build_array(jsonb_build_object(
        'movement_id', movement_id, 'product_id', line.product_id, 'warehouse_id', line.warehouse_id,
        'change', line.change::text, 'before', level_before::text, 'after', level_after::text)));
    INSERT INTO posting (id, actor_id, kind, key, request_hash, answer)
    VALUES (posting_id, p_actor, p_kind, p_key, p_hash, answer);
    INSERT INTO movement (
        id, posting_id, product_id, warehouse_id, type, reason_code, change, stock_before, stock_after,
        unit_price, occurred_at, day, demand_day, reason, reference_type, reference_id, customer,
        reverses_id, returns_id
    ) VALUES (
        movement_id, posting_id, line.product_id, line.warehouse_id, line.type, line.reason_code, line.change,
        level_before, level_after, line.unit_price, happened_at, stock_day_of, demand_day_of, line.reason,
        line.reference_type, line.reference_id, line.customer, line.reverses_id, line.returns_id
    );

    IF demand_day_of IS NOT NULL THEN
        sold := -line.change;
    ELSIF line.type = 'in' THEN
        received := line.change;
    END IF;
    IF demand_day_of IS NULL OR demand_day_of = stock_day_of THEN
        PERFORM roll_up(line.product_id, line.warehouse_id, stock_day_of, sold, received,
                        line.change - received + sold);
    ELSE
        -- The stock came back today, the demand it takes back was on the day of the sale.
        PERFORM roll_up(line.product_id, line.warehouse_id, demand_day_of, sold, 0, sold);
        PERFORM roll_up(line.product_id, line.warehouse_id, stock_day_of, 0, 0, line.change);
    END IF;
    RETURN answer;
END $$;
