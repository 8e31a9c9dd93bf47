-- Since when may somebody have been booking whose movements are not to be seen yet?
-- One row: began_at, before which no open transaction began, nor will one that is not to be seen here yet.
-- Parameters: unseen_seconds, how long the server may take to show a transaction that began; reads_only, the
-- name of transactions that take long and never book.
-- (A movement's recorded_at is the start of its transaction.)
SELECT least(now() - make_interval(secs => :unseen_seconds), min(a.xact_start)) AS began_at
FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name <> :reads_only
