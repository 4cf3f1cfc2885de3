-- Rollups, recomputed whole per dirty bucket; see storage/rollups.py for the rules and the locks.
-- In each: `span` is what to read of a device, `standing` from when to when a reading stands,
-- `portion` its minutes in its own hour and in each that it reaches into. Hours are summed up before
-- those that were not taken are left out, so the many readings are joined with nothing; and
-- `(… IN …) IS TRUE` is looked up in a hash, whatever the planner believes of their number.
-- Readings whose quality has a bit of `unusable` are as if they had never come; where it has one of
-- `doubtful`, what was measured beside the principal quantities is left out.

-- name: take
-- Oldest first, and within a week, so that the readings to be looked at lie close together.
DELETE FROM dirty_bucket d
USING (SELECT hour, kind, device_id FROM dirty_bucket
       WHERE hour < (SELECT min(hour) FROM dirty_bucket) + interval '7 days'
       ORDER BY hour, kind, device_id
       LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED) AS t
WHERE d.hour = t.hour AND d.kind = t.kind AND d.device_id = t.device_id
RETURNING d.kind, d.device_id, d.hour;

-- name: make_room
-- For sorting a bite's readings in memory; until the transaction ends.
SELECT set_config('work_mem', '64MB', true);

-- name: depth
-- Counted where that is quick; beyond %(exact)s what the planner believes, and at least that many.
WITH first AS (SELECT count(*) AS count FROM (SELECT FROM dirty_bucket LIMIT %(exact)s) AS taken)
SELECT CASE WHEN count < %(exact)s THEN count
            ELSE greatest(count, (SELECT reltuples::bigint FROM pg_class
                                  WHERE oid = 'dirty_bucket'::regclass)) END AS count
FROM first;

-- name: roll_room
WITH taken AS (
    SELECT * FROM unnest(%(device_ids)b::int[], %(hours)b::timestamptz[]) AS t (device_id, hour)
), span AS (
    SELECT t.device_id, min(t.hour) AS began, max(t.hour) + interval '1 hour' AS ended,
           least(d.expected_interval_s * %(hold_factor)s * interval '1 second', %(hold_most)s) AS hold
    FROM taken t JOIN device d ON d.id = t.device_id
    GROUP BY t.device_id, d.expected_interval_s
), standing AS (
    SELECT r.*, time_bucket(interval '1 hour', r.time) AS began,
           least(r.time + s.hold,
                 lead(r.time) OVER (PARTITION BY r.device_id ORDER BY r.time)) AS ended
    FROM span s JOIN room_reading r
      ON r.device_id = s.device_id AND r.time >= s.began - s.hold AND r.time < s.ended
    WHERE r.time >= %(since)s AND r.time < %(until)s AND r.quality & %(unusable)s = 0
), portion AS (
    SELECT *, began AS hour, true AS own,
           extract(epoch FROM least(ended, began + interval '1 hour') - time)::float8 / 60 AS minutes
    FROM standing
    UNION ALL
    SELECT s.*, g.hour, false,
           extract(epoch FROM least(s.ended, g.hour + interval '1 hour') - g.hour)::float8 / 60
    FROM standing s
    CROSS JOIN LATERAL generate_series(s.began + interval '1 hour', s.ended
                                       - interval '1 microsecond', interval '1 hour') AS g (hour)
    WHERE s.ended > s.began + interval '1 hour'
), summed AS (
    SELECT device_id, hour, count(*) FILTER (WHERE own) AS n,
           sum(temperature_c * minutes) / sum(minutes) AS mean_c,
           min(temperature_c) AS min_c, max(temperature_c) AS max_c, sum(minutes) AS covered_min
    FROM portion GROUP BY device_id, hour
), rolled AS (
    SELECT * FROM summed
    WHERE ((device_id, hour) IN (SELECT device_id, hour FROM taken)) IS TRUE
), changed AS (
    INSERT INTO room_hour AS h (device_id, hour, n, mean_c, min_c, max_c, covered_min)
    SELECT * FROM rolled
    ON CONFLICT (device_id, hour) DO UPDATE SET
        (n, mean_c, min_c, max_c, covered_min) =
        (excluded.n, excluded.mean_c, excluded.min_c, excluded.max_c, excluded.covered_min)
    WHERE (h.*) IS DISTINCT FROM (excluded.*)
    RETURNING device_id, hour
), gone AS (
    DELETE FROM room_hour h USING taken t
    WHERE h.device_id = t.device_id AND h.hour = t.hour
      AND NOT EXISTS (SELECT FROM rolled r WHERE r.device_id = t.device_id AND r.hour = t.hour)
    RETURNING h.device_id, h.hour
)
INSERT INTO dirty_day (device_id, day)
SELECT DISTINCT device_id, (hour AT TIME ZONE 'UTC')::date
FROM (SELECT * FROM changed UNION ALL SELECT * FROM gone) AS touched
ORDER BY 1, 2
ON CONFLICT (device_id, day) DO UPDATE SET day = excluded.day WHERE false;

