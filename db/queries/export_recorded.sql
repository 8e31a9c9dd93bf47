-- When was each of these bookings recorded?
-- One row: one posting between first_id and last_id, in order of ids (in columns of fixed width, for COPY).
SELECT p.id, p.recorded_at
FROM posting AS p
WHERE p.id BETWEEN :first_id AND :last_id
ORDER BY p.id
