-- Read models of places and dwellings as they stand now. Names in braces are fragments, put in place
-- by views/statements.py, so that what counts as a fresh temperature is written once.

-- name: room_figures
-- Of the sensors that a WHERE clause after it chooses: the fresh mean, the last known value (never
-- one that is beyond physics), silence.
avg((l.reading->>'temperature_c')::float8) FILTER (WHERE l.quality & {unusable} = 0
    AND l.time > %(now)s - greatest(coalesce(k.offline_after_s, 3 * d.expected_interval_s), 3600)
        * interval '1 second') AS temperature_c,
(array_agg((l.reading->>'temperature_c')::float8 ORDER BY l.time DESC)
    FILTER (WHERE l.quality & {unusable} = 0))[1] AS last_c,
max(l.time) AS read_at, max(l.seen_at) AS seen_at, max(g.grade) AS grade,
(array_agg(g.reason ORDER BY g.grade DESC NULLS LAST))[1] AS grade_reason,
bool_and(l.seen_at IS NULL
    OR l.seen_at < %(now)s - greatest(coalesce(k.offline_after_s, 3 * d.expected_interval_s), 3600)
        * interval '1 second') AS silent
FROM device_binding b
JOIN device d ON d.id = b.device_id
LEFT JOIN latest l ON l.device_id = d.id AND b.valid @> l.time
LEFT JOIN device_habit k ON k.device_id = d.id
LEFT JOIN sensor_grade g ON g.device_id = d.id

-- name: room_now
-- One row per dwelling with a room sensor, for figures of the whole network.
room_now AS (
    SELECT b.place_id, {room_figures}
    WHERE b.role = 'room' AND b.valid @> %(now)s::timestamptz
    GROUP BY b.place_id
)

-- name: unit_now
-- One row per dwelling: facts, heating status, present temperature, episode, hold and open ticket.
unit_now AS (
    SELECT p.id, p.code, p.name, p.name_zh, p.path, u.area_m2, u.floor, u.col, u.position,
           u.warranty_until, u.vulnerable, coalesce(s.status, 'on') AS status,
           r.sensors > 0 AS sensed, r.temperature_c, r.last_c, r.read_at, r.seen_at,
           coalesce(r.silent, false) AS silent, r.grade, r.grade_reason,
           e.began_at AS cold_since, e.min_c AS episode_min_c, h.reason AS hold_reason,
           h.since AS hold_since, t.number AS ticket, t.state AS ticket_state, t.cause AS ticket_cause,
           coalesce(t.cold, false) AS ticket_cold
    FROM unit u
    JOIN place p ON p.id = u.place_id
    LEFT JOIN unit_status s ON s.place_id = u.place_id AND s.valid @> %(now)s::timestamptz
    CROSS JOIN LATERAL (
        SELECT count(*) AS sensors, {room_figures}
        WHERE b.place_id = u.place_id AND b.role = 'room' AND b.valid @> %(now)s::timestamptz
    ) r
    LEFT JOIN LATERAL (
        SELECT began_at, min_c FROM episode
        WHERE place_id = u.place_id AND kind <> 'overheated' AND closed_at IS NULL
        ORDER BY began_at LIMIT 1
    ) e ON true
    LEFT JOIN hold h ON h.place_id = u.place_id
    LEFT JOIN LATERAL (
        -- of several, the one that makes it cold at the deepest place
        SELECT t.number, t.state, i.cause,
               m.cold_since IS NOT NULL AND m.warm_since IS NULL AS cold
        FROM incident_member m
        JOIN incident i ON i.id = m.incident_id
        JOIN ticket t ON t.incident_id = i.id
        JOIN place origin ON origin.id = i.place_id
        WHERE m.place_id = u.place_id AND t.state NOT IN ('closed', 'merged')
        ORDER BY (i.kind = 'supply') DESC, cold DESC, length(origin.path) DESC, t.opened_at LIMIT 1
    ) t ON true
    WHERE (%(prefix)s::text IS NULL OR starts_with(p.path, %(prefix)s))
      AND (%(codes)s::text[] IS NULL OR p.code = ANY(%(codes)s))
)

-- name: units_now
WITH {unit_now}
SELECT * FROM unit_now
WHERE (%(after)s::text IS NULL OR path > %(after)s)
  AND (%(below_c)s::float8 IS NULL OR temperature_c < %(below_c)s)
