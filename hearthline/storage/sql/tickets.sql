-- Incidents, their members, tickets and their append-only events.

-- name: open_incidents
-- Those at or below a path, and those above it with their members below it; '' is everywhere. A
-- district's places are found by their index, since a large city has many open incidents.
SELECT i.id, i.kind, i.cause, p.code AS place, i.confidence, i.opened_at, d.uid AS device_uid,
       i.ranked, i.updated_at AS judged_at,
       t.recovered_at, t.number, p.kind IN ('source', 'substation', 'circuit') AS common,
       coalesce(array_agg(m.code) FILTER (WHERE m.code IS NOT NULL), '{}') AS members,
       coalesce(array_agg(m.code) FILTER (WHERE m.cold_since IS NOT NULL AND m.warm_since IS NULL),
                '{}') AS cold_members
FROM incident i
JOIN place p ON p.id = i.place_id
JOIN ticket t ON t.incident_id = i.id
LEFT JOIN device d ON d.id = i.device_id
LEFT JOIN LATERAL (
    SELECT u.code, im.cold_since, im.warm_since FROM incident_member im JOIN place u ON u.id = im.place_id
    WHERE im.incident_id = i.id AND starts_with(u.path, %(path)s)) m ON true
WHERE i.closed_at IS NULL AND (%(path)s = '' OR i.place_id IN (
    SELECT id FROM place WHERE path ~>=~ %(path)s AND path ~<~ %(beyond)s
    UNION ALL
    SELECT id FROM place WHERE code = ANY(%(above)s)))
GROUP BY i.id, p.code, p.kind, d.uid, t.recovered_at, t.number
ORDER BY i.opened_at, i.id;

-- name: open_incidents_of
-- The same of several districts, each by its number from one on, in one look.
WITH here AS MATERIALIZED (
    SELECT n.part, n.path AS district, p.id, p.code, p.kind
    FROM unnest(%(paths)s::text[], %(beyond)s::text[]) WITH ORDINALITY n (path, beyond, part)
    JOIN place p ON p.path ~>=~ n.path AND p.path ~<~ n.beyond
    UNION ALL
    SELECT n.part, n.path, p.id, p.code, p.kind
    FROM unnest(%(paths)s::text[]) WITH ORDINALITY n (path, part)
    JOIN place p ON p.code = ANY(string_to_array(n.path, '/')) AND length(p.path) < length(n.path))
SELECT h.part, i.id, i.kind, i.cause, h.code AS place, i.confidence, i.opened_at,
       i.ranked, i.updated_at AS judged_at,
       d.uid AS device_uid, t.recovered_at, t.number,
       h.kind IN ('source', 'substation', 'circuit') AS common,
       coalesce(array_agg(m.code) FILTER (WHERE m.code IS NOT NULL), '{}') AS members,
       coalesce(array_agg(m.code) FILTER (WHERE m.cold_since IS NOT NULL AND m.warm_since IS NULL),
                '{}') AS cold_members
FROM here h
JOIN incident i ON i.place_id = h.id AND i.closed_at IS NULL
JOIN ticket t ON t.incident_id = i.id
LEFT JOIN device d ON d.id = i.device_id
LEFT JOIN LATERAL (
    SELECT u.code, im.cold_since, im.warm_since FROM incident_member im JOIN place u ON u.id = im.place_id
    WHERE im.incident_id = i.id AND starts_with(u.path, h.district)) m ON true
GROUP BY h.part, h.code, h.kind, i.id, d.uid, t.recovered_at, t.number
ORDER BY h.part, i.opened_at, i.id;

-- name: insert_incident
INSERT INTO incident (kind, cause, place_id, device_id, opened_at, updated_at, confidence,
                      evidence, ranked)
SELECT %(kind)s, %(cause)s, p.id, (SELECT id FROM device WHERE uid = %(device_uid)s),
       %(at)s, %(at)s, %(confidence)s, %(evidence)s, %(ranked)s
FROM place p WHERE p.code = %(place)s
ON CONFLICT DO NOTHING
RETURNING id;

-- name: update_incident
UPDATE incident SET
    cause = %(cause)s, confidence = %(confidence)s, evidence = %(evidence)s, ranked = %(ranked)s,
    updated_at = greatest(updated_at, %(at)s),
    place_id = (SELECT id FROM place WHERE code = %(place)s)
WHERE id = %(incident_id)s;

-- name: update_incidents
UPDATE incident i SET
    cause = n.cause, confidence = n.confidence, evidence = n.evidence, ranked = n.ranked,
    updated_at = greatest(i.updated_at, n.at), place_id = p.id
FROM jsonb_to_recordset(%(said)s) n (id bigint, cause text, place text, at timestamptz,
                                     confidence real, evidence jsonb, ranked jsonb)
JOIN place p ON p.code = n.place
WHERE i.id = n.id;

-- name: close_incident
UPDATE incident SET closed_at = %(at)s, updated_at = greatest(updated_at, %(at)s)
WHERE id = %(incident_id)s AND closed_at IS NULL;

