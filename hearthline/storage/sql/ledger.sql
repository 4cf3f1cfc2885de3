-- The 台账: places, units, statuses, contacts, devices and their bindings. A ledger is copied into
-- temporary tables and merged from there in whole sets; what is already so is not written again.

-- name: stage
CREATE TEMP TABLE IF NOT EXISTS staged_place (
    code text, kind text, parent text, name text, name_zh text, seq int,
    latitude float8, longitude float8) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS staged_unit (
    code text, area_m2 real, floor smallint, col smallint, position text,
    warranty_until timestamptz, vulnerable boolean) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS staged_status (
    code text, status text, valid_from timestamptz, valid_to timestamptz) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS staged_contact (code text, name text, phone text) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS staged_device (
    uid text, kind text, flow_pipe text, expected_interval_s int, height_m real, profile text,
    label text, place text, role text, valid_from timestamptz, valid_to timestamptz)
    ON COMMIT DROP;
TRUNCATE staged_place, staged_unit, staged_status, staged_contact, staged_device;

-- name: copy_places
COPY staged_place FROM STDIN;

-- name: copy_units
COPY staged_unit FROM STDIN;

-- name: copy_statuses
COPY staged_status FROM STDIN;

-- name: copy_contacts
COPY staged_contact FROM STDIN;

-- name: copy_devices
COPY staged_device FROM STDIN;

-- name: analyze
ANALYZE staged_place, staged_unit, staged_status, staged_contact, staged_device;

-- name: misplaced
-- Places whose parent is nowhere, or not above them.
SELECT s.code, s.parent, coalesce(u.kind, p.kind) IS NULL AS missing
FROM staged_place s
LEFT JOIN staged_place u ON u.code = s.parent
LEFT JOIN place p ON p.code = s.parent
WHERE s.parent IS NOT NULL
  AND (array_position(%(kinds)s::text[], coalesce(u.kind, p.kind))
       < array_position(%(kinds)s::text[], s.kind)) IS NOT TRUE
ORDER BY s.code LIMIT 1;

-- name: moved_places
SELECT count(*) AS count
FROM staged_place s JOIN place p ON p.code = s.code LEFT JOIN place up ON up.id = p.parent_id
WHERE up.code IS DISTINCT FROM s.parent;

-- name: merge_places
-- One level of the tree; the levels above are there already.
WITH merged AS (
    INSERT INTO place AS p (code, kind, parent_id, path, name, name_zh, seq, latitude, longitude)
    SELECT s.code, s.kind, up.id, coalesce(up.path, '') || s.code || '/', s.name, s.name_zh, s.seq,
           s.latitude, s.longitude
    FROM staged_place s LEFT JOIN place up ON up.code = s.parent
    WHERE s.kind = %(kind)s
    ON CONFLICT (code) DO UPDATE SET
        kind = excluded.kind, parent_id = excluded.parent_id, path = excluded.path,
        name = excluded.name, name_zh = excluded.name_zh, seq = excluded.seq,
        latitude = excluded.latitude, longitude = excluded.longitude
    WHERE (p.kind, p.parent_id, p.path, p.name, p.name_zh, p.seq, p.latitude, p.longitude)
          IS DISTINCT FROM
          (excluded.kind, excluded.parent_id, excluded.path, excluded.name, excluded.name_zh,
           excluded.seq, excluded.latitude, excluded.longitude)
    RETURNING xmax = 0 AS fresh)
SELECT count(*) FILTER (WHERE fresh) AS new, count(*) FILTER (WHERE NOT fresh) AS changed
FROM merged;

-- name: repath
-- A place that moved takes with it what is below.
WITH RECURSIVE tree AS (
    SELECT id, code || '/' AS path FROM place WHERE parent_id IS NULL
    UNION ALL
    SELECT p.id, t.path || p.code || '/' FROM place p JOIN tree t ON p.parent_id = t.id)
UPDATE place p SET path = t.path FROM tree t WHERE p.id = t.id AND p.path <> t.path;

