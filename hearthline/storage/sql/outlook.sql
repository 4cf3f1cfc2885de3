-- Estimates, forecasts, waste, places for sensors, and what the weather service says.

-- name: lock
SELECT pg_try_advisory_xact_lock(7206614) AS mine;

-- name: weather_ahead
-- The newest forecast that was issued by then.
SELECT issued_at, time, outdoor_c, wind_ms, solar_wm2 FROM weather_forecast
WHERE issued_at = (SELECT max(issued_at) FROM weather_forecast
                   WHERE issued_at <= %(at)s AND time > %(at)s)
  AND time > %(at)s - interval '1 hour' AND time < %(at)s + interval '3 days'
ORDER BY time;

-- name: keep_weather
INSERT INTO weather_forecast (issued_at, time, outdoor_c, wind_ms, solar_wm2)
VALUES (%(issued_at)s, %(time)s, %(outdoor_c)s, %(wind_ms)s, %(solar_wm2)s)
ON CONFLICT (issued_at, time) DO UPDATE SET outdoor_c = excluded.outdoor_c,
    wind_ms = excluded.wind_ms, solar_wm2 = excluded.solar_wm2;

-- name: forget_weather
DELETE FROM weather_forecast WHERE issued_at < %(before)s;

-- name: disbelieved
SELECT device_id FROM sensor_grade WHERE grade = 'C';

-- name: clear_units
DELETE FROM outlook_unit;

-- name: copy_units
COPY outlook_unit (place_id, measured, owed, now_c, now_half_k, day_c, day_half_k, cold,
                   chance_24h, chance_48h, breach_h, tau_h, waste_kwh, waste_share, ahead)
FROM STDIN (FORMAT BINARY);

-- name: clear_places
DELETE FROM outlook_place;

-- name: copy_places
COPY outlook_place (place_id, units, measured, day_c, cold_now, cold_24h, waste_kwh, waste_share,
                    tau_h, ahead) FROM STDIN (FORMAT BINARY);

-- name: set_outlook
INSERT INTO outlook (at, computed_at, limit_c, upper_c, units, measured, issued_at, forecast_h,
                     outdoor_c, widened, spread_k2)
VALUES (%(at)s, %(computed_at)s, %(limit_c)s, %(upper_c)s, %(units)s, %(measured)s,
        %(issued_at)s, %(forecast_h)s, %(outdoor_c)s, %(widened)s, %(spread_k2)s)
ON CONFLICT (one) DO UPDATE SET at = excluded.at, computed_at = excluded.computed_at,
    limit_c = excluded.limit_c, upper_c = excluded.upper_c, units = excluded.units,
    measured = excluded.measured, issued_at = excluded.issued_at,
    forecast_h = excluded.forecast_h, outdoor_c = excluded.outdoor_c,
    widened = excluded.widened, spread_k2 = excluded.spread_k2;

-- name: clear_sensors
DELETE FROM outlook_sensor;

-- name: add_sensor
INSERT INTO outlook_sensor (aim, rank, place_id, share, before_k, after_k, told, doubt, at)
VALUES (%(aim)s, %(rank)s, %(place_id)s, %(share)s, %(before_k)s, %(after_k)s, %(told)s,
        %(doubt)s, %(at)s);

-- name: add_sample
INSERT INTO outlook_sample (place_id, lead_h, due_at, mean_c, half_k, before_c)
VALUES (%(place_id)s, %(lead_h)s, %(due_at)s, %(mean_c)s, %(half_k)s, %(before_c)s)
ON CONFLICT (due_at, place_id, lead_h) DO NOTHING;

-- name: forget_samples
DELETE FROM outlook_sample WHERE due_at < %(before)s;

-- name: newest
SELECT at, computed_at, limit_c, upper_c, units, measured, issued_at, forecast_h, outdoor_c,
       widened, spread_k2 FROM outlook;

