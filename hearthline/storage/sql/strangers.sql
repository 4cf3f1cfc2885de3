-- Devices that no ledger has, and their messages, kept whole until somebody adopts the device.
-- Whoever takes several rows of stranger takes them in the order of their uid.

-- name: meet
-- `kept` is how many of its messages are kept already; a stranger without a kind is worth another
-- guess while it is new.
INSERT INTO stranger AS s (uid, format, topic, first_at, last_at, messages)
SELECT h.uid, h.format, h.topic, h.first_at, h.last_at, h.messages
FROM unnest(%(uids)b::text[], %(formats)b::text[], %(topics)b::text[], %(first)b::timestamptz[],
            %(last)b::timestamptz[], %(messages)b::bigint[])
     AS h (uid, format, topic, first_at, last_at, messages)
ORDER BY h.uid
ON CONFLICT (uid) DO UPDATE SET
    format = excluded.format,
    topic = CASE WHEN excluded.last_at >= s.last_at THEN excluded.topic ELSE s.topic END,
    first_at = least(s.first_at, excluded.first_at),
    last_at = greatest(s.last_at, excluded.last_at),
    messages = s.messages + excluded.messages
RETURNING uid, messages, dropped, dismissed_at IS NOT NULL AS dismissed, kind IS NULL AS unguessed;

-- name: keep
WITH new AS MATERIALIZED (
    SELECT nextval('quarantine_id_seq') AS id, m.*
    FROM unnest(%(topics)b::text[], %(payloads)b::bytea[], %(received)b::timestamptz[],
                %(retained)b::boolean[])
         WITH ORDINALITY AS m (topic, payload, received_at, retained, nth)
), stored AS (
    INSERT INTO quarantine (id, topic, payload, received_at, retained) OVERRIDING SYSTEM VALUE
    SELECT id, topic, payload, received_at, retained FROM new
), linked AS (
    INSERT INTO quarantine_device (uid, quarantine_id)
    SELECT l.uid, new.id
    FROM unnest(%(uids)b::text[], %(nths)b::bigint[]) AS l (uid, nth) JOIN new USING (nth)
)
SELECT min(id) AS first, max(id) AS last FROM new;

-- name: drop
UPDATE stranger s SET dropped = s.dropped + d.messages
FROM unnest(%(uids)b::text[], %(messages)b::bigint[]) AS d (uid, messages) WHERE s.uid = d.uid;

-- name: describe
UPDATE stranger s SET kind = g.kind, role = g.role, label = coalesce(g.label, s.label),
                      gateway = coalesce(g.gateway, s.gateway), guess = g.guess::jsonb
FROM unnest(%(uids)b::text[], %(kinds)b::text[], %(roles)b::text[], %(labels)b::text[],
            %(gateways)b::text[], %(guesses)b::text[])
     AS g (uid, kind, role, label, gateway, guess)
WHERE s.uid = g.uid;

-- name: try_lock
-- Purging and replaying do not meet: a purge that finds a replay at work comes again later.
SELECT pg_try_advisory_xact_lock(%(key)s) AS taken;

-- name: share_lock
SELECT pg_advisory_xact_lock_shared(%(key)s);

-- name: forget
WITH gone AS (
    SELECT uid FROM stranger
    WHERE last_at < greatest(%(oldest)s, (SELECT last_at FROM stranger ORDER BY last_at DESC
                                          OFFSET %(strangers)s - 1 LIMIT 1))
    ORDER BY uid FOR UPDATE
), freed AS (
    DELETE FROM quarantine_device WHERE uid IN (SELECT uid FROM gone)
)
DELETE FROM stranger WHERE uid IN (SELECT uid FROM gone);

-- name: orphans
DELETE FROM quarantine q
WHERE NOT EXISTS (SELECT FROM quarantine_device d WHERE d.quarantine_id = q.id);

