-- Filling and reading databases for measuring.

-- name: copy_room_hours
COPY room_hour (device_id, hour, n, mean_c, min_c, max_c, covered_min) FROM STDIN (FORMAT BINARY)

-- name: copy_meter_hours
COPY meter_hour (device_id, hour, n, supply_c, return_c, flow_m3h, power_kw, makeup_m3, supply_kpa,
                 return_kpa, valve_pct, pump_hz, covered_min) FROM STDIN (FORMAT BINARY)

-- name: copy_weather_hours
COPY weather_hour (device_id, hour, n, outdoor_c, wind_ms, solar_wm2, covered_min)
FROM STDIN (FORMAT BINARY)

-- name: copy_meter_slots
COPY meter_reading (device_id, time, flow_m3h, supply_c, return_c) FROM STDIN (FORMAT BINARY)

-- name: analyse
VACUUM ANALYZE;

-- name: arrive
INSERT INTO latest (device_id, time, seen_at, changed_at, reading)
SELECT id, %(at)s, %(at)s, %(at)s, '{}'::jsonb FROM device
ON CONFLICT (device_id) DO UPDATE SET time = excluded.time, seen_at = excluded.seen_at;

-- name: read_room_hours
COPY (SELECT device_id, date_part('epoch', hour), mean_c::float8, min_c::float8,
             max_c::float8, n::float8, covered_min::float8
      FROM room_hour WHERE hour >= %(since)s AND hour < %(until)s) TO STDOUT (FORMAT BINARY)

-- name: tickets
SELECT count(*) AS n FROM ticket;
