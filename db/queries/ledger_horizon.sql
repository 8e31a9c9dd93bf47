-- Up to which movement is the ledger complete, so that no earlier one can still appear?
-- One row: that id. Movements above it may be visible while one below them is not committed yet.
-- (Every booking locks the last id drawn before its own, see db/functions/announce_ids.sql. Ask this in a
-- statement of its own before the movements are read: a lock that is gone then is a movement one can see.)
SELECT least(
    (SELECT coalesce(max(id), 0) FROM movement),
    (SELECT min((l.classid::bigint << 31) | l.objid::bigint)
     FROM pg_locks AS l
     WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.pid IS DISTINCT FROM pg_backend_pid()
       AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
) AS horizon
