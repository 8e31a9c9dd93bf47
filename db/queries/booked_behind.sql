-- When was the first of the movements behind a certain one booked?
-- One row: recorded_at, the earliest; null when there is none. Parameter: last_id.
SELECT min(p.recorded_at) AS recorded_at
FROM movement AS m
JOIN posting AS p ON p.id = m.posting_id
WHERE m.id > :last_id