-- name: trim_each
-- Of every stranger, the messages beyond its share of rows and bytes, oldest first.
WITH heavy AS (
    SELECT s.uid FROM stranger s WHERE s.uid IN (
        SELECT d.uid FROM quarantine_device d JOIN quarantine q ON q.id = d.quarantine_id
        GROUP BY d.uid
        HAVING count(*) > %(each)s OR sum(octet_length(q.payload)) > %(each_bytes)s)
    ORDER BY s.uid FOR NO KEY UPDATE
), ranked AS (
    SELECT d.uid, d.quarantine_id, row_number() OVER newest AS nth,
           sum(octet_length(q.payload)) OVER newest AS bytes
    FROM quarantine_device d JOIN quarantine q ON q.id = d.quarantine_id
    WHERE d.uid IN (SELECT uid FROM heavy)
    WINDOW newest AS (PARTITION BY d.uid ORDER BY q.received_at DESC, q.id DESC
                      ROWS UNBOUNDED PRECEDING)
), lost AS (
    DELETE FROM quarantine_device d USING ranked r
    WHERE d.uid = r.uid AND d.quarantine_id = r.quarantine_id
      AND (r.nth > %(each)s OR r.bytes > %(each_bytes)s)
    RETURNING d.uid, d.quarantine_id
), counted AS (
    UPDATE stranger s SET dropped = s.dropped + l.messages
    FROM (SELECT uid, count(*) AS messages FROM lost GROUP BY uid) l WHERE s.uid = l.uid
)
DELETE FROM quarantine q
USING (SELECT quarantine_id, count(*) AS links FROM lost GROUP BY quarantine_id) l
WHERE q.id = l.quarantine_id
  AND l.links = (SELECT count(*) FROM quarantine_device d WHERE d.quarantine_id = q.id);

-- name: trim_all
-- Messages that are too old, and those beyond what all strangers together may have, oldest first.
WITH gone AS (
    SELECT id FROM (
        SELECT id, received_at, row_number() OVER newest AS nth,
               sum(octet_length(payload)) OVER newest AS bytes
        FROM quarantine
        WINDOW newest AS (ORDER BY received_at DESC, id DESC ROWS UNBOUNDED PRECEDING)) q
    WHERE q.received_at < %(oldest)s OR q.nth > %(all)s OR q.bytes > %(all_bytes)s
), hit AS (
    SELECT uid FROM stranger
    WHERE uid IN (SELECT uid FROM quarantine_device WHERE quarantine_id IN (SELECT id FROM gone))
    ORDER BY uid FOR NO KEY UPDATE
), lost AS (
    DELETE FROM quarantine_device d USING hit
    WHERE d.uid = hit.uid AND d.quarantine_id IN (SELECT id FROM gone)
    RETURNING d.uid
), counted AS (
    UPDATE stranger s SET dropped = s.dropped + l.messages
    FROM (SELECT uid, count(*) AS messages FROM lost GROUP BY uid) l WHERE s.uid = l.uid
)
DELETE FROM quarantine WHERE id IN (SELECT id FROM gone);

-- name: held_total
SELECT count(*) AS messages, coalesce(sum(octet_length(payload)), 0)::bigint AS bytes,
       min(received_at) AS oldest_at
FROM quarantine;

-- name: list
-- Without those that the ledger has by now: their messages wait for a replay or an alias.
SELECT s.*, (SELECT count(*) FROM quarantine_device d WHERE d.uid = s.uid) AS kept
FROM stranger s
WHERE NOT EXISTS (SELECT FROM device WHERE device.uid = s.uid)
  AND (%(dismissed)s::boolean IS NULL OR (s.dismissed_at IS NOT NULL) = %(dismissed)s)
  AND (%(kind)s::text IS NULL OR s.kind = %(kind)s)
  AND (%(format)s::text IS NULL OR s.format = %(format)s)
  AND (%(like)s::text IS NULL OR s.uid ILIKE %(like)s OR s.label ILIKE %(like)s
       OR s.topic ILIKE %(like)s OR s.gateway ILIKE %(like)s)
  AND (%(after)s::timestamptz IS NULL OR (s.last_at, s.uid) < (%(after)s, %(after_uid)s))
ORDER BY s.last_at DESC, s.uid DESC LIMIT %(limit)s;

-- name: one
SELECT s.*, (SELECT count(*) FROM quarantine_device d WHERE d.uid = s.uid) AS kept
FROM stranger s WHERE s.uid = %(uid)s;

