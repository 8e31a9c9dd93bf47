-- How do the jobs fare: when did each last work, how long did that take, and how did the runs of the last day end?
-- One row: a job; `done_at` and `seconds` of its newest run that is done (null before there is one), and how many of
-- its runs asked for since `since` are in each state.
-- Parameters: jobs, since.
SELECT named.job, last.finished_at AS done_at,
       CAST(extract(epoch FROM last.finished_at - last.started_at) AS double precision) AS seconds,
       coalesce(recent.states, '{}') AS states
FROM unnest(CAST(:jobs AS text[])) AS named (job)
LEFT JOIN LATERAL (
    SELECT r.started_at, r.finished_at FROM job_run AS r
    WHERE r.job = named.job AND r.state = 'done'
    ORDER BY r.id DESC
    LIMIT 1
) AS last ON true
LEFT JOIN (
    SELECT counted.job, jsonb_object_agg(counted.state, counted.runs) AS states
    FROM (
        SELECT r.job, r.state, count(*) AS runs FROM job_run AS r
        WHERE r.queued_at > :since
        GROUP BY r.job, r.state
    ) AS counted
    GROUP BY counted.job
) AS recent ON recent.job = named.job
ORDER BY named.job
