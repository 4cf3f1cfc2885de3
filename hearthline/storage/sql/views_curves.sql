-- Series for curves: one dwelling, many dwellings, a band of peers, meters, outdoors.

-- name: room_hours
SELECT h.hour, p.code, avg(h.mean_c)::float8 AS mean_c, min(h.min_c)::float8 AS min_c,
       max(h.max_c)::float8 AS max_c, max(h.covered_min)::float8 AS covered_min
FROM place p
JOIN device_binding b ON b.place_id = p.id AND b.role = 'room'
JOIN room_hour h ON h.device_id = b.device_id AND b.valid @> h.hour
WHERE p.code = ANY(%(codes)s) AND h.hour >= %(start)s AND h.hour < %(stop)s
  AND (%(after)s::timestamptz IS NULL OR h.hour > %(after)s)
GROUP BY h.hour, p.code ORDER BY h.hour, p.code LIMIT %(limit)s;

-- name: room_readings
SELECT r.time, d.uid AS device, r.temperature_c, r.humidity_pct, r.battery_pct, r.quality
FROM place p
JOIN device_binding b ON b.place_id = p.id AND b.role = 'room'
JOIN device d ON d.id = b.device_id
JOIN room_reading r ON r.device_id = b.device_id AND b.valid @> r.time
WHERE p.code = %(code)s AND r.time >= %(start)s AND r.time < %(stop)s
  AND (%(after)s::timestamptz IS NULL OR (r.time, d.uid) > (%(after)s, %(after_device)s))
ORDER BY r.time, d.uid LIMIT %(limit)s;

-- name: band_inside
-- The tenth, median and ninetieth percentile of the given dwellings, hour by hour.
SELECT h.hour, percentile_cont(0.1) WITHIN GROUP (ORDER BY h.mean_c) AS low_c,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY h.mean_c) AS median_c,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY h.mean_c) AS high_c, count(*) AS sensors
FROM place p
JOIN device_binding b ON b.place_id = p.id AND b.role = 'room'
JOIN room_hour h ON h.device_id = b.device_id AND b.valid @> h.hour
WHERE p.code = ANY(%(codes)s) AND h.hour >= %(start)s AND h.hour < %(stop)s
GROUP BY h.hour ORDER BY h.hour;

-- name: band_around
-- The same of every heated dwelling below a place, the given ones left out, and those that
-- another incident makes cold in this time: they would be no measure of what is normal.
SELECT h.hour, percentile_cont(0.1) WITHIN GROUP (ORDER BY h.mean_c) AS low_c,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY h.mean_c) AS median_c,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY h.mean_c) AS high_c, count(*) AS sensors
FROM place p
JOIN device_binding b ON b.place_id = p.id AND b.role = 'room'
JOIN room_hour h ON h.device_id = b.device_id AND b.valid @> h.hour
LEFT JOIN unit_status s ON s.place_id = p.id AND s.valid @> h.hour
WHERE starts_with(p.path, %(prefix)s) AND p.kind = 'unit' AND NOT p.code = ANY(%(codes)s)
  AND NOT EXISTS (
      SELECT FROM incident_member m JOIN incident i ON i.id = m.incident_id
      WHERE m.place_id = p.id AND m.cold_since IS NOT NULL AND i.opened_at < %(stop)s
        AND coalesce(i.closed_at, 'infinity') > %(start)s)
  AND coalesce(s.status, 'on') = 'on' AND h.hour >= %(start)s AND h.hour < %(stop)s
GROUP BY h.hour ORDER BY h.hour;

-- name: meters_on
-- Meters bound to any of these places now, the deepest place and its own side first.
SELECT d.id AS device_id, d.uid, b.role, d.flow_pipe, p.code, p.kind, p.name, p.name_zh, p.path,
       l.time AS read_at, l.seen_at, CASE WHEN l.quality & {unusable} = 0 THEN l.reading END AS reading
FROM device_binding b
JOIN device d ON d.id = b.device_id AND d.kind = 'meter'
JOIN place p ON p.id = b.place_id
LEFT JOIN latest l ON l.device_id = d.id AND b.valid @> l.time
WHERE p.code = ANY(%(codes)s) AND b.valid @> %(now)s::timestamptz
ORDER BY length(p.path) DESC, (b.role = 'primary'), d.uid;

-- name: meter_hours
-- What the meter measured where it hangs at the end of the window, nothing of where it hung before.
SELECT hour, supply_c, return_c, flow_m3h, power_kw, supply_kpa, return_kpa, valve_pct, pump_hz
FROM meter_hour WHERE device_id = %(device_id)s AND hour >= %(start)s AND hour < %(stop)s
  AND hour >= coalesce((SELECT lower(valid) FROM device_binding
                        WHERE device_id = %(device_id)s AND valid @> %(stop)s::timestamptz),
                       '-infinity')
ORDER BY hour;

-- name: outdoor_hours
SELECT h.hour, avg(h.outdoor_c)::float8 AS outdoor_c
FROM weather_hour h JOIN device_binding b ON b.device_id = h.device_id AND b.valid @> h.hour
WHERE b.role = 'weather' AND h.hour >= %(start)s AND h.hour < %(stop)s
GROUP BY h.hour ORDER BY h.hour;

-- name: episodes_of
SELECT p.code, e.began_at, e.opened_at, e.closed_at, e.close_reason, e.min_c
FROM episode e JOIN place p ON p.id = e.place_id
WHERE p.code = ANY(%(codes)s) AND e.kind <> 'overheated' AND e.began_at < %(stop)s
  AND coalesce(e.closed_at, 'infinity') > %(start)s
ORDER BY e.began_at;
