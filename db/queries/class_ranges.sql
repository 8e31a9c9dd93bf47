-- How often did the latest issued ranges of one class of demand hold?
-- One row: "right" of the last `most` whose days are over and that could be judged.
-- Parameters: demand_class, today, most.
SELECT count(*) FILTER (WHERE over.state = 'inside') AS "right", count(*) AS "of"
FROM (
    SELECT r.state FROM issued_range AS r
    WHERE r.demand_class = :demand_class AND r.state IN ('inside', 'early', 'late')
      AND coalesce(r.p90_on, r.until) < :today
    ORDER BY coalesce(r.p90_on, r.until) DESC
    LIMIT :most
) AS over
