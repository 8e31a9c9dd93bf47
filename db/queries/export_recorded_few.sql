-- When was each of these bookings recorded, when they lie far apart?
-- One row: one of the postings posting_ids, in order of ids (in columns of fixed width, for COPY).
SELECT p.id, p.recorded_at
FROM posting AS p
WHERE p.id = ANY(CAST(:posting_ids AS bigint[]))
ORDER BY p.id
