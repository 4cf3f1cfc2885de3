-- Read models of the desk: the queue, one ticket, its members and its log.

-- name: ticket_rows
-- A ticket with its incident, place and running clock.
ticket_rows AS (
    SELECT t.id, t.number, t.opened_at, t.state, t.version, t.updated_at, t.respond_by,
           t.resolve_by, t.assignee, t.recovered_at, t.merged_into, t.incident_id,
           i.kind, i.cause, i.confidence, i.closed_at AS incident_closed_at,
           p.code AS place, p.kind AS place_kind, p.name AS place_name,
           p.name_zh AS place_name_zh, p.path, d.uid AS device,
           CASE WHEN t.state = 'new' THEN t.respond_by
                WHEN t.state IN ('dispatched', 'in_progress') THEN t.resolve_by END AS due_at,
           coalesce(w.paused, false) AS paused, w.paused_reason
    FROM ticket t
    JOIN incident i ON i.id = t.incident_id
    JOIN place p ON p.id = i.place_id
    LEFT JOIN device d ON d.id = i.device_id
    LEFT JOIN LATERAL (
        SELECT e.kind = 'paused' AS paused, e.reason AS paused_reason FROM ticket_event e
        WHERE e.ticket_id = t.id AND e.kind IN ('paused', 'resumed', 'dispatched')
        ORDER BY e.seq DESC LIMIT 1
    ) w ON t.state IN ('dispatched', 'in_progress')
)

-- name: ticket_filter
-- Narrows ticket_rows, named r; every part is off when its value is null.
(%(states)s::text[] IS NULL OR r.state = ANY(%(states)s))
AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
AND (%(cause)s::text IS NULL OR r.cause = %(cause)s)
AND (%(prefix)s::text IS NULL OR starts_with(r.path, %(prefix)s))
AND (NOT %(overdue)s OR (r.due_at < %(now)s AND NOT r.paused))
AND (%(text)s::text IS NULL
     OR position(upper(%(text)s) IN upper(r.number)) > 0
     OR position(lower(%(text)s) IN lower(r.path)) > 0
     OR EXISTS (SELECT 1 FROM place a
                WHERE a.code = ANY(string_to_array(r.path, '/'))
                  AND (position(lower(%(text)s) IN lower(a.name)) > 0
                       OR position(%(text)s IN a.name_zh) > 0))
     OR EXISTS (SELECT 1 FROM incident_member m JOIN place u ON u.id = m.place_id
                WHERE m.incident_id = r.incident_id
                  AND position(lower(%(text)s) IN lower(u.code)) > 0))

-- name: tickets
-- By opening, newest first, for the machine interface.
WITH {ticket_rows}
SELECT r.*, m.affected, m.cold
FROM ticket_rows r
CROSS JOIN LATERAL (
    SELECT count(*) AS affected,
           count(*) FILTER (WHERE cold_since IS NOT NULL AND warm_since IS NULL) AS cold
    FROM incident_member WHERE incident_id = r.incident_id) m
WHERE {ticket_filter}
  AND (%(after)s::timestamptz IS NULL OR (r.opened_at, r.id) < (%(after)s, %(after_id)s))
ORDER BY r.opened_at DESC, r.id DESC LIMIT %(limit)s;

-- name: queue
-- What must be done first on top: heat supply that nobody has taken up; then broken promises; then
-- sensors that nobody has taken up (each the largest first); then running clocks by due time; then
-- what is paused; then what is answered or done.
WITH {ticket_rows}
SELECT r.*, m.affected, m.cold, m.vulnerable
FROM ticket_rows r
CROSS JOIN LATERAL (
    SELECT count(*) AS affected,
           count(*) FILTER (WHERE m.cold_since IS NOT NULL AND m.warm_since IS NULL) AS cold,
           count(*) FILTER (WHERE u.vulnerable) AS vulnerable
    FROM incident_member m JOIN unit u ON u.place_id = m.place_id
    WHERE m.incident_id = r.incident_id) m
WHERE {ticket_filter}
ORDER BY CASE %(order)s
             WHEN 'urgent' THEN CASE WHEN r.due_at IS NULL THEN 5 WHEN r.paused THEN 4
                                     WHEN r.state = 'new' AND r.kind = 'supply' THEN 0
                                     WHEN r.state <> 'new' AND r.due_at < %(now)s THEN 1
                                     WHEN r.state = 'new' THEN 2 ELSE 3 END
             WHEN 'largest' THEN -m.affected END,
         CASE WHEN %(order)s = 'urgent' AND (r.state = 'new' OR r.due_at < %(now)s)
              THEN -m.affected END,
         CASE WHEN %(order)s = 'urgent' THEN r.due_at END,
         r.opened_at DESC, r.id DESC
LIMIT %(limit)s;

-- name: queue_counts
-- How many of each state the other filters leave, for the chips.
WITH {ticket_rows}
SELECT r.state, count(*) AS tickets,
       count(*) FILTER (WHERE r.due_at < %(now)s AND NOT r.paused) AS overdue
FROM ticket_rows r WHERE {ticket_filter} GROUP BY r.state;

-- name: ticket
WITH {ticket_rows}
SELECT r.*, i.evidence, i.ranked, into_t.number AS merged_into_number,
       (SELECT coalesce(array_agg(f.number ORDER BY f.opened_at), '{}')
        FROM ticket f WHERE f.merged_into = r.id) AS merged_from
FROM ticket_rows r
JOIN incident i ON i.id = r.incident_id
LEFT JOIN ticket into_t ON into_t.id = r.merged_into
WHERE r.number = %(number)s;

-- name: events
SELECT e.seq, e.kind, e.at, e.recorded_at, e.actor, coalesce(a.name, '') AS actor_name,
       e.reason, e.note, e.body
FROM ticket_event e
JOIN ticket t ON t.id = e.ticket_id
LEFT JOIN account a ON a.login = e.actor
WHERE t.number = %(number)s ORDER BY e.seq;

-- name: members
SELECT u.code, m.joined_at, m.cold_since, m.warm_since
FROM incident_member m JOIN place u ON u.id = m.place_id
WHERE m.incident_id = %(incident_id)s ORDER BY u.path;

-- name: ticket_version
SELECT version FROM ticket WHERE number = %(number)s FOR UPDATE;

-- name: tickets_of_unit
SELECT t.number, t.state, t.opened_at, i.cause, m.cold_since, m.warm_since
FROM incident_member m
JOIN incident i ON i.id = m.incident_id
JOIN ticket t ON t.incident_id = i.id
JOIN place p ON p.id = m.place_id
WHERE p.code = %(code)s ORDER BY t.opened_at DESC LIMIT 20;

-- name: tickets_below
-- Open tickets that any dwelling below a place is part of.
SELECT DISTINCT t.number, t.opened_at, i.cause
FROM place p
JOIN incident_member m ON m.place_id = p.id
JOIN incident i ON i.id = m.incident_id
JOIN ticket t ON t.incident_id = i.id
WHERE starts_with(p.path, %(prefix)s) AND t.state NOT IN ('closed', 'merged')
ORDER BY t.opened_at;

-- name: warranties
-- Until when each dwelling at or below some places is under warranty, null for none.
SELECT top.code, array_agg(u.warranty_until) AS until
FROM place top
JOIN place p ON p.path COLLATE "C" >= top.path
     AND p.path COLLATE "C" < rtrim(top.path, '/') || '0'
JOIN unit u ON u.place_id = p.id
WHERE top.code = ANY(%(places)s)
GROUP BY top.code;
