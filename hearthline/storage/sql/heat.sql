-- Heat of local days, energy signatures, the monthly report, what balance advice looks at.

-- name: lock
SELECT pg_try_advisory_xact_lock(%(key)s) AS mine;

-- name: take_marks
-- Hours that changed before an instant (the local midnight: an unfinished day waits).
DELETE FROM dirty_heat_day WHERE hour < %(before)s RETURNING hour;

-- name: return_marks
INSERT INTO dirty_heat_day (hour) SELECT unnest(%(hours)s::timestamptz[]);

-- name: room_days
-- Mean room temperature of every dwelling over a window, by sensors that were trusted at the time
-- and hung there; a dwelling measured for under half of it has none.
SELECT p.code, avg(h.mean_c)::float8 AS room_c
FROM device_binding b
JOIN place p ON p.id = b.place_id AND p.kind = 'unit'
JOIN room_hour h ON h.device_id = b.device_id AND b.valid @> h.hour
LEFT JOIN sensor_grade g ON g.device_id = b.device_id AND g.grade = 'C' AND g.since <= h.hour
WHERE b.role = 'room' AND b.valid && tstzrange(%(start)s, %(stop)s)
  AND h.hour >= %(start)s AND h.hour < %(stop)s AND g.device_id IS NULL
GROUP BY p.code
HAVING sum(h.covered_min) >= 30 * extract(epoch FROM %(stop)s - %(start)s::timestamptz) / 3600;

-- name: weather
-- Means of the weather over a window; every station counts the same.
SELECT avg(w.outdoor_c)::float8 AS outdoor_c, avg(w.solar_wm2)::float8 AS solar_wm2
FROM weather_hour w WHERE w.hour >= %(start)s AND w.hour < %(stop)s;

-- name: save_day
INSERT INTO heat_day (place_id, day, started_at, stopped_at, area_m2, outdoor_c, solar_wm2, emitter,
                      heat_kwh, volume_m3, metered, supply_c, return_c, approach_k, balance_degree,
                      balanced_share, return_spread_k, rooms, room_coverage, room_c, vertical_k,
                      horizontal_k, overheated_share, waste_share, index_w_m2, normal_w_m2,
                      normal_basis, computed_at)
SELECT id, %(day)s, %(started_at)s, %(stopped_at)s, %(area_m2)s, %(outdoor_c)s, %(solar_wm2)s,
       %(emitter)s, %(heat_kwh)s, %(volume_m3)s, %(metered)s, %(supply_c)s, %(return_c)s,
       %(approach_k)s, %(balance_degree)s, %(balanced_share)s, %(return_spread_k)s, %(rooms)s,
       %(room_coverage)s, %(room_c)s, %(vertical_k)s, %(horizontal_k)s, %(overheated_share)s,
       %(waste_share)s, %(index_w_m2)s, %(normal_w_m2)s, %(normal_basis)s, %(computed_at)s
FROM place WHERE code = %(place)s;

-- name: forget_days
DELETE FROM heat_day WHERE day = %(day)s;

-- name: last_day
SELECT max(day) AS day FROM heat_day;

-- name: past_days
-- What signatures are fitted on: figures of every place and day.
SELECT d.place_id, d.day, d.heat_kwh,
       extract(epoch FROM d.stopped_at - d.started_at)::float8 / 3600 AS hours,
       d.supply_c, d.outdoor_c, d.solar_wm2
FROM heat_day d WHERE d.day >= %(first)s AND d.day <= %(last)s
ORDER BY d.place_id, d.day;

-- name: forget_signatures
DELETE FROM heat_signature WHERE day = %(day)s;

-- name: save_signatures
INSERT INTO heat_signature (place_id, of, day, base, per_k, per_wm2, yesterday, scatter, days, reason)
SELECT * FROM unnest(%(place_ids)s::int[], %(of)s::text[], %(days_of)s::date[], %(base)s::float8[],
                     %(per_k)s::float8[], %(per_wm2)s::float8[], %(yesterday)s::float8[],
                     %(scatter)s::float8[], %(days)s::int[], %(reason)s::text[]);

