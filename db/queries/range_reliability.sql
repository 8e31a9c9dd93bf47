-- When ranges said "used up within 14 days with this chance", how often was it?
-- One row: a tenth of chances, of the last `most` ranges whose days are over; the mean chance, how often it
-- happened, and of how many. Only ranges that reach over the 14 days: of others it is not known when the stock
-- was used up once they were too late.
-- Parameters: today, most.
SELECT avg(over.chance_14) AS promised,
       CAST(avg(CASE WHEN over.ran_out_on <= over.issued_on + 13 THEN 1 ELSE 0 END) AS double precision) AS happened,
       count(*) AS tasks
FROM (
    SELECT r.* FROM issued_range AS r
    WHERE r.state <> 'open' AND coalesce(r.p90_on, r.until) < :today
    ORDER BY coalesce(r.p90_on, r.until) DESC
    LIMIT :most
) AS over
WHERE over.state <> 'void' AND coalesce(over.p90_on, over.until) >= over.issued_on + 13
GROUP BY least(floor(over.chance_14 * 10), 9)
ORDER BY promised
