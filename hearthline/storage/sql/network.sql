-- The tree as analysis reads it, once per cycle.

-- A part is what lies at or below a path; what is above it comes with it. Paths are compared by
-- bytes, as their index does: ``beyond`` is the first path after those of the part.

-- name: nodes
SELECT id, code, kind, path, name, name_zh FROM place;

-- name: part_nodes
SELECT id, code, kind, path, name, name_zh FROM place
WHERE path ~>=~ %(path)s AND path ~<~ %(beyond)s
UNION ALL
SELECT id, code, kind, path, name, name_zh FROM place WHERE code = ANY(%(above)s);

-- name: part_dwellings
SELECT p.code, u.area_m2, u.floor, u.col AS column, u.warranty_until
FROM place p JOIN unit u ON u.place_id = p.id
WHERE p.path ~>=~ %(path)s AND p.path ~<~ %(beyond)s;

-- name: part_statuses
SELECT p.code, s.status, lower(s.valid) AS since, upper(s.valid) AS until
FROM place p JOIN unit_status s ON p.id = s.place_id
WHERE s.status <> 'on' AND p.path ~>=~ %(path)s AND p.path ~<~ %(beyond)s
ORDER BY lower(s.valid);

-- name: part_instruments
-- Weather stations count wherever they stand. One way in for each, or no index would serve.
WITH bound AS (
    SELECT b.device_id FROM place p JOIN device_binding b ON b.place_id = p.id
    WHERE p.path ~>=~ %(path)s AND p.path ~<~ %(beyond)s AND b.valid @> %(at)s::timestamptz
    UNION
    SELECT b.device_id FROM place p JOIN device_binding b ON b.place_id = p.id
    WHERE p.code = ANY(%(above)s) AND b.valid @> %(at)s::timestamptz
    UNION
    SELECT d.id FROM device d WHERE d.kind = 'weather')
SELECT d.id, d.uid, d.kind, b.role, p.code AS place, d.flow_pipe,
       d.expected_interval_s AS interval_s
FROM bound n
JOIN device d ON d.id = n.device_id
JOIN device_binding b ON b.device_id = d.id AND b.valid @> %(at)s::timestamptz
JOIN place p ON p.id = b.place_id
ORDER BY d.id;

-- name: trunk_nodes
SELECT id, code, kind, path, name, name_zh FROM place
WHERE kind IN ('source', 'substation', 'circuit')
   OR parent_id IN (SELECT id FROM place WHERE kind = 'source');

-- name: trunk_instruments
-- The meters whose signs all substations share, and the weather.
SELECT d.id, d.uid, d.kind, b.role, p.code AS place, d.flow_pipe,
       d.expected_interval_s AS interval_s
FROM device_binding b
JOIN device d ON b.device_id = d.id
JOIN place p ON p.id = b.place_id
WHERE b.role IN ('primary', 'secondary', 'weather') AND b.valid @> %(at)s::timestamptz
ORDER BY d.id;

-- name: dwellings
SELECT p.code, u.area_m2, u.floor, u.col AS column, u.warranty_until
FROM unit u JOIN place p ON p.id = u.place_id;

-- name: statuses
SELECT p.code, s.status, lower(s.valid) AS since, upper(s.valid) AS until
FROM unit_status s JOIN place p ON p.id = s.place_id
WHERE s.status <> 'on'
ORDER BY lower(s.valid);

-- name: instruments
SELECT d.id, d.uid, d.kind, b.role, p.code AS place, d.flow_pipe,
       d.expected_interval_s AS interval_s
FROM device d
JOIN device_binding b ON b.device_id = d.id AND b.valid @> %(at)s::timestamptz
JOIN place p ON p.id = b.place_id
ORDER BY d.id;
