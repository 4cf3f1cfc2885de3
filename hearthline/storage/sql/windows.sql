-- Windows of measurements as analysis looks at them. Each is the source of a binary COPY, so every
-- column is a number that is always there: NaN where nothing was measured.
-- What a device that was moved in the window measured before belongs to the place it left.
-- ``devices`` NULL means all of them; parameters are literals here, so the planner sees which.

-- name: gathered
-- How all of them are read: one row a device.
COPY (SELECT device, {arrays} FROM ({rows}) q (device, {columns}) GROUP BY device)
TO STDOUT (FORMAT BINARY)

-- name: room_hours
WITH moved AS (
    SELECT device_id, max(lower(valid)) AS since FROM device_binding
    WHERE lower(valid) > %(since)s AND lower(valid) <= %(until)s
      AND (%(devices)s::int[] IS NULL OR device_id = ANY(%(devices)s::int[])) GROUP BY device_id)
SELECT h.device_id AS device, date_part('epoch', h.hour) AS at,
       h.mean_c::float8, h.min_c::float8, h.max_c::float8, h.n::float8, h.covered_min::float8
FROM room_hour h LEFT JOIN moved m ON m.device_id = h.device_id
WHERE h.hour >= %(since)s AND h.hour < %(until)s AND (m.since IS NULL OR h.hour >= m.since)
  AND (%(devices)s::int[] IS NULL OR h.device_id = ANY(%(devices)s::int[]))

-- name: meter_hours
WITH moved AS (
    SELECT device_id, max(lower(valid)) AS since FROM device_binding
    WHERE lower(valid) > %(since)s AND lower(valid) <= %(until)s
      AND (%(devices)s::int[] IS NULL OR device_id = ANY(%(devices)s::int[])) GROUP BY device_id)
SELECT h.device_id AS device, date_part('epoch', h.hour) AS at,
       coalesce(h.supply_c, 'NaN')::float8, coalesce(h.return_c, 'NaN')::float8,
       coalesce(h.flow_m3h, 'NaN')::float8, coalesce(h.power_kw, 'NaN')::float8,
       coalesce(h.valve_pct, 'NaN')::float8, coalesce(h.pump_hz, 'NaN')::float8,
       coalesce(h.supply_kpa, 'NaN')::float8, coalesce(h.return_kpa, 'NaN')::float8,
       coalesce(h.makeup_m3, 'NaN')::float8
FROM meter_hour h LEFT JOIN moved m ON m.device_id = h.device_id
WHERE h.hour >= %(since)s AND h.hour < %(until)s AND (m.since IS NULL OR h.hour >= m.since)
  AND (%(devices)s::int[] IS NULL OR h.device_id = ANY(%(devices)s::int[]))

-- name: meter_slots
WITH moved AS (
    SELECT device_id, max(lower(valid)) AS since FROM device_binding
    WHERE lower(valid) > %(since)s AND lower(valid) <= %(until)s
      AND (%(devices)s::int[] IS NULL OR device_id = ANY(%(devices)s::int[])) GROUP BY device_id)
SELECT r.device_id AS device,
       date_part('epoch', time_bucket(%(slot)s, r.time)) AS at,
       coalesce(avg(r.flow_m3h), 'NaN')::float8, coalesce(avg(r.supply_c), 'NaN')::float8,
       coalesce(avg(r.return_c), 'NaN')::float8
FROM meter_reading r LEFT JOIN moved m ON m.device_id = r.device_id
WHERE r.time >= %(since)s AND r.time < %(until)s AND r.device_id = ANY(%(devices)s)
  AND r.quality & %(unusable)s = 0 AND (m.since IS NULL OR r.time >= m.since)
GROUP BY 1, 2

-- name: weather_hours
SELECT h.device_id AS device, date_part('epoch', h.hour) AS at,
       coalesce(h.outdoor_c, 'NaN')::float8, coalesce(h.wind_ms, 'NaN')::float8,
       coalesce(h.solar_wm2, 'NaN')::float8
FROM weather_hour h
WHERE h.hour >= %(since)s AND h.hour < %(until)s

-- name: past_days
-- The compliance ledger's daily means; "device" is the dwelling's place, "at" the days since 1970.
SELECT d.place_id AS device, (d.day - date '1970-01-01')::float8 AS at,
       d.mean_c::float8
FROM unit_day d
WHERE d.day >= %(since)s AND d.day < %(until)s AND d.mean_c IS NOT NULL
  AND d.covered_min >= %(least_min)s
  AND (%(places)s::int[] IS NULL OR d.place_id = ANY(%(places)s::int[]))
