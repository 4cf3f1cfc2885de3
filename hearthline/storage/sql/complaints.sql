-- What people say of their homes.

-- name: between
SELECT p.code AS place, c.at, c.note, c.channel, c.caller, c.taken_by AS by
FROM complaint c JOIN place p ON p.id = c.place_id
WHERE c.at > %(since)s AND c.at <= %(until)s
ORDER BY c.at, c.id;

-- name: place
SELECT id, kind FROM place WHERE code = %(place)s;

-- name: add
INSERT INTO complaint (place_id, at, note, channel, caller, taken_by, added_at)
VALUES (%(place_id)s, %(at)s, %(note)s, %(channel)s, %(caller)s, %(by)s, %(now)s)
RETURNING id;

-- name: one
SELECT c.id, p.code AS place, p.name, p.name_zh, c.at, c.note, c.channel, c.caller,
       c.taken_by, c.added_at
FROM complaint c JOIN place p ON p.id = c.place_id WHERE c.id = %(id)s;

-- name: listed
SELECT c.id, p.code AS place, p.name, p.name_zh, c.at, c.note, c.channel, c.caller,
       c.taken_by, c.added_at
FROM complaint c JOIN place p ON p.id = c.place_id
LEFT JOIN place a ON a.code = %(place)s
WHERE (%(since)s::timestamptz IS NULL OR c.at > %(since)s)
  AND (%(until)s::timestamptz IS NULL OR c.at <= %(until)s)
  AND (%(place)s::text IS NULL OR starts_with(p.path, a.path))
  AND (%(after)s::timestamptz IS NULL OR (c.at, c.id) < (%(after)s, %(after_id)s))
ORDER BY c.at DESC, c.id DESC LIMIT %(limit)s;

-- name: of_incident
-- Calls of an incident's dwellings from a week before it opened until it ended.
SELECT c.id, p.code AS place, p.path, p.name, p.name_zh, c.at, c.note, c.channel, c.caller,
       c.taken_by, c.added_at
FROM incident i
JOIN incident_member m ON m.incident_id = i.id
JOIN complaint c ON c.place_id = m.place_id
JOIN place p ON p.id = c.place_id
WHERE i.id = %(incident_id)s AND c.at > i.opened_at - %(before)s::interval
  AND c.at <= coalesce(i.closed_at, 'infinity'::timestamptz)
ORDER BY c.at DESC, c.id DESC LIMIT %(limit)s;
