-- What an ingest session has committed.

-- name: open_session
INSERT INTO ingest_session (client_id, updated_at) VALUES (%(client_id)s, %(at)s)
ON CONFLICT (client_id) DO NOTHING;

-- name: lock_session
SELECT messages FROM ingest_session WHERE client_id = %(client_id)s FOR UPDATE;

-- name: outcome
SELECT stored, duplicates, refused FROM ingest_batch
WHERE client_id = %(client_id)s AND batch = %(batch)s;

-- name: recent
SELECT deliveries FROM ingest_batch WHERE client_id = %(client_id)s ORDER BY upto;

-- name: forget
DELETE FROM ingest_batch WHERE client_id = %(client_id)s;

-- name: remember
WITH tallied AS (
    UPDATE ingest_session SET
        messages = messages + %(messages)s, stored = stored + %(stored)s,
        duplicates = duplicates + %(duplicates)s, refused = refused + %(refused)s,
        redelivered = redelivered + %(redelivered)s, updated_at = %(at)s
    WHERE client_id = %(client_id)s RETURNING messages
), outdated AS (
    DELETE FROM ingest_batch b USING tallied t
    WHERE b.client_id = %(client_id)s AND b.upto <= t.messages - %(messages)s - %(keep)s
)
INSERT INTO ingest_batch (client_id, batch, upto, deliveries, stored, duplicates, refused)
SELECT %(client_id)s, %(batch)s, t.messages, %(deliveries)s, %(stored)s, %(duplicates)s, %(refused)s
FROM tallied t;

-- name: tally
SELECT messages, stored, duplicates, refused, redelivered, updated_at
FROM ingest_session WHERE client_id = %(client_id)s;
