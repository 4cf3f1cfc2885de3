-- What was refused, why, how often; one row per (topic, reason, payload).

-- name: add
INSERT INTO dead_letter AS d (key, topic, payload, message, whole, retained, reason, detail,
                              device_uid, first_at, last_at, count)
SELECT i.key, i.topic, i.payload, i.message, i.whole, i.retained, i.reason, i.detail,
       i.device_uid, %(at)s, %(at)s, i.count
FROM unnest(%(keys)b::bytea[], %(topics)b::text[], %(payloads)b::bytea[], %(messages)b::bytea[],
            %(wholes)b::boolean[], %(retained)b::boolean[], %(reasons)b::text[],
            %(details)b::text[], %(device_uids)b::text[], %(counts)b::bigint[])
     AS i (key, topic, payload, message, whole, retained, reason, detail, device_uid, count)
ORDER BY i.key
ON CONFLICT (key) DO UPDATE SET
    count = d.count + excluded.count,
    last_at = greatest(d.last_at, excluded.last_at),
    detail = excluded.detail;

-- name: take_back
-- The opposite of add, within the same transaction.
WITH less AS (
    UPDATE dead_letter d SET count = d.count - i.count
    FROM unnest(%(keys)b::bytea[], %(counts)b::bigint[]) AS i (key, count)
    WHERE d.key = i.key AND d.count > i.count RETURNING d.key
)
DELETE FROM dead_letter d
WHERE d.key = ANY(%(keys)b::bytea[]) AND d.key NOT IN (SELECT key FROM less);

-- name: put_back
-- Letters that stay refused after a replay: as old and as many as they were, under today's reason.
INSERT INTO dead_letter AS d (id, key, topic, payload, message, whole, retained, reason, detail,
                              device_uid, first_at, last_at, count)
OVERRIDING SYSTEM VALUE
SELECT coalesce(i.id, nextval('dead_letter_id_seq')), i.key, i.topic, i.payload, i.message,
       i.whole, i.retained, i.reason, i.detail, i.device_uid, i.first_at, i.last_at, i.count
FROM unnest(%(ids)b::bigint[], %(keys)b::bytea[], %(topics)b::text[], %(payloads)b::bytea[],
            %(messages)b::bytea[], %(wholes)b::boolean[], %(retained)b::boolean[],
            %(reasons)b::text[], %(details)b::text[], %(device_uids)b::text[],
            %(counts)b::bigint[], %(first)b::timestamptz[], %(last)b::timestamptz[])
     AS i (id, key, topic, payload, message, whole, retained, reason, detail, device_uid, count,
           first_at, last_at)
ORDER BY i.key
ON CONFLICT (key) DO UPDATE SET
    count = d.count + excluded.count,
    first_at = least(d.first_at, excluded.first_at),
    last_at = greatest(d.last_at, excluded.last_at);

-- name: counts
SELECT reason, sum(count)::bigint AS count, count(*) AS kept, max(last_at) AS last_at
FROM dead_letter GROUP BY reason ORDER BY reason;

-- name: groups
-- By reason, the most frequent first, each with its newest letter.
SELECT g.*, d.id, d.topic, d.payload, d.detail, d.device_uid
FROM (SELECT reason, sum(count)::bigint AS messages, count(*) AS kinds, min(first_at) AS first_at,
             max(last_at) AS last_at, count(*) FILTER (WHERE whole) AS replayable
      FROM dead_letter GROUP BY reason) g
CROSS JOIN LATERAL (SELECT * FROM dead_letter d WHERE d.reason = g.reason
                    ORDER BY d.last_at DESC, d.id DESC LIMIT 1) d
ORDER BY g.messages DESC, g.reason;

-- name: listed
SELECT id, topic, payload, reason, detail, device_uid, first_at, last_at, count, whole, retained
FROM dead_letter
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(device)s::text IS NULL OR device_uid = %(device)s)
  AND (%(since)s::timestamptz IS NULL OR last_at >= %(since)s)
  AND (%(after)s::timestamptz IS NULL OR (last_at, id) < (%(after)s, %(after_id)s))
ORDER BY last_at DESC, id DESC LIMIT %(limit)s;

-- name: one
SELECT id, topic, payload, message, reason, detail, device_uid, first_at, last_at, count, whole,
       retained
FROM dead_letter WHERE id = %(id)s;

-- name: how_many
SELECT count(*) AS letters, count(*) FILTER (WHERE whole) AS replayable
FROM dead_letter
WHERE (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(device)s::text IS NULL OR device_uid = %(device)s)
  AND (%(since)s::timestamptz IS NULL OR last_at >= %(since)s);

-- name: take
-- Letters to be decoded again, out of the table and in the order of their ids; what another replay
-- holds is left to it.
WITH taken AS (
    DELETE FROM dead_letter WHERE id IN (
        SELECT id FROM dead_letter
        WHERE whole AND id > %(after)s AND id <= %(upto)s
          AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
          AND (%(reason)s::text IS NULL OR reason = %(reason)s)
          AND (%(device)s::text IS NULL OR device_uid = %(device)s)
          AND (%(since)s::timestamptz IS NULL OR last_at >= %(since)s)
        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
    RETURNING id, key, topic, payload, message, retained, reason, detail, device_uid, first_at,
              last_at, count
)
SELECT * FROM taken ORDER BY id;

-- name: newest_id
SELECT coalesce(max(id), 0) AS id FROM dead_letter;

-- name: clear
DELETE FROM dead_letter
WHERE (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s))
  AND (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(device)s::text IS NULL OR device_uid = %(device)s)
  AND (%(before)s::timestamptz IS NULL OR last_at < %(before)s);

-- name: purge
DELETE FROM dead_letter
WHERE last_at < greatest(%(oldest)s, (SELECT last_at FROM dead_letter ORDER BY last_at DESC
                                      OFFSET %(keep)s - 1 LIMIT 1));

-- name: size
SELECT coalesce(sum(octet_length(payload) + coalesce(octet_length(message), 0)), 0)::bigint AS bytes
FROM dead_letter;

-- name: purge_bytes
DELETE FROM dead_letter d USING (
    SELECT id, sum(octet_length(payload) + coalesce(octet_length(message), 0))
               OVER (ORDER BY last_at DESC, id DESC ROWS UNBOUNDED PRECEDING) AS bytes
    FROM dead_letter) s
WHERE d.id = s.id AND s.bytes > %(bytes)s;
