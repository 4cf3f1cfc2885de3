-- What was refused, why, how often; one row per (topic, reason, payload).

-- name: add
INSERT INTO dead_letter (key, topic, payload, reason, detail, device_uid, first_at, last_at, count)
SELECT i.key, i.topic, i.payload, i.reason, i.detail, i.device_uid, %(at)s, %(at)s, i.count
FROM unnest(%(keys)b::bytea[], %(topics)b::text[], %(payloads)b::bytea[], %(reasons)b::text[],
            %(details)b::text[], %(device_uids)b::text[], %(counts)b::bigint[])
     AS i (key, topic, payload, reason, detail, device_uid, count)
ORDER BY i.key
ON CONFLICT (key) DO UPDATE SET
    count = dead_letter.count + excluded.count,
    last_at = greatest(dead_letter.last_at, excluded.last_at),
    detail = excluded.detail;

-- name: counts
SELECT reason, sum(count)::bigint AS count, count(*) AS kept, max(last_at) AS last_at
FROM dead_letter GROUP BY reason ORDER BY reason;

-- name: newest
SELECT id, topic, payload, reason, detail, device_uid, first_at, last_at, count
FROM dead_letter
WHERE %(reason)s::text IS NULL OR reason = %(reason)s
ORDER BY last_at DESC, id DESC LIMIT %(limit)s;

-- name: purge
DELETE FROM dead_letter
WHERE last_at < greatest(%(oldest)s, (SELECT last_at FROM dead_letter ORDER BY last_at DESC
                                      OFFSET %(keep)s - 1 LIMIT 1));