-- name: merge_units
WITH merged AS (
    INSERT INTO unit AS u (place_id, area_m2, floor, col, position, warranty_until, vulnerable)
    SELECT p.id, s.area_m2, s.floor, s.col, s.position, s.warranty_until, s.vulnerable
    FROM staged_unit s JOIN place p ON p.code = s.code
    ON CONFLICT (place_id) DO UPDATE SET
        area_m2 = excluded.area_m2, floor = excluded.floor, col = excluded.col,
        position = excluded.position, warranty_until = excluded.warranty_until,
        vulnerable = excluded.vulnerable
    WHERE (u.*) IS DISTINCT FROM (excluded.*)
    RETURNING xmax = 0 AS fresh)
SELECT count(*) FILTER (WHERE fresh) AS new, count(*) FILTER (WHERE NOT fresh) AS changed
FROM merged;

-- name: place_statuses
-- Said statuses with their place and range; `same` where the database says just that.
CREATE TEMP TABLE IF NOT EXISTS said_status (
    place_id int, status text, valid tstzrange, same boolean) ON COMMIT DROP;
TRUNCATE said_status;
INSERT INTO said_status
SELECT p.id, s.status, r.valid,
       EXISTS (SELECT FROM unit_status u
               WHERE u.place_id = p.id AND u.status = s.status AND u.valid = r.valid)
FROM staged_status s JOIN place p ON p.code = s.code
CROSS JOIN LATERAL (SELECT tstzrange(s.valid_from, s.valid_to) AS valid) AS r
WHERE NOT isempty(r.valid);
ANALYZE said_status;

-- name: replace_statuses
-- From its earliest said date on, a dwelling's history is what is said; what was before stays.
WITH span AS (
    SELECT place_id, tstzrange(CASE WHEN NOT bool_or(lower_inf(valid)) THEN min(lower(valid)) END,
                               NULL) AS said
    FROM said_status GROUP BY place_id
), stale AS (
    SELECT u.ctid, u.valid - s.said AS rest
    FROM unit_status u JOIN span s ON s.place_id = u.place_id AND s.said && u.valid
    WHERE NOT EXISTS (SELECT FROM said_status w
                      WHERE w.same AND w.place_id = u.place_id AND w.valid = u.valid)
), dropped AS (
    DELETE FROM unit_status u USING stale s WHERE u.ctid = s.ctid AND isempty(s.rest)
    RETURNING u.place_id
), cut AS (
    UPDATE unit_status u SET valid = s.rest FROM stale s
    WHERE u.ctid = s.ctid AND NOT isempty(s.rest) RETURNING u.place_id
)
SELECT (SELECT count(*) FROM dropped) + (SELECT count(*) FROM cut) AS changed;

-- name: insert_statuses
INSERT INTO unit_status (place_id, status, valid)
SELECT place_id, status, valid FROM said_status WHERE NOT same;

-- name: merge_contacts
WITH merged AS (
    INSERT INTO contact AS c (place_id, name, phone)
    SELECT p.id, s.name, s.phone FROM staged_contact s JOIN place p ON p.code = s.code
    ON CONFLICT (place_id) DO UPDATE SET name = excluded.name, phone = excluded.phone
    WHERE (c.name, c.phone) IS DISTINCT FROM (excluded.name, excluded.phone)
    RETURNING xmax = 0 AS fresh)
SELECT count(*) FILTER (WHERE fresh) AS new, count(*) FILTER (WHERE NOT fresh) AS changed
FROM merged;

