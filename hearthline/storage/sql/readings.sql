-- Readings, the latest of each device, and the marks that ask for rollups. Arrays travel in binary
-- (%(name)b): as text they cost ten times as much.

-- name: all_devices
SELECT uid, id, kind, expected_interval_s, profile FROM device;

-- name: devices_by_uid
SELECT uid, id, kind, expected_interval_s, profile FROM device WHERE uid = ANY(%(uids)s);

-- name: look
-- Nothing but an answer; notices of the ledger come along with it.
SELECT;

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
ON CONFLICT DO NOTHING
RETURNING device_id, (extract(epoch FROM time) * 1000000)::bigint AS time_us;

-- name: merge_meter
INSERT INTO meter_reading SELECT * FROM staged_meter ORDER BY device_id, time
ON CONFLICT DO NOTHING
RETURNING device_id, (extract(epoch FROM time) * 1000000)::bigint AS time_us;

-- name: merge_weather
INSERT INTO weather_reading SELECT * FROM staged_weather ORDER BY device_id, time
ON CONFLICT DO NOTHING
RETURNING device_id, (extract(epoch FROM time) * 1000000)::bigint AS time_us;

-- name: contradict_room
-- What of a staged batch contradicts the row that is there. The span keeps to few chunks.
INSERT INTO reading_conflict AS c (device_id, time, kept, came, first_at, last_at)
SELECT s.device_id, s.time,
       jsonb_strip_nulls(jsonb_build_object(
                'temperature_c', t.temperature_c, 'humidity_pct', t.humidity_pct,
                'battery_pct', t.battery_pct)),
       jsonb_strip_nulls(jsonb_build_object(
                'temperature_c', s.temperature_c, 'humidity_pct', s.humidity_pct,
                'battery_pct', s.battery_pct)),
       %(at)s, %(at)s
FROM staged_room s JOIN room_reading t ON t.device_id = s.device_id AND t.time = s.time
WHERE t.time BETWEEN %(since)s AND %(until)s
  AND (t.temperature_c)
      IS DISTINCT FROM
      (s.temperature_c)
ORDER BY 1, 2
ON CONFLICT (device_id, time) DO UPDATE SET
    came = excluded.came, count = c.count + 1, last_at = excluded.last_at;

-- name: contradict_meter
INSERT INTO reading_conflict AS c (device_id, time, kept, came, first_at, last_at)
SELECT s.device_id, s.time,
       jsonb_strip_nulls(jsonb_build_object(
                'supply_c', t.supply_c, 'return_c', t.return_c, 'flow_m3h', t.flow_m3h,
                'power_kw', t.power_kw, 'energy_kwh', t.energy_kwh, 'volume_m3', t.volume_m3,
                'supply_kpa', t.supply_kpa, 'return_kpa', t.return_kpa,
                'valve_pct', t.valve_pct, 'pump_hz', t.pump_hz, 'makeup_m3', t.makeup_m3)),
       jsonb_strip_nulls(jsonb_build_object(
                'supply_c', s.supply_c, 'return_c', s.return_c, 'flow_m3h', s.flow_m3h,
                'power_kw', s.power_kw, 'energy_kwh', s.energy_kwh, 'volume_m3', s.volume_m3,
                'supply_kpa', s.supply_kpa, 'return_kpa', s.return_kpa,
                'valve_pct', s.valve_pct, 'pump_hz', s.pump_hz, 'makeup_m3', s.makeup_m3)),
       %(at)s, %(at)s
FROM staged_meter s JOIN meter_reading t ON t.device_id = s.device_id AND t.time = s.time
WHERE t.time BETWEEN %(since)s AND %(until)s
  AND (t.supply_c, t.return_c, t.flow_m3h, t.power_kw, t.energy_kwh, t.volume_m3,
       t.makeup_m3)
      IS DISTINCT FROM
      (s.supply_c, s.return_c, s.flow_m3h, s.power_kw, s.energy_kwh, s.volume_m3,
       s.makeup_m3)
ORDER BY 1, 2
ON CONFLICT (device_id, time) DO UPDATE SET
    came = excluded.came, count = c.count + 1, last_at = excluded.last_at;

-- name: contradict_weather
INSERT INTO reading_conflict AS c (device_id, time, kept, came, first_at, last_at)
SELECT s.device_id, s.time,
       jsonb_strip_nulls(jsonb_build_object(
                'outdoor_c', t.outdoor_c, 'wind_ms', t.wind_ms, 'solar_wm2', t.solar_wm2,
                'humidity_pct', t.humidity_pct)),
       jsonb_strip_nulls(jsonb_build_object(
                'outdoor_c', s.outdoor_c, 'wind_ms', s.wind_ms, 'solar_wm2', s.solar_wm2,
                'humidity_pct', s.humidity_pct)),
       %(at)s, %(at)s
FROM staged_weather s JOIN weather_reading t ON t.device_id = s.device_id AND t.time = s.time
WHERE t.time BETWEEN %(since)s AND %(until)s
  AND (t.outdoor_c)
      IS DISTINCT FROM
      (s.outdoor_c)
