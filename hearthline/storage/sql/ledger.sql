-- The 台账: places, units, statuses, devices and their bindings.

-- name: upsert_place
INSERT INTO place (code, kind, parent_id, path, name, name_zh, seq, latitude, longitude)
VALUES (%(code)s, %(kind)s, (SELECT id FROM place WHERE code = %(parent)s), %(path)s,
        %(name)s, %(name_zh)s, %(seq)s, %(latitude)s, %(longitude)s)
ON CONFLICT (code) DO UPDATE SET
    kind = excluded.kind, parent_id = excluded.parent_id, path = excluded.path,
    name = excluded.name, name_zh = excluded.name_zh, seq = excluded.seq,
    latitude = excluded.latitude, longitude = excluded.longitude;

-- name: upsert_unit
INSERT INTO unit (place_id, area_m2, floor, col, position, warranty_until, vulnerable)
SELECT id, %(area_m2)s, %(floor)s, %(column)s, %(position)s, %(warranty_until)s, %(vulnerable)s
FROM place WHERE code = %(code)s
ON CONFLICT (place_id) DO UPDATE SET
    area_m2 = excluded.area_m2, floor = excluded.floor, col = excluded.col,
    position = excluded.position, warranty_until = excluded.warranty_until,
    vulnerable = excluded.vulnerable;

-- name: forget_statuses
DELETE FROM unit_status WHERE place_id IN (SELECT id FROM place WHERE code = ANY(%(codes)s));

-- name: insert_status
INSERT INTO unit_status (place_id, status, valid)
SELECT id, %(status)s, tstzrange(%(valid_from)s, %(valid_to)s) FROM place WHERE code = %(code)s;

-- name: upsert_device
INSERT INTO device (uid, kind, flow_pipe, expected_interval_s, height_m)
VALUES (%(uid)s, %(kind)s, %(flow_pipe)s, %(expected_interval_s)s, %(height_m)s)
ON CONFLICT (uid) DO UPDATE SET
    kind = excluded.kind, flow_pipe = excluded.flow_pipe,
    expected_interval_s = excluded.expected_interval_s, height_m = excluded.height_m;

-- name: bind_device
-- Only where the device is not already bound to that place in that role.
INSERT INTO device_binding (device_id, place_id, role)
SELECT d.id, p.id, %(role)s FROM device d, place p
WHERE d.uid = %(uid)s AND p.code = %(place)s
  AND NOT EXISTS (SELECT FROM device_binding b
                  WHERE b.device_id = d.id AND upper_inf(b.valid));

-- name: counts
SELECT (SELECT count(*) FROM place) AS places, (SELECT count(*) FROM unit) AS units,
       (SELECT count(*) FROM device) AS devices;

-- name: notify
SELECT pg_notify('hearthline_ledger', '');
