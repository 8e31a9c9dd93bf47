-- Says, until the transaction ends, that movements with ids above those drawn so far are being written.
--
-- Ids are drawn before commit, so a movement can appear after one with a higher id. Whoever reads the ledger
-- by id looks at these locks (db/queries/ledger_horizon.sql) and stops before the first id that may still
-- come. Called just before ids are drawn. The lock is shared, so nobody ever waits for it; its two numbers
-- are the upper and lower 31 bits of the last id drawn. Nothing else uses advisory locks of two numbers.
CREATE OR REPLACE FUNCTION announce_ids() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT pg_advisory_xact_lock_shared((seq.drawn >> 31)::integer, (seq.drawn & 2147483647)::integer)
    FROM (SELECT last_value - (NOT is_called)::integer AS drawn FROM movement_id_seq) AS seq
$$;
