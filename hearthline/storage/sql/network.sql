-- The tree as analysis reads it, once per cycle.

-- Parts are what lies at or below some paths, each with its number from one on; what is above them
-- comes with them, as part nought. Paths are compared by bytes, as their index does: ``beyond`` is
-- the first path after those of a part.

-- name: nodes
SELECT id, code, kind, path, name, name_zh FROM place;

-- name: part_nodes
SELECT n.part, p.id, p.code, p.kind, p.path, p.name, p.name_zh
FROM unnest(%(paths)s::text[], %(beyond)s::text[]) WITH ORDINALITY n (path, beyond, part)
JOIN place p ON p.path ~>=~ n.path AND p.path ~<~ n.beyond
UNION ALL
SELECT 0, id, code, kind, path, name, name_zh FROM place WHERE code = ANY(%(above)s);

-- name: part_dwellings
SELECT n.part, p.code, u.area_m2, u.floor, u.col, u.warranty_until
FROM unnest(%(paths)s::text[], %(beyond)s::text[]) WITH ORDINALITY n (path, beyond, part)
JOIN place p ON p.path ~>=~ n.path AND p.path ~<~ n.beyond AND p.kind = 'unit'
CROSS JOIN LATERAL (SELECT * FROM unit WHERE place_id = p.id OFFSET 0) u;

-- name: part_statuses
SELECT n.part, p.code, s.status, lower(s.valid) AS since, upper(s.valid) AS until
FROM unnest(%(paths)s::text[], %(beyond)s::text[]) WITH ORDINALITY n (path, beyond, part)
JOIN place p ON p.path ~>=~ n.path AND p.path ~<~ n.beyond
JOIN unit_status s ON s.place_id = p.id AND s.status <> 'on'
ORDER BY lower(s.valid);

-- name: part_instruments
-- Weather stations count wherever they stand. Place by place (OFFSET 0 keeps it so), or the planner
-- reads the whole city's bindings for a few of them.
WITH here AS MATERIALIZED (
    SELECT n.part, p.id, p.code
    FROM unnest(%(paths)s::text[], %(beyond)s::text[]) WITH ORDINALITY n (path, beyond, part)
    JOIN place p ON p.path ~>=~ n.path AND p.path ~<~ n.beyond
    UNION ALL
    SELECT 0, id, code FROM place WHERE code = ANY(%(above)s))
SELECT h.part, d.id, d.uid, d.kind, b.role, h.code, d.flow_pipe, d.expected_interval_s
FROM here h
CROSS JOIN LATERAL (
    SELECT device_id, role FROM device_binding
    WHERE place_id = h.id AND valid @> %(at)s::timestamptz OFFSET 0) b
CROSS JOIN LATERAL (SELECT * FROM device WHERE id = b.device_id OFFSET 0) d
WHERE d.kind <> 'weather'
UNION ALL
SELECT 0, d.id, d.uid, d.kind, b.role, p.code, d.flow_pipe, d.expected_interval_s
FROM device d
CROSS JOIN LATERAL (
    SELECT place_id, role FROM device_binding
    WHERE device_id = d.id AND valid @> %(at)s::timestamptz OFFSET 0) b
JOIN place p ON p.id = b.place_id
WHERE d.kind = 'weather';

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
