-- The compliance ledger: verdicts, what they supersede, their chain and its anchors.

-- name: write_days
-- A verdict that changes keeps its predecessor where that was sealed, or where the day was over
-- and its word changes: what a running day seemed to be is no evidence. What says the same stays
-- as it was judged first.
WITH judged AS (
    SELECT p.id AS place_id, j.day, j.covered_min, j.below_min, j.mean_c, j.min_c, j.verdict,
           j.reason, j.policy_code, j.policy_from, j.over
    FROM unnest(%(code)s::text[], %(day)s::date[], %(covered_min)s::real[], %(below_min)s::real[],
                %(mean_c)s::real[], %(min_c)s::real[], %(verdict)s::text[], %(reason)s::text[],
                %(policy_code)s::text[], %(policy_from)s::date[], %(over)s::bool[])
         AS j (code, day, covered_min, below_min, mean_c, min_c, verdict, reason, policy_code,
               policy_from, over)
    JOIN place p ON p.code = j.code
), changed AS (
    SELECT j.*, d.hash IS NOT NULL
           OR j.over AND (d.verdict, d.reason) IS DISTINCT FROM (j.verdict, j.reason) AS keep
    FROM judged j LEFT JOIN unit_day d USING (place_id, day)
    WHERE (d.covered_min, d.below_min, d.mean_c, d.min_c, d.verdict, d.reason, d.policy_code,
           d.policy_from)
          IS DISTINCT FROM (j.covered_min, j.below_min, j.mean_c, j.min_c, j.verdict, j.reason,
                            j.policy_code, j.policy_from)
), kept AS (
    INSERT INTO unit_day_superseded
    SELECT d.* FROM unit_day d JOIN changed c USING (place_id, day) WHERE c.keep
)
INSERT INTO unit_day (place_id, day, covered_min, below_min, mean_c, min_c, verdict, reason,
                      policy_code, policy_from, judged_at)
SELECT place_id, day, covered_min, below_min, mean_c, min_c, verdict, reason, policy_code,
       policy_from, %(judged_at)s
FROM changed ORDER BY place_id, day
ON CONFLICT (place_id, day) DO UPDATE SET
    covered_min = excluded.covered_min, below_min = excluded.below_min,
    mean_c = excluded.mean_c, min_c = excluded.min_c,
    verdict = excluded.verdict, reason = excluded.reason,
    policy_code = excluded.policy_code, policy_from = excluded.policy_from,
    judged_at = excluded.judged_at,
    revision = unit_day.revision + coalesce((SELECT c.keep FROM changed c
        WHERE c.place_id = excluded.place_id AND c.day = excluded.day), false)::int,
    link = NULL, prev = NULL, hash = NULL, sealed_on = NULL;

-- name: lock_units
-- Two workers may judge days of the same dwelling: the second waits before it reads what was
-- measured, so that its verdict is never older than the one it replaces.
SELECT count(*) FROM (
    SELECT u.place_id FROM unit u JOIN place p ON p.id = u.place_id
    WHERE p.code = ANY(%(codes)s) ORDER BY u.place_id FOR NO KEY UPDATE OF u) AS locked;

-- name: lock_days
-- Lines that are about to be overruled cannot be sealed meanwhile.
SELECT count(*) FROM (
    SELECT d.place_id
    FROM unnest(%(code)s::text[], %(day)s::date[]) AS j (code, day)
    JOIN place p ON p.code = j.code
    JOIN unit_day d ON d.place_id = p.id AND d.day = j.day
    ORDER BY d.day, d.place_id FOR UPDATE OF d) AS locked;

-- name: unit_hours
-- With the place to which the sensor was bound in that hour; an hour in which it was moved is
-- nobody's.
SELECT b.place_id, h.device_id, extract(epoch FROM h.hour)::float8 AS at, h.mean_c, h.covered_min
FROM device_binding b
JOIN room_hour h ON h.device_id = b.device_id
     AND b.valid @> tstzrange(h.hour, h.hour + interval '1 hour')
WHERE b.place_id = ANY(%(places)s) AND b.role = 'room'
  AND h.hour >= %(since)s AND h.hour < %(until)s;

-- name: outdoor_hours
-- The mean of all weather stations, hour by hour.
SELECT h.hour, (sum(h.outdoor_c * h.covered_min) / sum(h.covered_min))::float8 AS outdoor_c
FROM weather_hour h
JOIN device_binding b ON b.device_id = h.device_id AND b.valid @> h.hour AND b.role = 'weather'
WHERE h.hour >= %(since)s AND h.hour < %(until)s AND h.covered_min > 0
GROUP BY h.hour ORDER BY h.hour;

-- name: lock_chain
SELECT pg_try_advisory_xact_lock(7206616) AS taken;

-- name: newest_anchor
SELECT day, links, digest, prev, hash FROM ledger_anchor ORDER BY day DESC LIMIT 1;

-- name: anchors
SELECT day, links, digest, prev, hash FROM ledger_anchor ORDER BY day;

-- name: insert_anchor
INSERT INTO ledger_anchor (day, links, digest, prev, hash, made_at)
VALUES (%(day)s, %(links)s, %(digest)s, %(prev)s, %(hash)s, %(made_at)s);

