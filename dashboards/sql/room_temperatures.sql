-- Panels of "Room temperatures". The standard is the one of the policy that judged last. Where a
-- panel speaks of dwellings, one with several sensors counts once, with their mean; courses over
-- time count sensors, which spares a pass over the season's hours.

-- name: today
-- The last hour in range for which dwellings were measured.
WITH standard AS (
    SELECT coalesce((SELECT (p.body ->> 'threshold_c')::float8 FROM unit_day d JOIN policy p
                     ON (p.code, p.valid_from) = (d.policy_code, d.policy_from)
                     ORDER BY d.day DESC LIMIT 1), 18) AS c
), newest AS (
    SELECT max(r.hour) AS hour FROM room_hour r WHERE $__timeFilter(r.hour)
), dwelling AS (
    SELECT b.place_id, avg(r.mean_c) AS c
    FROM room_hour r JOIN newest n ON n.hour = r.hour
    JOIN device_binding b ON b.device_id = r.device_id AND b.valid @> r.hour AND b.role = 'room'
    GROUP BY 1
)
SELECT count(*) AS measured, avg((d.c < s.c)::int)::float8 AS share_below,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY d.c) AS median_c, min(s.c) AS standard_c,
       (SELECT count(DISTINCT e.place_id) FROM episode e WHERE e.kind <> 'overheated' AND e.closed_at IS NULL) AS cold_dwellings,
       (SELECT count(*) FROM incident i WHERE i.closed_at IS NULL) AS open_incidents
FROM dwelling d CROSS JOIN standard s;

-- name: share_below
WITH standard AS (
    SELECT coalesce((SELECT (p.body ->> 'threshold_c')::float8 FROM unit_day d JOIN policy p
                     ON (p.code, p.valid_from) = (d.policy_code, d.policy_from)
                     ORDER BY d.day DESC LIMIT 1), 18) AS c
)
SELECT $__timeGroup(r.hour, $__interval) AS "time",
       avg((r.mean_c < s.c)::int)::float8 AS share_below
FROM room_hour r
JOIN device_binding b ON b.device_id = r.device_id AND b.valid @> r.hour AND b.role = 'room'
CROSS JOIN standard s
WHERE $__timeFilter(r.hour)
GROUP BY 1 ORDER BY 1;

-- name: bands
SELECT $__timeGroup(r.hour, $__interval) AS "time",
       percentile_cont(0.05) WITHIN GROUP (ORDER BY r.mean_c) AS p05_c,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY r.mean_c) AS median_c,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY r.mean_c) AS p95_c
FROM room_hour r
JOIN device_binding b ON b.device_id = r.device_id AND b.valid @> r.hour AND b.role = 'room'
WHERE $__timeFilter(r.hour)
GROUP BY 1 ORDER BY 1;

-- name: distribution
-- Dwellings by whole degrees in the last measured hour; the ends are open.
WITH newest AS (
    SELECT max(r.hour) AS hour FROM room_hour r WHERE $__timeFilter(r.hour)
), dwelling AS (
    SELECT b.place_id, floor(avg(r.mean_c))::int AS c
    FROM room_hour r JOIN newest n ON n.hour = r.hour
    JOIN device_binding b ON b.device_id = r.device_id AND b.valid @> r.hour AND b.role = 'room'
    GROUP BY 1
)
SELECT CASE WHEN g.c = 11 THEN '< 12' WHEN g.c = 28 THEN '≥ 28'
            ELSE g.c || '–' || g.c + 1 END || ' °C' AS band,
       count(d.place_id) AS dwellings
FROM generate_series(11, 28) AS g (c)
LEFT JOIN dwelling d ON least(greatest(d.c, 11), 28) = g.c
GROUP BY g.c ORDER BY g.c;

