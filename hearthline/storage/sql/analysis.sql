-- What the analysis cycle reads and writes.

-- name: lock_cycle
SELECT pg_advisory_xact_lock(7206612);

-- name: progress
SELECT at FROM watermark WHERE name = %(name)s;

-- name: progress_of
SELECT name, at FROM watermark WHERE name = ANY(%(names)s);

-- name: set_progress_of
INSERT INTO watermark (name, at) SELECT name, %(at)s FROM unnest(%(names)s::text[]) n (name)
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: set_progress
INSERT INTO watermark (name, at) VALUES (%(name)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: lock_districts
-- One after another, in the order in which they are named.
SELECT pg_advisory_xact_lock(7206615, hashtext(d)) FROM unnest(%(districts)s::text[]) d;

-- name: block
SELECT since, rooms, meters, overall FROM analysis_block;

-- name: heard_at
SELECT max(seen_at) AS at FROM latest;

-- name: begin_block
INSERT INTO analysis_block (since, rooms, meters, overall)
VALUES (%(since)s, %(rooms)s, %(meters)s, %(overall)s);

-- name: end_block
DELETE FROM analysis_block;

-- name: districts
-- The topmost places below the sources, with how far each has come. Sources have no parent.
SELECT p.code, p.path, w.at
FROM place p LEFT JOIN watermark w ON w.name = 'analysis/' || p.code
WHERE p.parent_id IN (SELECT id FROM place WHERE parent_id IS NULL)
ORDER BY p.path;

-- name: behind
-- Whether any of them has not come as far as an instant, those aside that failed there.
SELECT EXISTS (
    SELECT FROM place p LEFT JOIN watermark w ON w.name = 'analysis/' || p.code
    WHERE p.parent_id IN (SELECT id FROM place WHERE parent_id IS NULL)
      AND (w.at IS NULL OR w.at < %(until)s)
      AND NOT EXISTS (SELECT FROM analysis_aside a
                      WHERE a.district = p.code AND a.tried_until >= %(until)s)) AS behind;

-- name: aside
-- Districts whose analysis failed last, and in which block.
SELECT a.district AS code, p.name, p.name_zh, a.since, a.tried_until, a.attempts, a.reason
FROM analysis_aside a JOIN place p ON p.code = a.district ORDER BY a.since, a.district;

-- name: set_aside
INSERT INTO analysis_aside AS a (district, tried_until, reason)
VALUES (%(district)s, %(tried_until)s, %(reason)s)
ON CONFLICT (district) DO UPDATE SET tried_until = excluded.tried_until, reason = excluded.reason,
                                     attempts = a.attempts + 1;

-- name: take_back
DELETE FROM analysis_aside WHERE district = ANY(%(districts)s);

-- name: district_sizes
-- How many dwellings each has.
SELECT split_part(path, '/', 2) AS code, count(*)::int AS dwellings
FROM place WHERE kind = 'unit' GROUP BY 1;

-- name: above
-- Whether anything is to be told of the sources: incidents there, or districts cold in general.
SELECT count(*) FILTER (WHERE p.kind = 'source') AS at_sources,
       count(*) FILTER (WHERE i.cause = 'undetermined' AND q.kind = 'source') AS at_districts
FROM incident i JOIN place p ON p.id = i.place_id LEFT JOIN place q ON q.id = p.parent_id
WHERE i.closed_at IS NULL AND i.kind = 'supply';

-- name: spells
SELECT p.code, e.began_at, e.opened_at, e.closed_at, e.min_c
FROM episode e JOIN place p ON p.id = e.place_id
WHERE e.kind = 'cold' AND e.opened_at <= %(until)s
  AND (e.closed_at IS NULL OR e.closed_at > %(since)s);

-- name: measured
-- Heated dwellings with a sensor that may be believed.
SELECT DISTINCT p.code
FROM device_binding b
JOIN place p ON p.id = b.place_id
JOIN latest l ON l.device_id = b.device_id AND l.time > %(at)s::timestamptz - interval '3 hours'
LEFT JOIN sensor_grade g ON g.device_id = b.device_id
WHERE b.role = 'room' AND p.kind = 'unit' AND b.valid @> %(at)s::timestamptz
  AND coalesce(g.grade, 'A') <> 'C'
  AND NOT EXISTS (SELECT FROM unit_status s WHERE s.place_id = p.id AND s.status <> 'on'
                  AND s.valid @> %(at)s::timestamptz);

-- name: reached
-- The instant that a share of the devices of a kind that still report have reached. Devices that
-- fell silent, or deliver a backlog of more than a day, hold nobody up.
-- What was dated by its arrival tells how far arrival is, not measurement: it counts only where
-- nothing else is known, or a backlog would be passed over.
-- ``< 1`` is ``= 0`` in words that do not make the planner take sound readings for rare: it would
-- look up every device by itself.
WITH telling AS MATERIALIZED (
    SELECT l.time, l.seen_at, l.quality & %(arrival)s = 0 AS dated
    FROM latest l JOIN device d ON d.id = l.device_id
    WHERE d.kind = %(kind)s AND l.quality & %(unusable)s < 1
), newest AS (
    SELECT dated, max(time) AS at, max(seen_at) AS seen_at
    FROM telling GROUP BY dated ORDER BY dated DESC LIMIT 1)
SELECT percentile_disc(1 - %(share)s::float8) WITHIN GROUP (ORDER BY t.time) AS at
FROM newest n JOIN telling t ON t.dated >= n.dated
WHERE t.seen_at >= n.seen_at - interval '2 hours' AND t.time >= n.at - interval '1 day';

-- name: pending_rollups
-- From an hour on: what came late for hours long judged holds nobody up, what came since does.
SELECT min(hour) AS hour FROM dirty_bucket
WHERE kind = %(kind)s AND hour >= coalesce(%(since)s, '-infinity'::timestamptz);

-- name: first_hour
SELECT least((SELECT min(hour) FROM room_hour), (SELECT min(hour) FROM meter_hour)) AS hour;

-- name: known_episodes
SELECT n.part, e.id, p.code, e.began_at, e.opened_at, e.closed_at, e.min_c
FROM unnest(%(paths)s::text[], %(beyond)s::text[]) WITH ORDINALITY n (path, beyond, part)
JOIN place p ON p.path ~>=~ n.path AND p.path ~<~ n.beyond
JOIN episode e ON e.place_id = p.id
WHERE e.kind = %(kind)s AND (e.closed_at IS NULL OR e.closed_at > %(since)s)
ORDER BY e.id;

-- name: insert_episode
INSERT INTO episode (place_id, kind, began_at, opened_at, closed_at, close_reason, min_c,
                     policy_code, policy_from)
SELECT id, %(kind)s, %(began_at)s, %(opened_at)s, %(closed_at)s, %(reason)s, %(min_c)s,
       %(policy_code)s, %(policy_from)s
FROM place WHERE code = %(code)s
ON CONFLICT DO NOTHING;

-- name: close_episode
UPDATE episode SET closed_at = %(closed_at)s, close_reason = %(reason)s,
                   min_c = CASE kind
                       WHEN 'overheated' THEN greatest(min_c, nullif(%(min_c)s, 'infinity'::real))
                       ELSE least(min_c, %(min_c)s) END
WHERE id = %(id)s AND closed_at IS NULL;

-- name: set_holds
WITH wanted AS (
    SELECT p.id, w.reason FROM unnest(%(codes)s::text[], %(reasons)s::text[]) w(code, reason)
    JOIN place p ON p.code = w.code),
gone AS (
    DELETE FROM hold h
    USING unnest(%(paths)s::text[], %(beyond)s::text[]) n (path, beyond), place p
    WHERE p.id = h.place_id AND p.path ~>=~ n.path AND p.path ~<~ n.beyond
      AND h.place_id NOT IN (SELECT id FROM wanted))
INSERT INTO hold (place_id, reason, since)
SELECT id, reason, %(at)s FROM wanted
ON CONFLICT (place_id) DO UPDATE SET reason = excluded.reason, since = excluded.since
WHERE hold.reason <> excluded.reason;

-- name: grades
SELECT device_id, grade, reason, since FROM sensor_grade WHERE device_id = ANY(%(devices)b::int[]);

-- name: set_grade
INSERT INTO sensor_grade (device_id, grade, reason, since, measure)
SELECT device_id, (%(grades)s::text[])[grade], (%(reasons)s::text[])[reason], since, measure
FROM unnest(%(devices)b::int[], %(grade)b::int[], %(reason)b::int[], %(since)b::timestamptz[],
            %(measures)b::float8[]) n (device_id, grade, reason, since, measure)
ON CONFLICT (device_id) DO UPDATE SET
    grade = excluded.grade, reason = excluded.reason, since = excluded.since,
    measure = excluded.measure;

-- name: mark_days
INSERT INTO dirty_day (device_id, day)
SELECT c.device_id, d::date
FROM unnest(%(devices)b::int[], %(since)b::timestamptz[]) c (device_id, since)
CROSS JOIN LATERAL generate_series(c.since, %(until)s::timestamptz, interval '1 day') d
ON CONFLICT DO NOTHING;

-- name: take_days
-- Of sensors that are or once were bound as a room's.
DELETE FROM dirty_day WHERE (device_id, day) IN (
    SELECT d.device_id, d.day FROM dirty_day d
    WHERE EXISTS (SELECT FROM device_binding b
                  WHERE b.device_id = d.device_id AND b.role = 'room')
    ORDER BY d.day, d.device_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING device_id, day;

-- name: dwellings_of
-- Where sensors hang and hung, and since and until when.
SELECT b.device_id, p.code, nullif(lower(b.valid), '-infinity') AS since,
       nullif(upper(b.valid), 'infinity') AS until
FROM device_binding b JOIN place p ON p.id = b.place_id
WHERE b.device_id = ANY(%(devices)s) AND b.role = 'room' AND p.kind = 'unit';

-- name: day_hours
-- With the place to which the sensor was bound in that hour; an hour in which it was moved is
-- nobody's.
SELECT h.device_id, h.hour, h.mean_c, h.covered_min, p.code AS place
FROM device_binding b
JOIN place p ON p.id = b.place_id
JOIN room_hour h ON h.device_id = b.device_id
     AND b.valid @> tstzrange(h.hour, h.hour + interval '1 hour')
WHERE p.code = ANY(%(places)s) AND b.role = 'room'
  AND h.hour >= %(since)s AND h.hour < %(until)s
ORDER BY h.hour;
