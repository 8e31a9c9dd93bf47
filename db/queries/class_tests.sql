-- How often did ranges hold in the test on the past, in one class of demand?
-- One row: "right" of "of" tested ranges, of at most `most` products.
-- Parameters: demand_class, most.
SELECT CAST(coalesce(round(sum(judged.inside)), 0) AS integer) AS "right",
       CAST(coalesce(sum(judged.tasks), 0) AS integer) AS "of"
FROM (
    SELECT CAST(f.scores ->> 'tasks' AS double precision) AS tasks,
           coalesce(CAST(f.scores ->> 'inside' AS double precision),
                    CAST(f.scores ->> 'coverage' AS double precision)
                    * CAST(f.scores ->> 'tasks' AS double precision)) AS inside
    FROM forecast AS f
    WHERE f.demand_class = :demand_class AND f.is_current AND f.warehouse_id IS NULL
      AND f.scores -> 'tasks' IS NOT NULL
    LIMIT :most
) AS judged
