-- Read models of the whole: the strip of live numbers, held-back dwellings, the network table,
-- and policies.

-- name: pulse
WITH {room_now}, sensed AS (
    SELECT r.*, coalesce(s.status, 'on') AS status
    FROM room_now r
    LEFT JOIN unit_status s ON s.place_id = r.place_id AND s.valid @> %(now)s::timestamptz
)
SELECT count(*) AS watched,
       count(*) FILTER (WHERE silent) AS silent,
       count(*) FILTER (WHERE temperature_c IS NOT NULL AND status = 'on'
                          AND grade IS DISTINCT FROM 'C') AS measured,
       count(*) FILTER (WHERE temperature_c < %(threshold_c)s AND status = 'on'
                          AND grade IS DISTINCT FROM 'C') AS below
FROM sensed;

-- name: open_tickets
SELECT count(*) AS open_tickets, count(*) FILTER (WHERE state = 'new') AS new_tickets
FROM ticket WHERE state NOT IN ('closed', 'merged');

-- name: compliance
-- Share of judged dwelling-minutes at or above the standard, by local day.
SELECT day, sum(below_min)::float8 AS below_min, sum(covered_min)::float8 AS covered_min,
       count(*) FILTER (WHERE verdict = 'below') AS below,
       count(*) FILTER (WHERE verdict = 'compliant') AS compliant
FROM unit_day
WHERE day >= %(start)s AND day <= %(stop)s AND verdict <> 'held_back'
GROUP BY day ORDER BY day;

-- name: outdoor
SELECT avg((l.reading->>'outdoor_c')::float8) AS outdoor_c, max(l.time) AS read_at
FROM device_binding b JOIN device d ON d.id = b.device_id JOIN latest l ON l.device_id = d.id
WHERE b.role = 'weather' AND b.valid @> %(now)s::timestamptz AND l.quality & {unusable} = 0
  AND l.time > %(now)s - greatest(3 * d.expected_interval_s, 3600) * interval '1 second';

-- name: held_back
WITH {unit_now}
SELECT * FROM unit_now
WHERE hold_reason IS NOT NULL AND hold_reason <> 'none'
ORDER BY hold_reason, temperature_c NULLS LAST, path LIMIT %(limit)s;

-- name: held_back_counts
SELECT reason, count(*) AS units FROM hold WHERE reason <> 'none' GROUP BY reason ORDER BY 2 DESC;

-- name: rooms_by_place
-- One pass over the dwellings, counted at every level above them down to the building.
WITH {room_now}, unit_temperature AS (
    SELECT p.path, r.place_id IS NOT NULL AS sensed,
           CASE WHEN coalesce(s.status, 'on') = 'on' AND r.grade IS DISTINCT FROM 'C'
                THEN r.temperature_c END AS temperature_c
    FROM unit u
    JOIN place p ON p.id = u.place_id
    LEFT JOIN room_now r ON r.place_id = u.place_id
    LEFT JOIN unit_status s ON s.place_id = u.place_id AND s.valid @> %(now)s::timestamptz
)
SELECT a.code, a.kind, a.name, a.name_zh, a.path, a.seq, count(*) AS units,
       count(*) FILTER (WHERE t.sensed) AS sensed,
       count(t.temperature_c) AS measured, min(t.temperature_c) AS min_c,
       avg(t.temperature_c) AS mean_c,
       count(*) FILTER (WHERE t.temperature_c < %(threshold_c)s) AS below
FROM unit_temperature t
CROSS JOIN LATERAL unnest(string_to_array(rtrim(t.path, '/'), '/')) AS step(code)
JOIN place a ON a.code = step.code AND a.kind IN ('source', 'substation', 'circuit', 'building')
GROUP BY a.id ORDER BY a.path;

-- name: meters_by_place
SELECT p.code, b.role, d.uid, l.time AS read_at, l.reading,
       l.quality & {unusable} = 0 AND l.time > %(now)s
           - greatest(3 * d.expected_interval_s, 3600) * interval '1 second' AS fresh
FROM device_binding b
JOIN device d ON d.id = b.device_id AND d.kind = 'meter'
JOIN place p ON p.id = b.place_id
LEFT JOIN latest l ON l.device_id = d.id AND b.valid @> l.time
WHERE b.valid @> %(now)s::timestamptz
  AND p.kind IN ('source', 'substation', 'circuit', 'building')
ORDER BY (b.role = 'primary'), d.uid;

-- name: open_tickets_by_place
SELECT p.path, count(*) AS tickets
FROM ticket t JOIN incident i ON i.id = t.incident_id JOIN place p ON p.id = i.place_id
WHERE t.state NOT IN ('closed', 'merged') GROUP BY p.path;

-- name: policies
SELECT code, valid_from, body FROM policy ORDER BY code, valid_from DESC;

-- name: policy_on
SELECT code, valid_from, body FROM policy WHERE code = %(code)s AND valid_from <= %(day)s
ORDER BY valid_from DESC LIMIT 1;
