-- What the analysis cycle reads and writes.

-- name: lock_cycle
SELECT pg_advisory_xact_lock(7206612);

-- name: progress
SELECT at FROM watermark WHERE name = %(name)s;

-- name: set_progress
INSERT INTO watermark (name, at) VALUES (%(name)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: reached
-- The instant that a share of the devices of a kind that still report have reached. Devices that
-- fell silent, or deliver a backlog of more than a day, hold nobody up.
-- What was dated by its arrival tells how far arrival is, not measurement: it counts only where
-- nothing else is known, or a backlog would be passed over.
WITH telling AS (
    SELECT l.time, l.seen_at, l.quality & %(arrival)s = 0 AS dated
    FROM latest l JOIN device d ON d.id = l.device_id
    WHERE d.kind = %(kind)s AND l.quality & %(unusable)s = 0
), reporting AS (
    SELECT time, seen_at, max(time) OVER () AS newest, max(seen_at) OVER () AS last_seen
    FROM telling WHERE dated OR NOT EXISTS (SELECT FROM telling WHERE dated))
SELECT percentile_disc(1 - %(share)s::float8) WITHIN GROUP (ORDER BY time) AS at
FROM reporting
WHERE seen_at >= last_seen - interval '2 hours' AND time >= newest - interval '1 day';

-- name: pending_rollups
-- From an hour on: what came late for hours long judged holds nobody up, what came since does.
SELECT min(hour) AS hour FROM dirty_bucket
WHERE kind = %(kind)s AND hour >= coalesce(%(since)s, '-infinity'::timestamptz);

-- name: first_hour
SELECT least((SELECT min(hour) FROM room_hour), (SELECT min(hour) FROM meter_hour)) AS hour;

-- name: room_hours
-- What a device that was moved in the window measured before belongs to the place it left.
WITH moved AS (
    SELECT device_id, max(lower(valid)) AS since FROM device_binding
    WHERE lower(valid) > %(since)s AND lower(valid) <= %(until)s GROUP BY device_id)
SELECT h.device_id, h.hour, h.mean_c, h.min_c, h.max_c, h.n, h.covered_min
FROM room_hour h LEFT JOIN moved m ON m.device_id = h.device_id
WHERE h.hour >= %(since)s AND h.hour < %(until)s AND (m.since IS NULL OR h.hour >= m.since);

-- name: meter_slots
-- Of meters that were moved in the window, only what they measured where they are now.
WITH moved AS (
    SELECT device_id, max(lower(valid)) AS since FROM device_binding
    WHERE lower(valid) > %(since)s AND lower(valid) <= %(until)s GROUP BY device_id)
SELECT r.device_id, time_bucket(%(slot)s, r.time) AS slot,
       avg(r.flow_m3h)::float8 AS flow_m3h, avg(r.supply_c)::float8 AS supply_c,
       avg(r.return_c)::float8 AS return_c
FROM meter_reading r LEFT JOIN moved m ON m.device_id = r.device_id
WHERE r.time >= %(since)s AND r.time < %(until)s AND r.device_id = ANY(%(devices)s)
  AND r.quality & %(unusable)s = 0 AND (m.since IS NULL OR r.time >= m.since)
GROUP BY r.device_id, slot;

-- name: known_episodes
SELECT e.id, p.code, e.began_at, e.opened_at, e.closed_at, e.min_c
FROM episode e JOIN place p ON p.id = e.place_id
WHERE e.closed_at IS NULL OR e.closed_at > %(since)s;

-- name: insert_episode
INSERT INTO episode (place_id, kind, began_at, opened_at, closed_at, close_reason, min_c,
                     policy_code, policy_from)
SELECT id, 'cold', %(began_at)s, %(opened_at)s, %(closed_at)s, %(reason)s, %(min_c)s,
       %(policy_code)s, %(policy_from)s
FROM place WHERE code = %(code)s
ON CONFLICT DO NOTHING;

-- name: close_episode
UPDATE episode SET closed_at = %(closed_at)s, close_reason = %(reason)s,
                   min_c = least(min_c, %(min_c)s)
WHERE id = %(id)s AND closed_at IS NULL;

-- name: deepen_episode
UPDATE episode SET min_c = %(min_c)s WHERE id = %(id)s AND min_c > %(min_c)s;

-- name: set_holds
WITH wanted AS (
    SELECT p.id, w.reason FROM unnest(%(codes)s::text[], %(reasons)s::text[]) w(code, reason)
    JOIN place p ON p.code = w.code),
gone AS (DELETE FROM hold WHERE place_id NOT IN (SELECT id FROM wanted))
INSERT INTO hold (place_id, reason, since)
SELECT id, reason, %(at)s FROM wanted
ON CONFLICT (place_id) DO UPDATE SET reason = excluded.reason, since = excluded.since
WHERE hold.reason <> excluded.reason;

-- name: grades
SELECT device_id, grade, reason, since FROM sensor_grade;

-- name: set_grade
INSERT INTO sensor_grade (device_id, grade, reason, since)
VALUES (%(device_id)s, %(grade)s, %(reason)s, %(since)s)
ON CONFLICT (device_id) DO UPDATE SET
    grade = excluded.grade, reason = excluded.reason, since = excluded.since;

-- name: mark_days
INSERT INTO dirty_day (device_id, day)
SELECT %(device_id)s, d::date
FROM generate_series(%(since)s::timestamptz, %(until)s::timestamptz, interval '1 day') d
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

-- name: supersede
-- Keep what a late reading overrules, but only where the word changes.
WITH judged AS (
    SELECT p.id, %(day)s::date AS day FROM place p WHERE p.code = %(code)s)
INSERT INTO unit_day_superseded
SELECT d.* FROM unit_day d JOIN judged j ON d.place_id = j.id AND d.day = j.day
WHERE (d.verdict, d.reason) IS DISTINCT FROM (%(verdict)s, %(reason)s);

-- name: upsert_day
INSERT INTO unit_day (place_id, day, covered_min, below_min, mean_c, min_c, verdict, reason,
                      policy_code, policy_from, judged_at)
SELECT id, %(day)s, %(covered_min)s, %(below_min)s, %(mean_c)s, %(min_c)s, %(verdict)s,
       %(reason)s, %(policy_code)s, %(policy_from)s, %(judged_at)s
FROM place WHERE code = %(code)s
ON CONFLICT (place_id, day) DO UPDATE SET
    covered_min = excluded.covered_min, below_min = excluded.below_min,
    mean_c = excluded.mean_c, min_c = excluded.min_c,
    verdict = excluded.verdict, reason = excluded.reason,
    policy_code = excluded.policy_code, policy_from = excluded.policy_from,
    judged_at = excluded.judged_at,
    revision = unit_day.revision + ((unit_day.verdict, unit_day.reason)
               IS DISTINCT FROM (excluded.verdict, excluded.reason))::int;
