-- Books many postings of one line each that arrived together, every one judged for itself by post_stock.
--
-- p_postings is a JSON array of objects with place (its number), actor, kind, key, hash (hexadecimal), line (as
-- post_stock reads it) and api_key (of a machine, or null). One row for each: its place, the answer of post_stock,
-- what thresholds_of says about it, and when it happened and was booked (null when refused).
--
-- A refusal leaves no trace and touches no other posting. An error (a number out of range, a lost connection)
-- undoes them all: whoever called books them one at a time then, under the same keys.
--
-- Concurrency: first all keys are taken in sorted order, then the levels in sorted order as their postings come;
-- those of one level in the order of `place`. So two of these, and whoever locks levels in sorted order, never wait
-- in a circle. It waits for a lock less long than PostgreSQL takes to look for a circle: an import that books
-- for minutes holds up what it stands in the way of, not what happened to arrive together with that.
CREATE OR REPLACE FUNCTION post_stock_each(p_postings jsonb)
RETURNS TABLE (
    place integer, answer jsonb, thresholds jsonb, occurred_at timestamptz, recorded_at timestamptz
)
LANGUAGE plpgsql SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    wanted record;
    booked_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(taken.hash)
    FROM (
        SELECT DISTINCT hashtextextended(p.actor || ':' || p.key, 0) AS hash
        FROM jsonb_to_recordset(p_postings) AS p (actor integer, key text)
        ORDER BY hash
    ) AS taken;
    FOR wanted IN
        SELECT p.*
        FROM jsonb_to_recordset(p_postings) AS p (
            place integer, actor integer, kind text, key text, hash text, line jsonb, api_key integer)
        ORDER BY (p.line ->> 'product_id')::integer, (p.line ->> 'warehouse_id')::integer, p.place
    LOOP
        place := wanted.place;
        answer := post_stock(
            wanted.actor, wanted.kind, wanted.key, decode(wanted.hash, 'hex'), jsonb_build_array(wanted.line));
        thresholds := thresholds_of(answer);
        IF wanted.api_key IS NOT NULL AND answer ? 'posting_id' AND NOT answer ? 'replayed' THEN
            INSERT INTO key_posting (posting_id, api_key_id)
            VALUES ((answer ->> 'posting_id')::bigint, wanted.api_key);
        END IF;
        booked_id := (answer #>> '{lines,0,movement_id}')::bigint;
        -- Read, not now(): it may have been booked before.
        SELECT m.occurred_at, p.recorded_at INTO occurred_at, recorded_at
        FROM movement AS m JOIN posting AS p ON p.id = m.posting_id
        WHERE m.id = booked_id;
        RETURN NEXT;
    END LOOP;
END $$;
