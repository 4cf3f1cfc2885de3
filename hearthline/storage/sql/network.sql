-- The tree as analysis reads it, once per cycle.

-- name: nodes
SELECT id, code, kind, path, name, name_zh FROM place;

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