-- name: totals
-- Of dwellings whose heating is on.
SELECT count(*) AS units, count(*) FILTER (WHERE u.measured) AS measured,
       coalesce(sum(u.cold), 0)::float8 AS cold_now,
       coalesce(sum(u.cold) FILTER (WHERE NOT u.measured), 0)::float8 AS cold_unseen,
       coalesce(sum(u.chance_24h), 0)::float8 AS cold_24h,
       coalesce(sum(u.chance_48h), 0)::float8 AS cold_48h,
       coalesce(sum(u.waste_kwh), 0)::float8 AS waste_kwh,
       count(*) FILTER (WHERE u.day_c > o.upper_c) AS overheated,
       coalesce(avg(u.day_half_k) FILTER (WHERE NOT u.measured), 0)::float8 AS half_k
FROM outlook_unit u CROSS JOIN outlook o WHERE u.owed;

-- name: units
-- Dwellings whose heating is on, by what is asked: the likeliest to fall cold, or the most waste.
SELECT p.code, p.name, p.name_zh, p.path, u.measured, u.now_c, u.now_half_k, u.day_c,
       u.day_half_k, u.cold, u.chance_24h, u.chance_48h, u.breach_h, u.tau_h, u.waste_kwh,
       u.waste_share
FROM outlook_unit u JOIN place p ON p.id = u.place_id
WHERE u.owed AND (%(prefix)s::text IS NULL OR starts_with(p.path, %(prefix)s::text))
  AND (NOT %(ahead)s OR u.now_c >= %(limit_c)s)
ORDER BY CASE WHEN %(order)s = 'waste' THEN u.waste_kwh ELSE u.chance_24h END DESC, u.place_id
LIMIT %(limit)s OFFSET %(offset)s;

-- name: unit
SELECT p.code, p.name, p.name_zh, p.path, u.measured, u.owed, u.now_c, u.now_half_k, u.day_c,
       u.day_half_k, u.cold, u.chance_24h, u.chance_48h, u.breach_h, u.tau_h, u.waste_kwh,
       u.waste_share, u.ahead
FROM outlook_unit u JOIN place p ON p.id = u.place_id WHERE p.code = %(code)s;

-- name: places
SELECT p.code, p.kind, p.name, p.name_zh, p.path, o.units, o.measured, o.day_c, o.cold_now,
       o.cold_24h, o.waste_kwh, o.waste_share, o.tau_h, o.ahead
FROM outlook_place o JOIN place p ON p.id = o.place_id
WHERE (%(code)s::text IS NULL OR p.code = %(code)s) AND (%(kind)s::text IS NULL OR p.kind = %(kind)s)
ORDER BY p.path;

-- name: sensors
SELECT s.rank, p.code, p.name, p.name_zh, p.path, s.share, s.before_k, s.after_k, s.told,
       s.doubt, s.at
FROM outlook_sensor s JOIN place p ON p.id = s.place_id
WHERE s.aim = %(aim)s ORDER BY s.rank LIMIT %(limit)s;

-- name: skill
-- What came beside what was foretold: error of the forecast, and of expecting yesterday's mean.
WITH came AS (
    SELECT s.lead_h, s.mean_c, s.half_k, s.before_c, avg(h.mean_c) AS came_c
    FROM outlook_sample s
    JOIN device_binding b ON b.place_id = s.place_id AND b.role = 'room' AND b.valid @> s.due_at
    JOIN room_hour h ON h.device_id = b.device_id AND h.hour = s.due_at
    LEFT JOIN sensor_grade g ON g.device_id = b.device_id
    WHERE s.due_at >= %(since)s AND g.grade IS DISTINCT FROM 'C'
    GROUP BY s.place_id, s.due_at, s.lead_h)
SELECT lead_h, count(*) AS samples,
       sqrt(avg((mean_c - came_c) ^ 2))::float8 AS error_k,
       sqrt(avg((before_c - came_c) ^ 2))::float8 AS persistence_k,
       avg((abs(mean_c - came_c) <= half_k)::int)::float8 AS covered
FROM came GROUP BY lead_h ORDER BY lead_h;
