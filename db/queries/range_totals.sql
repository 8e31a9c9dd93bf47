-- What became of the latest run-out ranges of the shop, and of what was promised by each of their days?
-- One row: counts of the last `most` ranges whose days are over, by what became of them, and since when they were
-- issued; how many stocks were used up by p10, p50 and p90, of how many judged ones that named such a day;
-- beside them how many are open (at most most_open are counted).
-- Parameters: today, most, most_open.
WITH over AS (
    SELECT r.* FROM issued_range AS r
    WHERE r.state <> 'open' AND coalesce(r.p90_on, r.until) < :today
    ORDER BY coalesce(r.p90_on, r.until) DESC
    LIMIT :most
), judged AS (
    SELECT * FROM over WHERE state <> 'void'
)
SELECT count(*) AS "of", count(*) FILTER (WHERE state = 'inside') AS inside,
       count(*) FILTER (WHERE state = 'early') AS early, count(*) FILTER (WHERE state = 'late') AS late,
       (SELECT count(*) FROM over WHERE state = 'void') AS void,
       min(issued_on) AS since,
       count(*) AS of_p10, count(*) FILTER (WHERE ran_out_on <= p10_on) AS by_p10,
       count(p50_on) AS of_p50, count(*) FILTER (WHERE ran_out_on <= p50_on) AS by_p50,
       count(p90_on) AS of_p90, count(*) FILTER (WHERE ran_out_on <= p90_on) AS by_p90,
       (SELECT count(*) FROM (
           SELECT 1 FROM issued_range AS r WHERE r.state = 'open' LIMIT :most_open
       ) AS waiting) AS "open"
FROM judged