-- name: merge_devices
-- A ledger that says nothing of profile or label leaves them as they are.
WITH merged AS (
    INSERT INTO device AS d (uid, kind, flow_pipe, expected_interval_s, height_m, profile, label)
    SELECT DISTINCT ON (uid) uid, kind, flow_pipe, expected_interval_s, height_m, profile, label
    FROM staged_device ORDER BY uid, valid_from DESC NULLS LAST
    ON CONFLICT (uid) DO UPDATE SET
        kind = excluded.kind, flow_pipe = excluded.flow_pipe,
        expected_interval_s = excluded.expected_interval_s, height_m = excluded.height_m,
        profile = coalesce(excluded.profile, d.profile),
        label = coalesce(nullif(excluded.label, ''), d.label)
    WHERE (d.kind, d.flow_pipe, d.expected_interval_s, d.height_m, d.profile, d.label)
          IS DISTINCT FROM
          (excluded.kind, excluded.flow_pipe, excluded.expected_interval_s, excluded.height_m,
           coalesce(excluded.profile, d.profile), coalesce(nullif(excluded.label, ''), d.label))
    RETURNING xmax = 0 AS fresh)
SELECT count(*) FILTER (WHERE fresh) AS new, count(*) FILTER (WHERE NOT fresh) AS changed
FROM merged;

-- name: place_bindings
-- Said bindings with their ids and range. One without dates only asks that the device be bound:
-- where it is, it stays; where it was, it begins when the last one ended.
CREATE TEMP TABLE IF NOT EXISTS said_binding (
    uid text, device_id int, place_id int, role text, valid tstzrange, dated boolean)
    ON COMMIT DROP;
TRUNCATE said_binding;
INSERT INTO said_binding
SELECT s.uid, d.id, p.id, s.role,
       tstzrange(coalesce(s.valid_from,
                          CASE WHEN s.valid_to IS NULL THEN last.ended END, '-infinity'),
                 s.valid_to),
       s.valid_from IS NOT NULL OR s.valid_to IS NOT NULL
FROM staged_device s JOIN device d ON d.uid = s.uid JOIN place p ON p.code = s.place
LEFT JOIN (SELECT device_id, max(upper(valid)) AS ended FROM device_binding
           GROUP BY device_id HAVING NOT bool_or(upper_inf(valid))) last ON last.device_id = d.id;
UPDATE said_binding s SET valid = b.valid FROM device_binding b
WHERE NOT s.dated AND b.device_id = s.device_id AND b.place_id = s.place_id AND upper_inf(b.valid);
DELETE FROM said_binding s USING device_binding b
WHERE b.device_id = s.device_id
  AND (NOT s.dated AND upper_inf(b.valid) AND b.place_id <> s.place_id
       OR b.valid = s.valid AND b.place_id = s.place_id AND b.role = s.role);
ANALYZE said_binding;

-- name: end_bindings
-- A binding that is there with another end or role gets the said one.
UPDATE device_binding b SET valid = s.valid, role = s.role
FROM said_binding s
WHERE b.device_id = s.device_id AND b.place_id = s.place_id AND lower(b.valid) = lower(s.valid)
RETURNING b.device_id, b.place_id, upper(s.valid) AS at;

-- name: close_bindings
-- A device that is said to be elsewhere from a date on has left its place on that date.
UPDATE device_binding b SET valid = tstzrange(lower(b.valid), s.since)
FROM (SELECT device_id, min(lower(valid)) AS since FROM said_binding
      GROUP BY device_id HAVING bool_or(upper_inf(valid))) s
WHERE b.device_id = s.device_id AND upper_inf(b.valid) AND lower(b.valid) < s.since
RETURNING b.device_id, b.place_id, s.since AS at;

-- name: overlapping
-- Said bindings that contradict what is there, or each other.
SELECT c.uid, p.code AS place, nullif(lower(c.valid), '-infinity') AS since,
       upper(c.valid) AS until
FROM (SELECT s.uid, b.place_id, b.valid
      FROM said_binding s JOIN device_binding b ON b.device_id = s.device_id AND b.valid && s.valid
      WHERE (b.place_id, b.role, b.valid) IS DISTINCT FROM (s.place_id, s.role, s.valid)
      UNION ALL
      SELECT s.uid, o.place_id, o.valid
      FROM said_binding s JOIN said_binding o ON o.device_id = s.device_id AND o.ctid < s.ctid
           AND o.valid && s.valid) c
JOIN place p ON p.id = c.place_id
ORDER BY c.uid, since NULLS FIRST LIMIT 1;

