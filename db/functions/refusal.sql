-- The answer of a posting of one line that is refused.
CREATE OR REPLACE FUNCTION refusal(p_code text, p_facts jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT jsonb_build_object('refused', jsonb_build_array(
        jsonb_build_object('line', 0, 'code', p_code) || p_facts))
$$;