-- name: roll_meter
-- Temperatures are weighted by forward flow, as heat is; where nothing flows, by time alone.
-- Counters are those of the last reading that stands in the hour.
WITH taken AS (
    SELECT * FROM unnest(%(device_ids)b::int[], %(hours)b::timestamptz[]) AS t (device_id, hour)
), span AS (
    SELECT t.device_id, min(t.hour) AS began, max(t.hour) + interval '1 hour' AS ended,
           least(d.expected_interval_s * %(hold_factor)s * interval '1 second', %(hold_most)s) AS hold
    FROM taken t JOIN device d ON d.id = t.device_id
    GROUP BY t.device_id, d.expected_interval_s
), standing AS (
    SELECT r.*, time_bucket(interval '1 hour', r.time) AS began,
           least(r.time + s.hold,
                 lead(r.time) OVER (PARTITION BY r.device_id ORDER BY r.time)) AS ended
    FROM span s JOIN meter_reading r
      ON r.device_id = s.device_id AND r.time >= s.began - s.hold AND r.time < s.ended
    WHERE r.time >= %(since)s AND r.time < %(until)s AND r.quality & %(unusable)s = 0
), portion AS (
    SELECT *, began AS hour, true AS own, quality & %(doubtful)s = 0 AS sound,
           extract(epoch FROM least(ended, began + interval '1 hour') - time)::float8 / 60 AS minutes
    FROM standing
    UNION ALL
    SELECT s.*, g.hour, false, s.quality & %(doubtful)s = 0,
           extract(epoch FROM least(s.ended, g.hour + interval '1 hour') - g.hour)::float8 / 60
    FROM standing s
    CROSS JOIN LATERAL generate_series(s.began + interval '1 hour', s.ended
                                       - interval '1 microsecond', interval '1 hour') AS g (hour)
    WHERE s.ended > s.began + interval '1 hour'
), summed AS (
    SELECT device_id, hour, count(*) FILTER (WHERE own) AS n,
           coalesce(
               sum(supply_c * forward * minutes)
                   / nullif(sum(forward * minutes) FILTER (WHERE supply_c IS NOT NULL), 0),
               sum(supply_c * minutes) / sum(minutes) FILTER (WHERE supply_c IS NOT NULL)) AS supply_c,
           coalesce(
               sum(return_c * forward * minutes)
                   / nullif(sum(forward * minutes) FILTER (WHERE return_c IS NOT NULL), 0),
               sum(return_c * minutes) / sum(minutes) FILTER (WHERE return_c IS NOT NULL)) AS return_c,
           sum(flow_m3h * minutes) / sum(minutes) FILTER (WHERE flow_m3h IS NOT NULL) AS flow_m3h,
           sum(power_kw * minutes) / sum(minutes) FILTER (WHERE power_kw IS NOT NULL) AS power_kw,
           last(energy_kwh, time) FILTER (WHERE energy_kwh IS NOT NULL) AS energy_kwh,
           last(volume_m3, time) FILTER (WHERE volume_m3 IS NOT NULL) AS volume_m3,
           last(makeup_m3, time) FILTER (WHERE makeup_m3 IS NOT NULL) AS makeup_m3,
           sum(supply_kpa * minutes) FILTER (WHERE sound)
               / sum(minutes) FILTER (WHERE sound AND supply_kpa IS NOT NULL) AS supply_kpa,
           sum(return_kpa * minutes) FILTER (WHERE sound)
               / sum(minutes) FILTER (WHERE sound AND return_kpa IS NOT NULL) AS return_kpa,
           sum(valve_pct * minutes) FILTER (WHERE sound)
               / sum(minutes) FILTER (WHERE sound AND valve_pct IS NOT NULL) AS valve_pct,
           sum(pump_hz * minutes) FILTER (WHERE sound)
               / sum(minutes) FILTER (WHERE sound AND pump_hz IS NOT NULL) AS pump_hz,
           sum(minutes) AS covered_min
    FROM portion CROSS JOIN LATERAL (SELECT greatest(flow_m3h, 0) AS forward) AS f
    GROUP BY device_id, hour
), rolled AS (
    SELECT * FROM summed
    WHERE ((device_id, hour) IN (SELECT device_id, hour FROM taken)) IS TRUE
), changed AS (
    INSERT INTO meter_hour AS h (device_id, hour, n, supply_c, return_c, flow_m3h, power_kw, energy_kwh, volume_m3, makeup_m3, supply_kpa, return_kpa,
                                  valve_pct, pump_hz, covered_min)
    SELECT * FROM rolled
    ON CONFLICT (device_id, hour) DO UPDATE SET
        (n, supply_c, return_c, flow_m3h, power_kw, energy_kwh, volume_m3, makeup_m3, supply_kpa, return_kpa,
         valve_pct, pump_hz, covered_min) =
        (excluded.n, excluded.supply_c, excluded.return_c, excluded.flow_m3h, excluded.power_kw,
         excluded.energy_kwh, excluded.volume_m3, excluded.makeup_m3, excluded.supply_kpa,
         excluded.return_kpa, excluded.valve_pct, excluded.pump_hz, excluded.covered_min)
    WHERE (h.*) IS DISTINCT FROM (excluded.*)
    RETURNING device_id, hour
), gone AS (
    DELETE FROM meter_hour h USING taken t
    WHERE h.device_id = t.device_id AND h.hour = t.hour
      AND NOT EXISTS (SELECT FROM rolled r WHERE r.device_id = t.device_id AND r.hour = t.hour)
    RETURNING h.device_id, h.hour
)
INSERT INTO dirty_day (device_id, day)
SELECT DISTINCT device_id, (hour AT TIME ZONE 'UTC')::date
FROM (SELECT * FROM changed UNION ALL SELECT * FROM gone) AS touched
ORDER BY 1, 2
ON CONFLICT (device_id, day) DO UPDATE SET day = excluded.day WHERE false;

