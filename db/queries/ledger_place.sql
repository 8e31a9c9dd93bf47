-- How many movements are there, and behind which one does a page begin?
-- One row: total (all up to last_id); before, how many of them lie before the page; after_id, the id of the last
-- of those (null: the page lies behind the end; 0: it begins with the first). Parameters: after_id, behind which
-- `offset` counts; offset; last_id, up to which the ledger is told.
-- (Movements are counted from the mark before them on, LedgerMark, so that the last page costs what the first
-- costs.)
WITH newest AS (
    SELECT place, movement_id FROM ledger_mark WHERE movement_id <= :last_id ORDER BY movement_id DESC LIMIT 1
), known AS (
    SELECT place, movement_id FROM ledger_mark
    WHERE movement_id <= least(CAST(:after_id AS bigint), :last_id) ORDER BY movement_id DESC LIMIT 1
), counted AS (
    SELECT coalesce((SELECT place FROM newest), 0) + (
               SELECT count(*) FROM movement AS m
               WHERE m.id > coalesce((SELECT movement_id FROM newest), 0) AND m.id <= :last_id
           ) AS total,
           coalesce((SELECT place FROM known), 0) + (
               SELECT count(*) FROM movement AS m
               WHERE m.id > coalesce((SELECT movement_id FROM known), 0) AND m.id <= least(CAST(:after_id AS bigint), :last_id)
           ) + :offset AS before
), start AS (
    SELECT place, movement_id FROM ledger_mark
    WHERE place <= (SELECT before FROM counted) AND movement_id <= :last_id
    ORDER BY place DESC LIMIT 1
)
SELECT counted.total, counted.before,
       CASE WHEN counted.before = 0 THEN 0
            WHEN counted.before = start.place THEN start.movement_id
            ELSE (SELECT m.id FROM movement AS m
                  WHERE m.id > coalesce(start.movement_id, 0) AND m.id <= :last_id
                  ORDER BY m.id
                  OFFSET greatest(counted.before - coalesce(start.place, 0) - 1, 0) LIMIT 1)
       END AS after_id
FROM counted
LEFT JOIN start ON true
