-- Sensor trust: daily memory, certified readings.

-- name: remember
-- One day; the states lie one behind the other.
INSERT INTO sensor_memory (device_id, day, version, state)
SELECT device_id, %(day)s, %(version)s,
       substr(%(states)b::bytea, ((n - 1) * %(width)s + 1)::int, %(width)s)
FROM unnest(%(devices)b::int[]) WITH ORDINALITY m (device_id, n)
ON CONFLICT (day, device_id) DO UPDATE SET version = excluded.version, state = excluded.state;

-- name: recall
-- Rows of another version are as good as none.
SELECT device_id, day, state FROM sensor_memory
WHERE day >= %(since)s AND day < %(until)s AND version = %(version)s
  AND device_id = ANY(%(devices)b::int[]);

-- name: last_remembered
-- Of each of some groups of sensors; of a sensor by its index.
SELECT g.part, max(m.day) AS day
FROM unnest(%(devices)b::int[], %(parts)b::int[]) g (device_id, part)
CROSS JOIN LATERAL (
    SELECT day FROM sensor_memory s
    WHERE s.device_id = g.device_id AND s.version = %(version)s ORDER BY day DESC LIMIT 1) m
GROUP BY g.part;

-- name: forget
DELETE FROM sensor_memory WHERE day < %(before)s;

-- name: device
-- A room sensor and the place to which it was bound at an instant.
SELECT d.id, p.id AS place_id, p.code AS place
FROM device d
LEFT JOIN device_binding b ON b.device_id = d.id AND b.valid @> %(time)s::timestamptz
                           AND b.role = 'room'
LEFT JOIN place p ON p.id = b.place_id
WHERE d.uid = %(uid)s AND d.kind = 'room';

-- name: said
-- What a sensor said around an instant.
SELECT avg(temperature_c)::float8 AS sensor_c, count(*)::int AS samples FROM room_reading
WHERE device_id = %(device_id)s AND quality & %(unusable)s = 0
  AND time >= %(time)s::timestamptz - %(around)s::interval
  AND time <= %(time)s::timestamptz + %(around)s::interval;

-- name: certify
INSERT INTO certified_reading (device_id, place_id, time, temperature_c, instrument, taken_by,
                               sensor_c, samples, added_by, added_at)
VALUES (%(device_id)s, %(place_id)s, %(time)s, %(temperature_c)s, %(instrument)s, %(taken_by)s,
        %(sensor_c)s, %(samples)s, %(added_by)s, %(added_at)s)
ON CONFLICT (device_id, time) DO NOTHING
RETURNING id;

-- name: touch_days
-- Verdicts since a certified reading are to be reached again.
INSERT INTO dirty_day (device_id, day)
SELECT %(device_id)s, d::date
FROM generate_series(date_trunc('day', %(since)s::timestamptz AT TIME ZONE 'UTC'),
                     %(until)s::timestamptz AT TIME ZONE 'UTC', interval '1 day') d
ON CONFLICT DO NOTHING;

-- name: certified
-- All readings that bear on a window: each sensor's last one before it and those within it, as long
-- as it hangs where it was compared.
SELECT c.device_id, c.time, c.temperature_c::float8, c.sensor_c::float8
FROM certified_reading c
JOIN device_binding b ON b.device_id = c.device_id AND b.place_id = c.place_id
     AND b.valid @> c.time AND upper_inf(b.valid)
WHERE c.time < %(until)s
  AND c.time >= coalesce((SELECT max(e.time) FROM certified_reading e
                          WHERE e.device_id = c.device_id AND e.time <= %(since)s), '-infinity')
ORDER BY c.time;

-- name: certified_list
SELECT c.id, d.uid, p.code AS place, c.time, c.temperature_c::float8, c.sensor_c::float8, c.samples,
       c.instrument, c.taken_by, c.added_by, c.added_at
FROM certified_reading c JOIN device d ON d.id = c.device_id JOIN place p ON p.id = c.place_id
WHERE %(uid)s::text IS NULL OR d.uid = %(uid)s
ORDER BY c.time DESC, c.id DESC LIMIT %(limit)s;

-- name: states
-- What each room sensor last told of itself, how often it speaks, the instant it last told of, and
-- for how long nothing has arrived of it while others were heard.
SELECT d.id AS device_id, coalesce(l.battery_pct, s.battery_pct)::float8 AS battery_pct,
       l.skew_s::float8, coalesce(h.interval_s, d.expected_interval_s)::float8 AS interval_s,
       s.gateway, l.time AS measured_at,
       date_part('epoch', coalesce(%(heard_at)s::timestamptz, (SELECT max(seen_at) FROM latest))
                 - l.seen_at) AS heard_s
FROM device d
LEFT JOIN latest l ON l.device_id = d.id
LEFT JOIN device_sign s ON s.device_id = d.id
LEFT JOIN device_habit h ON h.device_id = d.id
WHERE d.kind = 'room' AND (l.device_id IS NOT NULL OR s.device_id IS NOT NULL)
  AND d.id = ANY(%(devices)b::int[]);
