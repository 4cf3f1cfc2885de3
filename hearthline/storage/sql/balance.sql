-- Heat of meter hours, balances of the network's stages, and how far both have come.

-- name: lock
SELECT pg_try_advisory_xact_lock(%(key)s) AS mine;

-- name: take_dirty
-- Oldest first, so that a backfill touches each local day once or twice and not in every batch.
DELETE FROM dirty_heat
WHERE ctid = ANY (ARRAY(SELECT ctid FROM dirty_heat ORDER BY hour LIMIT %(limit)s))
RETURNING device_id, hour;

-- name: meter_hours
SELECT w.device_id, w.hour, m.covered_min, m.supply_c, m.return_c, m.flow_m3h, m.volume_m3,
       p.volume_m3, p.covered_min, d.flow_pipe = 'supply'
FROM unnest(%(device_ids)s::int[], %(hours)s::timestamptz[]) AS w (device_id, hour)
JOIN device d ON d.id = w.device_id
LEFT JOIN meter_hour m ON m.device_id = w.device_id AND m.hour = w.hour
LEFT JOIN meter_hour p ON p.device_id = w.device_id AND p.hour = w.hour - interval '1 hour';

-- name: save_heat
INSERT INTO heat_hour (device_id, hour, heat_kwh, volume_m3, covered_min)
SELECT * FROM unnest(%(device_ids)s::int[], %(hours)s::timestamptz[], %(heat_kwh)s::float8[],
                     %(volume_m3)s::float8[], %(covered_min)s::real[])
ON CONFLICT (device_id, hour) DO UPDATE SET
    heat_kwh = excluded.heat_kwh, volume_m3 = excluded.volume_m3,
    covered_min = excluded.covered_min;

-- name: forget_heat
DELETE FROM heat_hour h
USING unnest(%(device_ids)s::int[], %(hours)s::timestamptz[]) AS w (device_id, hour)
WHERE h.device_id = w.device_id AND h.hour = w.hour;

-- name: places
SELECT p.code, p.kind, parent.code FROM place p LEFT JOIN place parent ON parent.id = p.parent_id
WHERE p.kind <> 'unit' ORDER BY p.path;

-- name: areas
SELECT parent.code, sum(u.area_m2)::float8
FROM unit u JOIN place p ON p.id = u.place_id JOIN place parent ON parent.id = p.parent_id
GROUP BY parent.code;

-- name: bound_meters
-- Heat meters of the network bound at any time in the window, and since and until when.
SELECT b.device_id, p.code, b.role, greatest(lower(b.valid), %(start)s),
       least(upper(b.valid), %(stop)s)
FROM device_binding b JOIN place p ON p.id = b.place_id
WHERE b.role IN ('primary', 'secondary', 'branch') AND p.kind <> 'unit'
  AND b.valid && tstzrange(%(start)s, %(stop)s)
ORDER BY p.path, b.role, b.device_id;

-- name: window_hours
-- Only hours that lie wholly within a binding: before, the meter sat elsewhere.
SELECT b.meter - 1, extract(epoch FROM m.hour)::bigint / 3600, h.heat_kwh, h.volume_m3,
       h.covered_min, m.supply_c, m.return_c, m.makeup_m3
FROM unnest(%(device_ids)s::int[], %(since)s::timestamptz[], %(until)s::timestamptz[])
     WITH ORDINALITY AS b (device_id, since, until, meter)
JOIN meter_hour m ON m.device_id = b.device_id
     AND m.hour >= b.since AND m.hour + interval '1 hour' <= b.until
LEFT JOIN heat_hour h ON h.device_id = m.device_id AND h.hour = m.hour
ORDER BY m.hour;

-- name: save_day
INSERT INTO balance_day (place_id, stage, day, started_at, stopped_at, supplied_kwh,
                         delivered_kwh, stored_kwh, loss_kwh, makeup_m3, coverage,
                         uncertainty_kwh, pipe_m3, pipe_estimated, reason, computed_at)