-- name: days_to_anchor
SELECT DISTINCT sealed_on AS day FROM (
    SELECT sealed_on FROM unit_day
    WHERE sealed_on < %(before)s AND sealed_on > coalesce(%(after)s::date, '-infinity'::date)
    UNION ALL
    SELECT sealed_on FROM unit_day_superseded
    WHERE sealed_on < %(before)s AND sealed_on > coalesce(%(after)s::date, '-infinity'::date)) AS s
ORDER BY day;

-- name: sealed_on
SELECT c.code, d.link, d.hash, d.sealed_on FROM (
    SELECT place_id, link, hash, sealed_on FROM unit_day WHERE sealed_on = %(day)s
    UNION ALL
    SELECT place_id, link, hash, sealed_on FROM unit_day_superseded WHERE sealed_on = %(day)s) AS d
JOIN unit_chain c ON c.place_id = d.place_id
ORDER BY c.code COLLATE "C", d.link;

-- name: unsealed_superseded
SELECT d.id, d.place_id, p.code, d.day, d.covered_min, d.below_min, d.mean_c, d.min_c, d.verdict,
       d.reason, d.policy_code, d.policy_from, d.judged_at, d.revision
FROM unit_day_superseded d JOIN place p ON p.id = d.place_id
WHERE d.hash IS NULL ORDER BY d.id LIMIT %(limit)s;

-- name: unsealed_days
-- Locked, so that nobody overrules a line while it is sealed.
SELECT NULL::bigint AS id, d.place_id, p.code, d.day, d.covered_min, d.below_min, d.mean_c,
       d.min_c, d.verdict, d.reason, d.policy_code, d.policy_from, d.judged_at, d.revision
FROM unit_day d JOIN place p ON p.id = d.place_id
WHERE d.hash IS NULL AND d.day < %(before)s
ORDER BY d.day, d.place_id LIMIT %(limit)s FOR UPDATE OF d;

-- name: ends
SELECT place_id, code, link, hash FROM unit_chain WHERE place_id = ANY(%(places)s);

-- name: seal_days
UPDATE unit_day d SET link = s.link, prev = s.prev, hash = s.hash, sealed_on = %(sealed_on)s
FROM unnest(%(place_id)s::int[], %(day)s::date[], %(link)s::int[], %(prev)s::bytea[],
            %(hash)s::bytea[]) AS s (place_id, day, link, prev, hash)
WHERE d.place_id = s.place_id AND d.day = s.day;

-- name: seal_superseded
UPDATE unit_day_superseded d
SET link = s.link, prev = s.prev, hash = s.hash, sealed_on = %(sealed_on)s
FROM unnest(%(id)s::bigint[], %(link)s::int[], %(prev)s::bytea[], %(hash)s::bytea[])
     AS s (id, link, prev, hash)
WHERE d.id = s.id;

-- name: set_ends
INSERT INTO unit_chain (place_id, code, link, hash)
SELECT * FROM unnest(%(place_id)s::int[], %(code)s::text[], %(link)s::int[], %(hash)s::bytea[])
ON CONFLICT (place_id) DO UPDATE SET code = excluded.code, link = excluded.link,
    hash = excluded.hash;

-- name: read_only
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: chains
-- Every dwelling that has sealed lines, or should have, by its code.
SELECT coalesce(c.code, p.code, '?' || s.place_id) AS code, s.place_id, c.link, c.hash
FROM (SELECT place_id FROM unit_chain
      UNION SELECT place_id FROM unit_day WHERE hash IS NOT NULL
      UNION SELECT place_id FROM unit_day_superseded WHERE hash IS NOT NULL) AS s
LEFT JOIN unit_chain c ON c.place_id = s.place_id
LEFT JOIN place p ON p.id = s.place_id
ORDER BY coalesce(c.code, p.code, '?' || s.place_id) COLLATE "C", s.place_id;

-- name: lines
-- The sealed lines of some dwellings, each dwelling's by their numbers.
SELECT d.place_id, coalesce(p.code, c.code) AS code, d.day, d.covered_min, d.below_min, d.mean_c,
       d.min_c, d.verdict, d.reason, d.policy_code, d.policy_from, d.judged_at, d.revision,
       d.link, d.prev, d.hash, d.sealed_on
FROM (
    SELECT place_id, day, covered_min, below_min, mean_c, min_c, verdict, reason, policy_code,
           policy_from, judged_at, revision, link, prev, hash, sealed_on
    FROM unit_day WHERE place_id = ANY(%(places)s) AND hash IS NOT NULL
    UNION ALL
    SELECT place_id, day, covered_min, below_min, mean_c, min_c, verdict, reason, policy_code,
           policy_from, judged_at, revision, link, prev, hash, sealed_on
    FROM unit_day_superseded WHERE place_id = ANY(%(places)s) AND hash IS NOT NULL) AS d
LEFT JOIN unit_chain c ON c.place_id = d.place_id
LEFT JOIN place p ON p.id = d.place_id
ORDER BY d.place_id, d.link;
