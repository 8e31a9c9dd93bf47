-- Where do the movements lie that nobody has marked yet?
-- One row: one mark that was set now (LedgerMark). Parameters: last_id, behind which an earlier movement could
-- still appear (ledger_horizon.sql); step, how many movements lie between two marks; most, how many are walked
-- now (a multiple of step).
WITH newest AS (
    SELECT place, movement_id, last_recorded_at FROM ledger_mark ORDER BY place DESC LIMIT 1
), walked AS (
    SELECT m.id, m.posting_id
    FROM movement AS m
    WHERE m.id > coalesce((SELECT movement_id FROM newest), 0) AND m.id <= :last_id
    ORDER BY m.id
    LIMIT :most
), counted AS (
    SELECT walked.id, row_number() OVER in_order AS nth, max(p.recorded_at) OVER in_order AS last_recorded_at
    FROM walked
    JOIN posting AS p ON p.id = walked.posting_id
    WINDOW in_order AS (ORDER BY walked.id ROWS UNBOUNDED PRECEDING)
)
INSERT INTO ledger_mark (place, movement_id, last_recorded_at)
SELECT coalesce(newest.place, 0) + counted.nth, counted.id,
       greatest(newest.last_recorded_at, counted.last_recorded_at)
FROM counted
LEFT JOIN newest ON true
WHERE counted.nth % :step = 0
RETURNING place