ORDER BY path LIMIT %(limit)s;

-- name: place
SELECT p.id, p.code, p.kind, p.name, p.name_zh, p.path, p.seq, p.latitude, p.longitude,
       parent.code AS parent
FROM place p LEFT JOIN place parent ON parent.id = p.parent_id
WHERE p.code = %(code)s;

-- name: places_by_code
SELECT code, kind, name, name_zh, path, seq FROM place WHERE code = ANY(%(codes)s);

-- name: places_below
-- Parents before children, siblings along the pipe; dwellings only when asked for.
SELECT p.code, p.kind, p.name, p.name_zh, p.path, p.seq, parent.code AS parent
FROM place p LEFT JOIN place parent ON parent.id = p.parent_id
WHERE (%(prefix)s::text IS NULL OR starts_with(p.path, %(prefix)s))
  AND p.kind = ANY(%(kinds)s)
ORDER BY array_position(%(kinds)s, p.kind), p.seq, p.code
LIMIT %(limit)s;

-- name: entrances_of
SELECT code, name, name_zh, path, seq FROM place
WHERE kind = 'entrance' AND starts_with(path, %(prefix)s) ORDER BY seq, code;

-- name: statuses_of
SELECT s.status, nullif(lower(s.valid), '-infinity') AS valid_from,
       nullif(upper(s.valid), 'infinity') AS valid_to
FROM unit_status s JOIN place p ON p.id = s.place_id
WHERE p.code = %(code)s ORDER BY lower(s.valid) DESC NULLS LAST;

-- name: contacts_of
SELECT p.code, c.name, c.phone FROM contact c JOIN place p ON p.id = c.place_id
WHERE p.code = ANY(%(codes)s);

-- name: unit_days
SELECT d.day, d.covered_min, d.below_min, d.mean_c, d.min_c, d.verdict, d.reason,
       d.policy_code, d.policy_from, d.judged_at, d.revision
FROM unit_day d JOIN place p ON p.id = d.place_id
WHERE p.code = %(code)s AND d.day >= %(start)s AND d.day < %(stop)s
ORDER BY d.day;

-- name: sensors_of
SELECT d.uid, d.kind, b.role, d.expected_interval_s, d.height_m, d.flow_pipe,
       nullif(lower(b.valid), '-infinity') AS valid_from,
       nullif(upper(b.valid), 'infinity') AS valid_to,
       l.time AS read_at, l.seen_at, l.changed_at, l.reading, l.quality, g.grade, g.reason AS grade_reason,
       g.measure::float8 AS grade_measure
FROM device_binding b
JOIN device d ON d.id = b.device_id
JOIN place p ON p.id = b.place_id
LEFT JOIN latest l ON l.device_id = d.id AND b.valid @> l.time
LEFT JOIN sensor_grade g ON g.device_id = d.id
WHERE p.code = %(code)s AND b.valid @> %(now)s::timestamptz
ORDER BY b.role, d.uid;

-- name: search
-- What a caller says or an operator types: a phone number, a ticket, a place.
(SELECT 'ticket' AS what, t.number AS code, p.name, p.name_zh, p.path, p.kind
 FROM ticket t JOIN incident i ON i.id = t.incident_id JOIN place p ON p.id = i.place_id
 WHERE position(upper(%(text)s) IN t.number) > 0 ORDER BY t.opened_at DESC LIMIT 5)
UNION ALL
(SELECT 'contact', p.code, p.name, p.name_zh, p.path, p.kind
 FROM contact c JOIN place p ON p.id = c.place_id
 WHERE %(by_phone)s AND length(%(text)s) >= 4
   AND position(replace(%(text)s, ' ', '') IN replace(c.phone, ' ', '')) > 0 LIMIT 5)
UNION ALL
(SELECT 'place', p.code, p.name, p.name_zh, p.path, p.kind
 FROM place p
 WHERE position(lower(%(text)s) IN lower(p.code)) > 0
    OR position(lower(%(text)s) IN lower(p.name)) > 0
    OR position(%(text)s IN p.name_zh) > 0
 ORDER BY (lower(p.code) = lower(%(text)s)) DESC, length(p.path), p.path LIMIT 12);
