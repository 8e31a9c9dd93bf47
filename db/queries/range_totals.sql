-- What became of the latest run-out ranges of the shop, and of what was promised by each of their days?
-- One row: counts of the last `most` ranges whose days are over and that could be judged (right, early, late,
-- and since when they were issued); how many stocks were used up by p10, p50 and p90, of how many that named
-- such a day; beside them the open ones, and the void ones of the same time.
-- Parameters: today, most.
WITH over AS (
    SELECT r.* FROM issued_range AS r
    WHERE r.state IN ('inside', 'early', 'late') AND coalesce(r.p90_on, r.until) < :today
    ORDER BY coalesce(r.p90_on, r.until) DESC
    LIMIT :most
), counted AS (
    SELECT count(*) AS "of", count(*) FILTER (WHERE state = 'inside') AS inside,
           count(*) FILTER (WHERE state = 'early') AS early, count(*) FILTER (WHERE state = 'late') AS late,
           min(issued_on) AS since,
           count(*) AS of_p10, count(*) FILTER (WHERE ran_out_on <= p10_on) AS by_p10,
           count(p50_on) AS of_p50, count(*) FILTER (WHERE ran_out_on <= p50_on) AS by_p50,
           count(p90_on) AS of_p90, count(*) FILTER (WHERE ran_out_on <= p90_on) AS by_p90
    FROM over
)
SELECT counted.*,
       (SELECT count(*) FROM issued_range AS r WHERE r.state = 'open') AS "open",
       (SELECT count(*) FROM issued_range AS r
        WHERE r.state = 'void' AND r.issued_on >= counted.since
          AND coalesce(r.p90_on, r.until) < :today) AS void
FROM counted
