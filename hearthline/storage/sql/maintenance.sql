-- Maintenance windows.

-- name: between
SELECT p.code AS place, m.since, m.until, m.reason, m.added_by AS by
FROM maintenance m JOIN place p ON p.id = m.place_id
WHERE m.since < %(until)s AND m.until > %(since)s AND m.until > m.since
ORDER BY m.since, m.id;

-- name: add
INSERT INTO maintenance (place_id, since, until, reason, added_by, added_at)
SELECT id, %(since)s, %(until)s, %(reason)s, %(by)s, %(now)s FROM place WHERE code = %(place)s
RETURNING id;

-- name: lock
SELECT m.since, m.until, m.ended_at, p.code AS place
FROM maintenance m JOIN place p ON p.id = m.place_id WHERE m.id = %(id)s FOR UPDATE OF m;

-- name: end
UPDATE maintenance SET until = greatest(since, %(at)s), ended_by = %(by)s, ended_at = %(at)s
WHERE id = %(id)s;

-- name: one
SELECT m.id, p.code AS place, p.kind, p.name, p.name_zh, m.since, m.until, m.reason, m.added_by,
       m.added_at, m.ended_by, m.ended_at
FROM maintenance m JOIN place p ON p.id = m.place_id WHERE m.id = %(id)s;

-- name: listed
SELECT m.id, p.code AS place, p.kind, p.name, p.name_zh, m.since, m.until, m.reason, m.added_by,
       m.added_at, m.ended_by, m.ended_at
FROM maintenance m JOIN place p ON p.id = m.place_id
LEFT JOIN place a ON a.code = %(place)s
WHERE (%(since)s::timestamptz IS NULL OR m.until > %(since)s)
  AND (%(place)s::text IS NULL OR starts_with(p.path, a.path) OR starts_with(a.path, p.path))
ORDER BY m.since DESC, m.id DESC LIMIT %(limit)s;

-- name: mark_days
-- Days that have nothing to be judged by are not marked.
INSERT INTO dirty_day (device_id, day)
SELECT DISTINCT h.device_id, (h.hour AT TIME ZONE 'UTC')::date
FROM place top
JOIN place p ON starts_with(p.path, top.path)
JOIN device_binding b ON b.place_id = p.id AND b.role = 'room'
JOIN room_hour h ON h.device_id = b.device_id
     AND h.hour >= %(since)s::timestamptz - interval '1 hour' AND h.hour < %(until)s
WHERE top.code = %(place)s
ON CONFLICT DO NOTHING;