-- name: set_expected
UPDATE heat_day d SET expected_kwh = e.expected_kwh, called = e.called, curve_gap_k = e.curve_gap_k
FROM unnest(%(place_ids)s::int[], %(expected_kwh)s::float8[], %(called)s::text[],
            %(curve_gap_k)s::float8[]) AS e (place_id, expected_kwh, called, curve_gap_k)
WHERE d.place_id = e.place_id AND d.day = %(day)s
  AND (d.expected_kwh, d.called, d.curve_gap_k)
      IS DISTINCT FROM (e.expected_kwh, e.called, e.curve_gap_k);

-- name: days
-- Days of one place, oldest first.
SELECT p.code AS place, p.kind, p.name, p.name_zh, d.*
FROM heat_day d JOIN place p ON p.id = d.place_id
WHERE p.code = %(code)s AND d.day >= %(first)s AND d.day <= %(last)s
ORDER BY d.day;

-- name: signatures
-- The newest signature of each kind of one place.
SELECT DISTINCT ON (s.of) p.code AS place, s.of, s.day, s.base, s.per_k, s.per_wm2, s.yesterday,
       s.scatter, s.days, s.reason
FROM heat_signature s JOIN place p ON p.id = s.place_id
WHERE p.code = %(code)s ORDER BY s.of, s.day DESC;

-- name: zones
-- Substations to report on, in order of path.
SELECT p.id, p.code, p.name, p.name_zh, p.path FROM place p
WHERE p.kind = 'substation' AND (%(code)s::text IS NULL OR p.code = %(code)s) ORDER BY p.path;

-- name: month_balance
SELECT b.place_id, b.stage, b.day, b.supplied_kwh, b.delivered_kwh, b.loss_kwh, b.uncertainty_kwh,
       b.makeup_m3, b.coverage::float8 AS coverage, b.reason
FROM balance_day b
WHERE b.place_id = ANY(%(zones)s) AND b.day >= %(first)s AND b.day <= %(last)s
ORDER BY b.place_id, b.day, b.stage;

-- name: month_days
SELECT d.place_id, d.day, d.area_m2, d.heat_kwh, d.volume_m3, d.outdoor_c, d.index_w_m2,
       d.normal_w_m2, d.normal_basis, d.approach_k, d.return_spread_k, d.rooms, d.room_coverage,
       d.room_c, d.horizontal_k, d.overheated_share, d.waste_share, d.curve_gap_k,
       extract(epoch FROM d.stopped_at - d.started_at)::float8 / 3600 AS hours
FROM heat_day d
WHERE d.place_id = ANY(%(zones)s) AND d.day >= %(first)s AND d.day <= %(last)s
ORDER BY d.place_id, d.day;

-- name: month_buildings
-- Days of the buildings below the zones, with their zone.
SELECT z.id AS zone_id, p.code AS building, d.day, d.area_m2, d.balance_degree
FROM place z JOIN place p ON p.kind = 'building' AND p.path LIKE z.path || '%%'
JOIN heat_day d ON d.place_id = p.id
WHERE z.id = ANY(%(zones)s) AND d.day >= %(first)s AND d.day <= %(last)s
ORDER BY z.id, p.path, d.day;

-- name: month_verdicts
-- The compliance ledger below the zones, by day: dwellings and minutes judged, and those below.
SELECT z.id AS zone_id, u.day, count(*) AS judged,
       count(*) FILTER (WHERE u.verdict = 'below') AS below,
       sum(u.covered_min)::float8 AS covered_min, sum(u.below_min)::float8 AS below_min
FROM place z JOIN place p ON p.kind = 'unit' AND p.path LIKE z.path || '%%'
JOIN unit_day u ON u.place_id = p.id
WHERE z.id = ANY(%(zones)s) AND u.day >= %(first)s AND u.day <= %(last)s
  AND u.verdict IN ('below', 'compliant')
GROUP BY z.id, u.day ORDER BY z.id, u.day;

-- name: troubled
-- Buildings with an open incident of some causes at themselves or an entrance.
SELECT DISTINCT b.code
FROM incident i JOIN place at ON at.id = i.place_id
JOIN place b ON b.kind = 'building' AND at.path LIKE b.path || '%%'
WHERE i.closed_at IS NULL AND i.kind = 'supply' AND i.cause = ANY(%(causes)s)
  AND at.kind IN ('building', 'entrance');
