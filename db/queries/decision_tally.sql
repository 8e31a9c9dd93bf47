-- What came of the decisions about what to buy?
-- One row: a kind of decision and a person (null: nobody, for what was ignored), with what the periods that
-- are over add up to. better, worse and same are money against the advice, of those held against it.
-- Parameters: since (may be null).
SELECT d.kind, d.decided_by, p.name, p.uid, count(*) AS decisions, count(d.outcome) AS settled,
       coalesce(sum(CAST(d.outcome ->> 'demand' AS numeric)), 0) AS demand,
       coalesce(sum(CAST(d.outcome ->> 'lost' AS numeric)), 0) AS lost,
       coalesce(sum(CAST(d.outcome ->> 'days' AS integer)), 0) AS days,
       coalesce(sum(CAST(d.outcome ->> 'days_without' AS integer)), 0) AS days_without,
       coalesce(sum(CAST(d.outcome ->> 'left_money' AS numeric)), 0) AS left_money,
       coalesce(sum(CAST(d.outcome ->> 'saved' AS numeric)), 0) AS saved,
       count(*) FILTER (WHERE CAST(d.outcome ->> 'saved' AS numeric) > 0) AS better,
       count(*) FILTER (WHERE CAST(d.outcome ->> 'saved' AS numeric) < 0) AS worse,
       count(*) FILTER (WHERE CAST(d.outcome ->> 'saved' AS numeric) = 0) AS same
FROM decision AS d
LEFT JOIN person AS p ON p.id = d.decided_by
WHERE CAST(:since AS date) IS NULL OR d.decided_on >= CAST(:since AS date)
GROUP BY d.kind, d.decided_by, p.name, p.uid
ORDER BY d.kind, p.name