-- name: join_members
-- Members join once; a member that was only affected becomes cold when it is.
INSERT INTO incident_member (incident_id, place_id, joined_at, cold_since)
SELECT %(incident_id)s, p.id, %(at)s, CASE WHEN c.code IS NOT NULL THEN %(at)s END
FROM unnest(%(members)s::text[]) AS m (code)
JOIN place p ON p.code = m.code
LEFT JOIN unnest(%(cold)s::text[]) AS c (code) ON c.code = m.code
ON CONFLICT (incident_id, place_id) DO UPDATE SET
    cold_since = coalesce(incident_member.cold_since, excluded.cold_since),
    warm_since = CASE WHEN excluded.cold_since IS NULL THEN incident_member.warm_since END
WHERE excluded.cold_since IS NOT NULL
  AND (incident_member.cold_since IS NULL OR incident_member.warm_since IS NOT NULL)
RETURNING place_id;

-- name: warm_members
UPDATE incident_member m SET warm_since = %(at)s
FROM place p
WHERE p.id = m.place_id AND m.incident_id = %(incident_id)s AND m.cold_since IS NOT NULL
  AND m.warm_since IS NULL
  AND NOT EXISTS (SELECT FROM unnest(%(cold)s::text[]) AS c (code) WHERE c.code = p.code);

-- name: move_members
INSERT INTO incident_member (incident_id, place_id, joined_at, cold_since, warm_since)
SELECT %(into)s, place_id, joined_at, cold_since, warm_since FROM incident_member
WHERE incident_id = %(incident_id)s
ON CONFLICT (incident_id, place_id) DO UPDATE SET
    joined_at = least(incident_member.joined_at, excluded.joined_at),
    cold_since = least(incident_member.cold_since, excluded.cold_since);

-- name: insert_ticket
INSERT INTO ticket (number, incident_id, opened_at, state, version, updated_at, respond_by, resolve_by)
VALUES (%(day)s || '-' || lpad(nextval('ticket_number')::text, 4, '0'),
        %(incident_id)s, %(at)s, 'new', 0, %(at)s, %(respond_by)s, %(resolve_by)s)
RETURNING id, number;

-- name: ticket
SELECT t.*, i.kind, i.cause, i.confidence, i.evidence, i.ranked, i.opened_at AS incident_opened_at,
       i.closed_at AS incident_closed_at, p.code AS place, p.name AS place_name,
       p.name_zh AS place_name_zh, p.kind AS place_kind, p.path AS place_path, d.uid AS device_uid,
       (SELECT number FROM ticket o WHERE o.id = t.merged_into) AS merged_into_number
FROM ticket t
JOIN incident i ON i.id = t.incident_id
JOIN place p ON p.id = i.place_id
LEFT JOIN device d ON d.id = i.device_id
WHERE t.number = %(number)s;

-- name: lock_ticket
SELECT id FROM ticket WHERE number = %(number)s FOR UPDATE;

-- name: lock_incident_ticket
SELECT id, number FROM ticket WHERE incident_id = %(incident_id)s FOR UPDATE;

-- name: events
SELECT seq, kind, at, recorded_at, actor, reason, note, body
FROM ticket_event WHERE ticket_id = %(ticket_id)s ORDER BY seq;

-- name: append_event
-- One event with what follows from it: the projection, the outbox, the listeners.
WITH appended AS (
    INSERT INTO ticket_event (ticket_id, seq, kind, at, actor, reason, note, body)
    VALUES (%(ticket_id)s, %(version)s, %(kind)s, %(at)s, %(actor)s, %(reason)s, %(note)s, %(body)s)
), projected AS (
    UPDATE ticket SET state = %(state)s, version = %(version)s, updated_at = %(at)s,
                      assignee = %(assignee)s, recovered_at = %(recovered_at)s
    WHERE id = %(ticket_id)s
), emitted AS (
    INSERT INTO outbox (type, subject, body) VALUES (%(type)s, %(number)s, %(envelope)s))
SELECT pg_notify('hearthline_ticket', %(number)s);

-- name: merge_into
UPDATE ticket SET merged_into = (SELECT id FROM ticket WHERE incident_id = %(into)s)
WHERE incident_id = %(incident_id)s;

-- name: note_audit
INSERT INTO audit (actor, action, object, body) VALUES (%(actor)s, %(action)s, %(object)s, %(body)s);

-- name: last_event
SELECT coalesce(max(id), 0) AS id FROM ticket_event;

-- name: events_after
-- Places are told as people say them: from the building down, without circuit and riser.
SELECT e.id, e.kind, e.at, e.reason, e.body, t.number, i.kind AS ticket_kind,
       coalesce(w.name, p.name) AS place_name, coalesce(w.name_zh, p.name_zh) AS place_name_zh
FROM ticket_event e
JOIN ticket t ON t.id = e.ticket_id
JOIN incident i ON i.id = t.incident_id
JOIN place p ON p.code = coalesce(e.body ->> 'place', (SELECT code FROM place WHERE id = i.place_id))
CROSS JOIN LATERAL (
    SELECT string_agg(a.name, ', ' ORDER BY length(a.path)) AS name,
           string_agg(a.name_zh, '' ORDER BY length(a.path)) AS name_zh
    FROM place a
    WHERE a.code = ANY(string_to_array(rtrim(p.path, '/'), '/'))
      AND a.kind IN ('building', 'entrance', 'unit')) w
WHERE e.id > %(last)s ORDER BY e.id;