-- name: buildings
-- Coldest buildings first, in the last measured hour.
WITH standard AS (
    SELECT coalesce((SELECT (p.body ->> 'threshold_c')::float8 FROM unit_day d JOIN policy p
                     ON (p.code, p.valid_from) = (d.policy_code, d.policy_from)
                     ORDER BY d.day DESC LIMIT 1), 18) AS c
), newest AS (
    SELECT max(r.hour) AS hour FROM room_hour r WHERE $__timeFilter(r.hour)
), dwelling AS (
    SELECT b.place_id, avg(r.mean_c) AS c
    FROM room_hour r JOIN newest n ON n.hour = r.hour
    JOIN device_binding b ON b.device_id = r.device_id AND b.valid @> r.hour AND b.role = 'room'
    GROUP BY 1
)
SELECT bld.code, [[bld.name|coalesce(nullif(bld.name_zh, ''), bld.name)]] AS building,
       [[sub.name|coalesce(nullif(sub.name_zh, ''), sub.name)]] AS substation,
       count(*) AS measured, count(*) FILTER (WHERE d.c < s.c) AS below,
       avg(d.c)::float8 AS mean_c, min(d.c)::float8 AS coldest_c
FROM dwelling d
JOIN place u ON u.id = d.place_id
JOIN place bld ON bld.kind = 'building' AND bld.code = ANY (string_to_array(u.path, '/'))
JOIN place sub ON sub.code = split_part(u.path, '/', 2)
CROSS JOIN standard s
GROUP BY bld.id, sub.id ORDER BY below DESC, mean_c LIMIT 50;

-- name: coldest
-- Newest value of each dwelling, coldest first; how long ago it was measured stands beside it.
SELECT u.code AS dwelling, [[sub.name|coalesce(nullif(sub.name_zh, ''), sub.name)]] AS substation,
       (l.reading ->> 'temperature_c')::float8 AS temperature_c, l.time AS measured_at,
       e.began_at AS cold_since, h.reason AS held_back, t.number
FROM latest l
JOIN device_binding b ON b.device_id = l.device_id AND b.role = 'room' AND b.valid @> l.time
JOIN place u ON u.id = b.place_id
JOIN place sub ON sub.code = split_part(u.path, '/', 2)
LEFT JOIN episode e ON e.place_id = u.id AND e.kind <> 'overheated' AND e.closed_at IS NULL
LEFT JOIN hold h ON h.place_id = u.id
LEFT JOIN LATERAL (
    SELECT t.number FROM incident_member m
    JOIN incident i ON i.id = m.incident_id AND i.closed_at IS NULL
    JOIN ticket t ON t.incident_id = i.id
    WHERE m.place_id = u.id ORDER BY t.opened_at LIMIT 1
) AS t ON true
WHERE $__timeFilter(l.time) AND l.reading ? 'temperature_c' AND l.quality & {unusable} = 0
ORDER BY temperature_c, u.path LIMIT 200;

-- name: silent
-- Room sensors that missed three of their intervals before the end of the range, by substation.
SELECT [[sub.name|coalesce(nullif(sub.name_zh, ''), sub.name)]] AS substation,
       count(*) AS sensors,
       count(*) FILTER (WHERE l.seen_at IS NULL OR l.seen_at + make_interval(
           secs => 3 * d.expected_interval_s) < $__timeTo()::timestamptz) AS silent
FROM device d
JOIN device_binding b ON b.device_id = d.id AND b.role = 'room' AND upper_inf(b.valid)
JOIN place u ON u.id = b.place_id
JOIN place sub ON sub.code = split_part(u.path, '/', 2)
LEFT JOIN latest l ON l.device_id = d.id
GROUP BY sub.id ORDER BY silent DESC, sub.path;

-- name: open_incidents
SELECT t.number, i.opened_at, [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS place, i.cause,
       i.confidence::float8 AS confidence,
       count(m.place_id) FILTER (WHERE m.cold_since IS NOT NULL AND m.warm_since IS NULL)
           AS cold_dwellings,
       count(m.place_id) AS affected
FROM incident i
JOIN place p ON p.id = i.place_id
LEFT JOIN ticket t ON t.incident_id = i.id
LEFT JOIN incident_member m ON m.incident_id = i.id
WHERE i.closed_at IS NULL
GROUP BY i.id, p.id, t.id ORDER BY cold_dwellings DESC, i.opened_at LIMIT 100;

-- name: held_back
-- Cold dwellings without a ticket, and why.
SELECT h.reason, count(*) AS dwellings, min(h.since) AS since
FROM hold h GROUP BY h.reason ORDER BY dwellings DESC, h.reason;