ORDER BY 1, 2
ON CONFLICT (device_id, time) DO UPDATE SET
    came = excluded.came, count = c.count + 1, last_at = excluded.last_at;

-- name: add_conflicts
-- In the order of arrival; several of one (device, time) count each, and the last one is shown.
INSERT INTO reading_conflict AS c (device_id, time, kept, came, count, first_at, last_at)
SELECT DISTINCT ON (device_id, time) device_id, time, kept::jsonb, came::jsonb,
       count(*) OVER (PARTITION BY device_id, time), %(at)s, %(at)s
FROM unnest(%(device_ids)b::int[], %(times)b::timestamptz[], %(kept)b::text[], %(came)b::text[])
     WITH ORDINALITY AS i (device_id, time, kept, came, n)
ORDER BY device_id, time, n DESC
ON CONFLICT (device_id, time) DO UPDATE SET
    came = excluded.came, count = c.count + excluded.count, last_at = excluded.last_at;

-- name: last_counters
SELECT device_id, seq, (extract(epoch FROM time) * 1000000)::bigint AS time_us
FROM latest WHERE device_id = ANY(%(device_ids)b::int[]) AND seq IS NOT NULL;

-- name: advance_latest
-- One row per device of the batch: its newest reading, a hash of what it says (`said`), since when
-- the batch says so (`since`), and when the batch last said otherwise (`before`). A late reading, and
-- one that is unusable where the one before is not, only counts as a sign of life. Should another
-- process have been faster, what it brought stays.
-- Delays make a clock seem to lag, never to lead: a greater skew counts at once, a smaller one by
-- and by (within hours).
INSERT INTO latest (device_id, time, seen_at, changed_at, reading, said, quality, seq, skew_s,
                    battery_pct)
SELECT i.device_id,
       CASE WHEN a.ahead THEN i.time ELSE l.time END,
       greatest(l.seen_at, %(seen_at)s),
       CASE WHEN NOT a.ahead THEN l.changed_at
            WHEN l.device_id IS NULL THEN i.since
            WHEN i.said = l.said AND (i.before IS NULL OR i.before <= l.time) THEN l.changed_at
            WHEN i.since > l.time THEN i.since
            ELSE i.time
       END,
       CASE WHEN a.ahead THEN i.reading ELSE l.reading END,
       CASE WHEN a.ahead THEN i.said ELSE l.said END,
       CASE WHEN a.ahead THEN i.quality ELSE l.quality END,
       CASE WHEN a.ahead THEN coalesce(i.seq, l.seq) ELSE l.seq END,
       CASE WHEN i.skew_s IS NULL THEN l.skew_s
            WHEN l.skew_s IS NULL OR i.skew_s >= l.skew_s THEN i.skew_s
            ELSE l.skew_s + (i.skew_s - l.skew_s)
                 * (1 - exp(-greatest(extract(epoch FROM %(seen_at)s - l.seen_at), 0)::float8 / 21600))
       END,
       coalesce(i.battery_pct, l.battery_pct)
FROM ROWS FROM (
         unnest(%(device_ids)b::int[]), unnest(%(times)b::timestamptz[]),
         unnest(%(since)b::timestamptz[]), unnest(%(before)b::timestamptz[]),
         jsonb_array_elements(%(readings)b::jsonb), unnest(%(said)b::bigint[]),
         unnest(%(qualities)b::smallint[]), unnest(%(seqs)b::float8[]),
         unnest(%(skews)b::float8[]), unnest(%(batteries)b::float8[]))
     AS i (device_id, time, since, before, reading, said, quality, seq, skew_s, battery_pct)
LEFT JOIN latest l USING (device_id)
CROSS JOIN LATERAL (
    SELECT l.device_id IS NULL
           OR reading_supersedes(i.time, i.quality, l.time, l.quality, %(unusable)s)) AS a (ahead)
ORDER BY i.device_id
ON CONFLICT (device_id) DO UPDATE SET
    time = excluded.time, seen_at = excluded.seen_at, changed_at = excluded.changed_at,
    reading = excluded.reading, said = excluded.said, quality = excluded.quality,
    seq = excluded.seq, skew_s = excluded.skew_s, battery_pct = excluded.battery_pct
WHERE NOT reading_supersedes(latest.time, latest.quality, excluded.time, excluded.quality,
                             %(unusable)s);

-- name: mark_dirty
-- `DO UPDATE … WHERE false` changes nothing but locks the mark that is there until this transaction
-- ends. With DO NOTHING a rollup could take the mark, read without our uncommitted readings and
-- delete it: nobody would ever roll them up. See storage/rollups.py.
INSERT INTO dirty_bucket (kind, device_id, hour)
SELECT %(kind)s, m.device_id, to_timestamp(m.hour * 3600.0)
FROM unnest(%(device_ids)b::int[], %(hours)b::bigint[]) AS m (device_id, hour)
ORDER BY 1, 2, 3
ON CONFLICT (kind, device_id, hour) DO UPDATE SET hour = excluded.hour WHERE false;