-- name: counts
SELECT count(*) FILTER (WHERE dismissed_at IS NULL) AS waiting,
       count(*) FILTER (WHERE dismissed_at IS NOT NULL) AS dismissed,
       coalesce(sum(messages), 0)::bigint AS messages,
       coalesce(sum(dropped), 0)::bigint AS dropped
FROM stranger s WHERE NOT EXISTS (SELECT FROM device WHERE device.uid = s.uid);

-- name: uids_like
SELECT uid FROM stranger WHERE uid ILIKE %(like)s ORDER BY last_at DESC LIMIT %(limit)s;

-- name: messages
SELECT q.id, q.topic, q.payload, q.received_at, q.retained
FROM quarantine_device d JOIN quarantine q ON q.id = d.quarantine_id
WHERE d.uid = %(uid)s ORDER BY q.received_at DESC, q.id DESC LIMIT %(limit)s;

-- name: pace
-- The median interval between arrivals, in seconds; bursts (a gateway's array, a retry) are left out.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap_s) AS gap_s, count(*) AS gaps
FROM (SELECT extract(epoch FROM q.received_at - lag(q.received_at) OVER (ORDER BY q.received_at))
             AS gap_s
      FROM quarantine_device d JOIN quarantine q ON q.id = d.quarantine_id
      WHERE d.uid = %(uid)s) g
WHERE gap_s >= 1;

-- name: dismiss
WITH lost AS (
    DELETE FROM quarantine_device WHERE uid = %(uid)s RETURNING quarantine_id
), emptied AS (
    DELETE FROM quarantine q
    WHERE q.id IN (SELECT quarantine_id FROM lost)
      AND NOT EXISTS (SELECT FROM quarantine_device d
                      WHERE d.quarantine_id = q.id AND d.uid <> %(uid)s)
)
UPDATE stranger SET dismissed_at = coalesce(dismissed_at, %(at)s),
                    dropped = dropped + (SELECT count(*) FROM lost)
WHERE uid = %(uid)s;

-- name: welcome
UPDATE stranger SET dismissed_at = NULL WHERE uid = %(uid)s;

-- name: take
-- The oldest messages of a stranger, locked; FOR UPDATE waits for another replay and skips what it
-- has taken.
SELECT q.id, q.topic, q.payload, q.received_at, q.retained
FROM quarantine_device d JOIN quarantine q ON q.id = d.quarantine_id
WHERE d.uid = %(uid)s
  AND (%(after)s::timestamptz IS NULL OR (q.received_at, q.id) > (%(after)s, %(after_id)s))
ORDER BY q.received_at, q.id LIMIT %(limit)s
FOR UPDATE OF d, q;

-- name: release
WITH freed AS (
    DELETE FROM quarantine_device WHERE uid = %(uid)s AND quarantine_id = ANY(%(ids)s)
    RETURNING quarantine_id
), emptied AS (
    DELETE FROM quarantine q
    WHERE q.id IN (SELECT quarantine_id FROM freed)
      AND NOT EXISTS (SELECT FROM quarantine_device d
                      WHERE d.quarantine_id = q.id AND d.uid <> %(uid)s)
)
UPDATE stranger SET messages = messages - (SELECT count(*) FROM freed) WHERE uid = %(uid)s;

-- name: leave
DELETE FROM stranger s WHERE uid = %(uid)s
  AND NOT EXISTS (SELECT FROM quarantine_device d WHERE d.uid = s.uid);

-- name: known
-- Strangers that the ledger has by now. In any order: one whose messages wait for an alias must not
-- keep the others waiting.
SELECT s.uid FROM stranger s JOIN device USING (uid)
ORDER BY random() LIMIT %(limit)s;

-- name: places_like
-- Codes that begin as typed come first, then codes and names that contain it.
SELECT code, kind, path, name, name_zh
FROM place
WHERE code ILIKE %(like)s OR name ILIKE %(like)s OR name_zh ILIKE %(like)s
ORDER BY NOT code ILIKE %(begins)s, length(code), code LIMIT %(limit)s;

-- name: codes_beginning
SELECT code FROM place WHERE code LIKE %(begins)s ORDER BY code LIMIT %(limit)s;

-- name: bound
SELECT EXISTS (SELECT FROM device d JOIN device_binding b ON b.device_id = d.id
               WHERE d.uid = %(uid)s AND upper_inf(b.valid)) AS bound;
