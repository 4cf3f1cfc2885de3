-- Readings, the latest of each device, and the marks that ask for rollups. Arrays travel in binary
-- (%(name)b): as text they cost ten times as much.

-- name: all_devices
SELECT uid, id, kind, expected_interval_s FROM device;

-- name: devices_by_uid
SELECT uid, id, kind, expected_interval_s FROM device WHERE uid = ANY(%(uids)s);

-- name: listen
LISTEN hearthline_ledger;

-- name: copy_room
COPY room_reading (time, device_id, temperature_c, humidity_pct, battery_pct, quality)
FROM STDIN (FORMAT BINARY);

-- name: copy_meter
COPY meter_reading (time, device_id, supply_c, return_c, flow_m3h, power_kw, energy_kwh, volume_m3,
                    supply_kpa, return_kpa, valve_pct, pump_hz, makeup_m3, quality)
FROM STDIN (FORMAT BINARY);

-- name: copy_weather
COPY weather_reading (time, device_id, outdoor_c, wind_ms, solar_wm2, humidity_pct, quality)
FROM STDIN (FORMAT BINARY);

-- name: stage_room
-- The careful way, for batches in which some reading is already there: stage, copy, merge.
CREATE TEMP TABLE IF NOT EXISTS staged_room (LIKE room_reading) ON COMMIT DELETE ROWS;

-- name: stage_meter
CREATE TEMP TABLE IF NOT EXISTS staged_meter (LIKE meter_reading) ON COMMIT DELETE ROWS;

-- name: stage_weather
CREATE TEMP TABLE IF NOT EXISTS staged_weather (LIKE weather_reading) ON COMMIT DELETE ROWS;

-- name: copy_staged_room
COPY staged_room (time, device_id, temperature_c, humidity_pct, battery_pct, quality)
FROM STDIN (FORMAT BINARY);

-- name: copy_staged_meter
COPY staged_meter (time, device_id, supply_c, return_c, flow_m3h, power_kw, energy_kwh, volume_m3,
                   supply_kpa, return_kpa, valve_pct, pump_hz, makeup_m3, quality)
FROM STDIN (FORMAT BINARY);

-- name: copy_staged_weather
COPY staged_weather (time, device_id, outdoor_c, wind_ms, solar_wm2, humidity_pct, quality)
FROM STDIN (FORMAT BINARY);

-- name: merge_room
INSERT INTO room_reading SELECT * FROM staged_room ORDER BY device_id, time
ON CONFLICT DO NOTHING RETURNING device_id, time;

-- name: merge_meter
INSERT INTO meter_reading SELECT * FROM staged_meter ORDER BY device_id, time
ON CONFLICT DO NOTHING RETURNING device_id, time;

-- name: merge_weather
INSERT INTO weather_reading SELECT * FROM staged_weather ORDER BY device_id, time
ON CONFLICT DO NOTHING RETURNING device_id, time;

-- name: advance_latest
-- One row per device of the batch: its newest reading, since when the batch says so (`since`), and
-- when the batch last said otherwise (`before`). A late reading only counts as a sign of life. The
-- join reads what was known; the conflict arm repeats the comparison, should another process have
-- been faster.
-- MATERIALIZED, as the text would otherwise be parsed at each mention of `reading`.
WITH incoming AS MATERIALIZED (
    SELECT device_id, time, since, before, reading::jsonb AS reading
    FROM unnest(%(device_ids)b::int[], %(times)b::timestamptz[], %(since)b::timestamptz[],
                %(before)b::timestamptz[], %(readings)b::text[])
         AS i (device_id, time, since, before, reading)
), advanced AS (
    SELECT i.device_id, i.time, i.reading,
           CASE WHEN l.device_id IS NULL THEN i.since
                WHEN i.time <= l.time THEN l.changed_at
                WHEN (i.before IS NULL OR i.before <= l.time)
                     AND i.reading->'temperature_c' IS NOT DISTINCT FROM l.reading->'temperature_c'
                     AND i.reading->'outdoor_c' IS NOT DISTINCT FROM l.reading->'outdoor_c'
                     AND i.reading->'supply_c' IS NOT DISTINCT FROM l.reading->'supply_c'
                     AND i.reading->'return_c' IS NOT DISTINCT FROM l.reading->'return_c'
                     AND i.reading->'flow_m3h' IS NOT DISTINCT FROM l.reading->'flow_m3h'
                     AND i.reading->'power_kw' IS NOT DISTINCT FROM l.reading->'power_kw'
                THEN l.changed_at
                WHEN i.since > l.time THEN i.since
                ELSE i.time
           END AS changed_at
    FROM incoming i LEFT JOIN latest l USING (device_id)
)
INSERT INTO latest (device_id, time, seen_at, changed_at, reading)
SELECT device_id, time, %(seen_at)s, changed_at, reading FROM advanced ORDER BY device_id
ON CONFLICT (device_id) DO UPDATE SET
    seen_at = greatest(latest.seen_at, excluded.seen_at),
    time = greatest(latest.time, excluded.time),
    changed_at = CASE WHEN excluded.time > latest.time THEN excluded.changed_at
                      ELSE latest.changed_at END,
    reading = CASE WHEN excluded.time > latest.time THEN excluded.reading
                   ELSE latest.reading END;

-- name: mark_dirty
-- `DO UPDATE … WHERE false` changes nothing but locks the mark that is there until this transaction
-- ends. With DO NOTHING a rollup could take the mark, read without our uncommitted readings and
-- delete it: nobody would ever roll them up. See storage/rollups.py.
INSERT INTO dirty_bucket (kind, device_id, hour)
SELECT m.kind, m.device_id, to_timestamp(m.hour * 3600.0)
FROM unnest(%(kinds)b::text[], %(device_ids)b::int[], %(hours)b::bigint[]) AS m (kind, device_id, hour)
ORDER BY 1, 2, 3
ON CONFLICT (kind, device_id, hour) DO UPDATE SET hour = excluded.hour WHERE false;
