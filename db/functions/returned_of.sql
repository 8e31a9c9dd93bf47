-- How much of a sale is back on the shelf: its returns, without those that were reversed.
CREATE OR REPLACE FUNCTION returned_of(p_sale bigint) RETURNS numeric
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT coalesce(sum(m.change), 0) FROM movement AS m
    WHERE m.returns_id = p_sale AND m.reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM movement AS undone WHERE undone.reverses_id = m.id)
$$;