-- name: insert_bindings
INSERT INTO device_binding (device_id, place_id, role, valid)
SELECT s.device_id, s.place_id, s.role, s.valid FROM said_binding s
WHERE NOT EXISTS (SELECT FROM device_binding b
                  WHERE b.device_id = s.device_id AND b.valid = s.valid);

-- name: counts
SELECT (SELECT count(*) FROM place) AS places, (SELECT count(*) FROM unit) AS units,
       (SELECT count(*) FROM device) AS devices;

-- name: notify
SELECT pg_notify('hearthline_ledger', '');

-- name: places
SELECT p.code, p.kind, up.code AS parent, p.name, p.name_zh, p.seq, p.latitude, p.longitude
FROM place p LEFT JOIN place up ON up.id = p.parent_id ORDER BY p.path;

-- name: units
SELECT p.code, u.area_m2, u.floor, u.col, u.position, u.warranty_until, u.vulnerable
FROM unit u JOIN place p ON p.id = u.place_id ORDER BY p.path;

-- name: statuses
SELECT p.code, s.status, nullif(lower(s.valid), '-infinity') AS valid_from,
       nullif(upper(s.valid), 'infinity') AS valid_to
FROM unit_status s JOIN place p ON p.id = s.place_id
WHERE NOT isempty(s.valid) ORDER BY p.path, s.valid;

-- name: contacts
SELECT p.code, c.name, c.phone FROM contact c JOIN place p ON p.id = c.place_id ORDER BY p.path;

-- name: devices
SELECT d.uid, d.kind, b.role, p.code AS place, d.flow_pipe, d.expected_interval_s, d.height_m,
       d.profile, d.label, nullif(lower(b.valid), '-infinity') AS valid_from,
       nullif(upper(b.valid), 'infinity') AS valid_to
FROM device d JOIN device_binding b ON b.device_id = d.id JOIN place p ON p.id = b.place_id
WHERE NOT isempty(b.valid) ORDER BY p.path, d.uid, b.valid;

-- name: unbound
SELECT uid FROM device d
WHERE NOT EXISTS (SELECT FROM device_binding b WHERE b.device_id = d.id AND b.valid @> %(at)s)
ORDER BY uid;

-- name: lock_device
SELECT id, kind FROM device WHERE uid = %(uid)s FOR UPDATE;

-- name: place_id
SELECT id FROM place WHERE code = %(code)s;

-- name: last_binding
SELECT p.code AS place, b.place_id, b.role,
       nullif(lower(b.valid), '-infinity') AS since, nullif(upper(b.valid), 'infinity') AS until
FROM device_binding b JOIN place p ON p.id = b.place_id
WHERE b.device_id = %(device_id)s AND NOT isempty(b.valid) ORDER BY b.valid DESC LIMIT 1;

-- name: close_binding
UPDATE device_binding SET valid = tstzrange(lower(valid), %(at)s)
WHERE device_id = %(device_id)s AND upper_inf(valid);

-- name: open_binding
INSERT INTO device_binding (device_id, place_id, role, valid)
VALUES (%(device_id)s, %(place_id)s, %(role)s, tstzrange(%(at)s, NULL));

-- name: outdated_days
-- Verdicts that a dwelling got from a sensor which by then had been taken away.
WITH outdated AS (
    DELETE FROM unit_day WHERE place_id = %(place_id)s AND day >= (%(at)s AT TIME ZONE 'UTC')::date
    RETURNING *)
INSERT INTO unit_day_superseded SELECT * FROM outdated;

-- name: mark_days
-- Days to be judged again: of the device itself and of the others in the place that it left.
INSERT INTO dirty_day (device_id, day)
SELECT DISTINCT h.device_id, (h.hour AT TIME ZONE 'UTC')::date
FROM room_hour h
WHERE h.hour >= %(at)s::timestamptz - interval '1 day'
  AND h.device_id IN (SELECT device_id FROM device_binding
                      WHERE device_id = %(device_id)s OR place_id = %(place_id)s)
ON CONFLICT DO NOTHING;
