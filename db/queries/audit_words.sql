-- Which actions and which kinds of subject does the audit list know?
-- One row: one word and whether it is an action or a subject. Each step jumps to the next word in an index, so
-- that a million lines cost what their few words cost.
WITH RECURSIVE action (word) AS (
    (SELECT action FROM audit_line ORDER BY action LIMIT 1)
    UNION ALL
    SELECT (SELECT l.action FROM audit_line AS l WHERE l.action > a.word ORDER BY l.action LIMIT 1)
    FROM action AS a WHERE a.word IS NOT NULL
),
subject (word) AS (
    (SELECT subject_type FROM audit_line ORDER BY subject_type LIMIT 1)
    UNION ALL
    SELECT (SELECT l.subject_type FROM audit_line AS l
            WHERE l.subject_type > s.word ORDER BY l.subject_type LIMIT 1)
    FROM subject AS s WHERE s.word IS NOT NULL
)
SELECT 'action' AS kind, word FROM action WHERE word IS NOT NULL
UNION ALL
SELECT 'subject' AS kind, word FROM subject WHERE word IS NOT NULL
ORDER BY kind, word