SELECT id, %(stage)s, %(day)s, %(start)s, %(stop)s, %(supplied_kwh)s, %(delivered_kwh)s,
       %(stored_kwh)s, %(loss_kwh)s, %(makeup_m3)s, %(coverage)s, %(uncertainty_kwh)s,
       %(pipe_m3)s, %(pipe_estimated)s, %(reason)s, %(computed_at)s
FROM place WHERE code = %(place)s
ON CONFLICT (place_id, stage, day) DO UPDATE SET
    started_at = excluded.started_at, stopped_at = excluded.stopped_at,
    supplied_kwh = excluded.supplied_kwh, delivered_kwh = excluded.delivered_kwh,
    stored_kwh = excluded.stored_kwh, loss_kwh = excluded.loss_kwh,
    makeup_m3 = excluded.makeup_m3, coverage = excluded.coverage,
    uncertainty_kwh = excluded.uncertainty_kwh, pipe_m3 = excluded.pipe_m3,
    pipe_estimated = excluded.pipe_estimated, reason = excluded.reason,
    computed_at = excluded.computed_at;

-- name: save_running
INSERT INTO balance_running (place_id, stage, started_at, stopped_at, supplied_kwh,
                             delivered_kwh, stored_kwh, loss_kwh, makeup_m3, coverage,
                             uncertainty_kwh, pipe_m3, pipe_estimated, reason, computed_at)
SELECT id, %(stage)s, %(start)s, %(stop)s, %(supplied_kwh)s, %(delivered_kwh)s,
       %(stored_kwh)s, %(loss_kwh)s, %(makeup_m3)s, %(coverage)s, %(uncertainty_kwh)s,
       %(pipe_m3)s, %(pipe_estimated)s, %(reason)s, %(computed_at)s
FROM place WHERE code = %(place)s
ON CONFLICT (place_id, stage) DO UPDATE SET
    started_at = excluded.started_at, stopped_at = excluded.stopped_at,
    supplied_kwh = excluded.supplied_kwh, delivered_kwh = excluded.delivered_kwh,
    stored_kwh = excluded.stored_kwh, loss_kwh = excluded.loss_kwh,
    makeup_m3 = excluded.makeup_m3, coverage = excluded.coverage,
    uncertainty_kwh = excluded.uncertainty_kwh, pipe_m3 = excluded.pipe_m3,
    pipe_estimated = excluded.pipe_estimated, reason = excluded.reason,
    computed_at = excluded.computed_at;

-- name: progress
SELECT at FROM watermark WHERE name = %(name)s;

-- name: set_progress
INSERT INTO watermark (name, at) VALUES (%(name)s, %(at)s)
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: days
-- Balances by local day that overlap a time range.
SELECT p.code AS place, p.name, p.name_zh, b.stage, b.day, b.started_at, b.stopped_at,
       b.supplied_kwh, b.delivered_kwh, b.stored_kwh, b.loss_kwh,
       b.loss_kwh / nullif(b.supplied_kwh, 0) AS loss_share, b.makeup_m3, b.coverage,
       b.uncertainty_kwh, b.pipe_m3, b.pipe_estimated, b.reason, b.computed_at
FROM balance_day b JOIN place p ON p.id = b.place_id
WHERE p.kind = %(kind)s AND (%(code)s::text IS NULL OR p.code = %(code)s)
  AND b.started_at < %(stop)s AND b.stopped_at > %(start)s
ORDER BY p.path, b.stage, b.day;

-- name: running
SELECT p.code AS place, p.kind, p.name, p.name_zh, b.stage, b.started_at, b.stopped_at,
       b.supplied_kwh, b.delivered_kwh, b.stored_kwh, b.loss_kwh,
       b.loss_kwh / nullif(b.supplied_kwh, 0) AS loss_share, b.makeup_m3, b.coverage,
       b.uncertainty_kwh, b.pipe_m3, b.pipe_estimated, b.reason, b.computed_at
FROM balance_running b JOIN place p ON p.id = b.place_id
WHERE %(code)s::text IS NULL OR p.code = %(code)s
ORDER BY p.path, array_position(ARRAY['transmission', 'exchange', 'distribution'], b.stage);
