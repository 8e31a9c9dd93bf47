-- How many movements are there, and between which ones does a page lie?
-- One row: total (all up to the horizon); unmarked, how many of them no mark counts yet (LedgerMark); before, how
-- many lie before the page; after_id, the id of the last of those (0: there is none; null: the page begins behind
-- the end); last_id, the id of the page's last row. Parameters: after_id, behind which `offset` counts; offset;
-- limit; horizon, up to which the ledger is told.
-- (Movements are counted from the mark before them on, so that the last page costs what the first costs.)
WITH newest AS (
    SELECT place, movement_id FROM ledger_mark WHERE movement_id <= :horizon ORDER BY movement_id DESC LIMIT 1
), known AS (
    SELECT place, movement_id FROM ledger_mark
    WHERE movement_id <= least(CAST(:after_id AS bigint), :horizon) ORDER BY movement_id DESC LIMIT 1
), counted AS (
    SELECT coalesce((SELECT place FROM newest), 0) AS marked, (
               SELECT count(*) FROM movement AS m
               WHERE m.id > coalesce((SELECT movement_id FROM newest), 0) AND m.id <= :horizon
           ) AS unmarked,
           coalesce((SELECT place FROM known), 0) + (
               SELECT count(*) FROM movement AS m
               WHERE m.id > coalesce((SELECT movement_id FROM known), 0)
                 AND m.id <= least(CAST(:after_id AS bigint), :horizon)
           ) + :offset AS before
), page AS (
    SELECT marked + unmarked AS total, unmarked, before, least(before + :limit, marked + unmarked) AS until
    FROM counted
), ends AS (
    SELECT wanted.place, (
        SELECT CASE WHEN wanted.place = coalesce(mark.place, 0) THEN coalesce(mark.movement_id, 0) ELSE (
                   SELECT m.id FROM movement AS m
                   WHERE m.id > coalesce(mark.movement_id, 0) AND m.id <= :horizon
                   ORDER BY m.id
                   OFFSET greatest(wanted.place - coalesce(mark.place, 0) - 1, 0) LIMIT 1
               ) END
        FROM (SELECT max(place) AS place, max(movement_id) AS movement_id FROM ledger_mark
              WHERE place <= wanted.place AND movement_id <= :horizon) AS mark
    ) AS id
    FROM (SELECT before AS place FROM page UNION SELECT until FROM page) AS wanted
)
SELECT page.total, page.unmarked, page.before, began.id AS after_id, ended.id AS last_id
FROM page
JOIN ends AS began ON began.place = page.before
JOIN ends AS ended ON ended.place = page.until