-- name: roll_weather
WITH taken AS (
    SELECT * FROM unnest(%(device_ids)b::int[], %(hours)b::timestamptz[]) AS t (device_id, hour)
), span AS (
    SELECT t.device_id, min(t.hour) AS began, max(t.hour) + interval '1 hour' AS ended,
           least(d.expected_interval_s * %(hold_factor)s * interval '1 second', %(hold_most)s) AS hold
    FROM taken t JOIN device d ON d.id = t.device_id
    GROUP BY t.device_id, d.expected_interval_s
), standing AS (
    SELECT r.*, time_bucket(interval '1 hour', r.time) AS began,
           least(r.time + s.hold,
                 lead(r.time) OVER (PARTITION BY r.device_id ORDER BY r.time)) AS ended
    FROM span s JOIN weather_reading r
      ON r.device_id = s.device_id AND r.time >= s.began - s.hold AND r.time < s.ended
    WHERE r.time >= %(since)s AND r.time < %(until)s AND r.quality & %(unusable)s = 0
), portion AS (
    SELECT *, began AS hour, true AS own, quality & %(doubtful)s = 0 AS sound,
           extract(epoch FROM least(ended, began + interval '1 hour') - time)::float8 / 60 AS minutes
    FROM standing
    UNION ALL
    SELECT s.*, g.hour, false, s.quality & %(doubtful)s = 0,
           extract(epoch FROM least(s.ended, g.hour + interval '1 hour') - g.hour)::float8 / 60
    FROM standing s
    CROSS JOIN LATERAL generate_series(s.began + interval '1 hour', s.ended
                                       - interval '1 microsecond', interval '1 hour') AS g (hour)
    WHERE s.ended > s.began + interval '1 hour'
), summed AS (
    SELECT device_id, hour, count(*) FILTER (WHERE own) AS n,
           sum(outdoor_c * minutes) / sum(minutes) FILTER (WHERE outdoor_c IS NOT NULL) AS outdoor_c,
           sum(wind_ms * minutes) FILTER (WHERE sound)
               / sum(minutes) FILTER (WHERE sound AND wind_ms IS NOT NULL) AS wind_ms,
           sum(solar_wm2 * minutes) FILTER (WHERE sound)
               / sum(minutes) FILTER (WHERE sound AND solar_wm2 IS NOT NULL) AS solar_wm2,
           sum(minutes) AS covered_min
    FROM portion GROUP BY device_id, hour
), rolled AS (
    SELECT * FROM summed
    WHERE ((device_id, hour) IN (SELECT device_id, hour FROM taken)) IS TRUE
), changed AS (
    INSERT INTO weather_hour AS h (device_id, hour, n, outdoor_c, wind_ms, solar_wm2, covered_min)
    SELECT * FROM rolled
    ON CONFLICT (device_id, hour) DO UPDATE SET
        (n, outdoor_c, wind_ms, solar_wm2, covered_min) =
        (excluded.n, excluded.outdoor_c, excluded.wind_ms, excluded.solar_wm2, excluded.covered_min)
    WHERE (h.*) IS DISTINCT FROM (excluded.*)
    RETURNING device_id, hour
), gone AS (
    DELETE FROM weather_hour h USING taken t
    WHERE h.device_id = t.device_id AND h.hour = t.hour
      AND NOT EXISTS (SELECT FROM rolled r WHERE r.device_id = t.device_id AND r.hour = t.hour)
    RETURNING h.device_id, h.hour
)
INSERT INTO dirty_day (device_id, day)
SELECT DISTINCT device_id, (hour AT TIME ZONE 'UTC')::date
FROM (SELECT * FROM changed UNION ALL SELECT * FROM gone) AS touched
ORDER BY 1, 2
ON CONFLICT (device_id, day) DO UPDATE SET day = excluded.day WHERE false;
