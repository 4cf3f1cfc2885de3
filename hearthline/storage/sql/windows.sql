-- Windows of measurements as analysis looks at them. Each is the source of a binary COPY, so every
-- column is a number that is always there: NaN where nothing was measured.
-- ``devices`` NULL means all of them; parameters are literals here, so the planner sees which.

-- name: gathered
-- How all of them are read: the rows of many devices as arrays, each of its column's own type. An
-- array has at most 1 GB: that is 16,384 devices for five months of hours.
COPY (SELECT {arrays} FROM ({rows}) q ({columns}) GROUP BY device >> 14) TO STDOUT (FORMAT BINARY)

-- name: by_page
-- Until the transaction ends, or ``as_planned``: rows are fetched page by page. The hours of a lot
-- lie on few pages, those of one device on many; the planner, which takes every row for a page of
-- its own, would visit each page a hundred times.
SELECT set_config('enable_indexscan', 'off', true);

-- name: as_planned
SELECT set_config('enable_indexscan', 'on', true);

-- name: moved
-- Which devices were moved in a window, and when last.
SELECT device_id, max(lower(valid)) FROM device_binding
WHERE lower(valid) > %(since)s AND lower(valid) <= %(until)s
  AND (%(devices)b::int[] IS NULL OR device_id = ANY(%(devices)b::int[]))
GROUP BY device_id;

-- name: room_hours
SELECT h.device_id, h.hour, h.mean_c, h.min_c, h.max_c, h.n, h.covered_min
FROM room_hour h
WHERE h.hour >= %(since)s AND h.hour < %(until)s
  AND (%(devices)s::int[] IS NULL OR h.device_id = ANY(%(devices)s::int[]))

-- name: meter_hours
SELECT h.device_id, h.hour,
       coalesce(h.supply_c, 'NaN'), coalesce(h.return_c, 'NaN'),
       coalesce(h.flow_m3h, 'NaN'), coalesce(h.power_kw, 'NaN'),
       coalesce(h.valve_pct, 'NaN'), coalesce(h.pump_hz, 'NaN'),
       coalesce(h.supply_kpa, 'NaN'), coalesce(h.return_kpa, 'NaN'),
       coalesce(h.makeup_m3, 'NaN')
FROM meter_hour h
WHERE h.hour >= %(since)s AND h.hour < %(until)s
  AND (%(devices)s::int[] IS NULL OR h.device_id = ANY(%(devices)s::int[]))

-- name: meter_slots
-- Single readings: to send one costs the server less than to average it.
SELECT r.device_id, r.time,
       coalesce(r.flow_m3h, 'NaN'), coalesce(r.supply_c, 'NaN'), coalesce(r.return_c, 'NaN')
FROM meter_reading r
LEFT JOIN unnest(%(moved)s::int[], %(moved_at)s::timestamptz[]) m (device_id, since)
       ON m.device_id = r.device_id
WHERE r.time >= %(since)s AND r.time < %(until)s AND r.device_id = ANY(%(devices)s::int[])
  AND r.quality & %(unusable)s = 0 AND (m.since IS NULL OR r.time >= m.since)

-- name: weather_hours
SELECT h.device_id, h.hour,
       coalesce(h.outdoor_c, 'NaN'), coalesce(h.wind_ms, 'NaN'), coalesce(h.solar_wm2, 'NaN')
FROM weather_hour h
WHERE h.hour >= %(since)s AND h.hour < %(until)s

-- name: past_days
-- The compliance ledger's daily means; "device" is the dwelling's place, "at" the days since 1970.
SELECT d.place_id AS device, (d.day - date '1970-01-01')::float8 AS at, d.mean_c
FROM unit_day d
WHERE d.day >= %(since)s AND d.day < %(until)s AND d.mean_c IS NOT NULL
  AND d.covered_min >= %(least_min)s
  AND (%(places)s::int[] IS NULL OR d.place_id = ANY(%(places)s::int[]))
