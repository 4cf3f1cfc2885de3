-- Panels of "Network heat balance". Grafana's macros and variables are expanded by its PostgreSQL
-- plugin; [[English|中文]] is resolved when a dashboard is built. Every statement is executed
-- against a real database by the tests, as the reading role.

-- name: substations
-- Choices of the dashboard's variable.
SELECT p.code AS __value, [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS __text
FROM place p WHERE p.kind = 'substation' ORDER BY p.path;

-- name: running
-- The newest 24 hours of the network; a figure only where every source has one.
SELECT sum(b.supplied_kwh) AS supplied_kwh,
       CASE WHEN bool_and(b.delivered_kwh IS NOT NULL) THEN sum(b.delivered_kwh) END AS delivered_kwh,
       CASE WHEN bool_and(b.loss_kwh IS NOT NULL) THEN sum(b.loss_kwh) END AS loss_kwh,
       CASE WHEN bool_and(b.loss_kwh IS NOT NULL) THEN sqrt(sum(b.uncertainty_kwh ^ 2)) END
           AS uncertainty_kwh,
       CASE WHEN bool_and(b.loss_kwh IS NOT NULL)
            THEN sum(b.loss_kwh) / nullif(sum(b.supplied_kwh), 0) END AS loss_share,
       min(b.coverage)::float8 AS coverage,
       sum(b.makeup_m3) AS makeup_m3
FROM balance_running b WHERE b.stage = 'transmission';

-- name: running_temperature
SELECT w.outdoor_c::float8 AS outdoor_c
FROM weather_hour w WHERE $__timeFilter(w.hour) ORDER BY w.hour DESC LIMIT 1;

-- name: refusals
-- Stages whose newest 24 hours have no figure, and why.
SELECT [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS place, b.stage, b.reason,
       b.coverage::float8 AS coverage, b.stopped_at
FROM balance_running b JOIN place p ON p.id = b.place_id
WHERE b.reason <> '' ORDER BY p.path, b.stage;

-- name: power
-- An hour in which a substation's meter said nothing has no sum: a gap is not zero heat.
WITH metered AS (
    SELECT count(DISTINCT b.place_id) FILTER (WHERE p.kind = 'source') AS sources,
           count(DISTINCT b.place_id) FILTER (WHERE p.kind = 'substation') AS substations
    FROM device_binding b JOIN place p ON p.id = b.place_id
    WHERE b.role = 'primary' AND upper_inf(b.valid)
), hourly AS (
    SELECT h.hour,
           sum(h.heat_kwh * 60 / h.covered_min) FILTER (WHERE p.kind = 'source') AS supplied_kw,
           sum(h.heat_kwh * 60 / h.covered_min) FILTER (WHERE p.kind = 'substation') AS delivered_kw,
           count(DISTINCT p.id) FILTER (WHERE p.kind = 'source') AS sources,
           count(DISTINCT p.id) FILTER (WHERE p.kind = 'substation') AS substations
    FROM heat_hour h
    JOIN device_binding b ON b.device_id = h.device_id AND b.valid @> h.hour
    JOIN place p ON p.id = b.place_id
    WHERE $__timeFilter(h.hour) AND b.role = 'primary' AND h.covered_min > 0
    GROUP BY h.hour
)
SELECT $__timeGroup(h.hour, $__interval) AS "time",
       avg(h.supplied_kw) FILTER (WHERE h.sources >= m.sources) AS supplied_kw,
       avg(h.delivered_kw) FILTER (WHERE h.substations >= m.substations) AS delivered_kw
FROM hourly h CROSS JOIN metered m
GROUP BY 1 ORDER BY 1;

-- name: days
-- Energy of every local day; what has no figure is missing, not zero.
SELECT b.started_at AS "time", sum(b.supplied_kwh) AS supplied_kwh,
       CASE WHEN bool_and(b.delivered_kwh IS NOT NULL) THEN sum(b.delivered_kwh) END AS delivered_kwh,
       CASE WHEN bool_and(b.stored_kwh IS NOT NULL) THEN sum(b.stored_kwh) END AS stored_kwh,
       CASE WHEN bool_and(b.loss_kwh IS NOT NULL) THEN sum(b.loss_kwh) END AS loss_kwh
FROM balance_day b
WHERE $__timeFilter(b.started_at) AND b.stage = 'transmission'
GROUP BY 1 ORDER BY 1;

-- name: loss_share
-- Loss over heat supplied, between the limits that the meters' class allows.
WITH network AS (
    SELECT b.started_at, sum(b.supplied_kwh) AS supplied_kwh,
           CASE WHEN bool_and(b.loss_kwh IS NOT NULL) THEN sum(b.loss_kwh) END AS loss_kwh,
           sqrt(sum(b.uncertainty_kwh ^ 2)) AS uncertainty_kwh
    FROM balance_day b
    WHERE $__timeFilter(b.started_at) AND b.stage = 'transmission'
    GROUP BY 1
)
SELECT n.started_at AS "time", n.loss_kwh / nullif(n.supplied_kwh, 0) AS loss_share,
       (n.loss_kwh - n.uncertainty_kwh) / nullif(n.supplied_kwh, 0) AS at_least,
       (n.loss_kwh + n.uncertainty_kwh) / nullif(n.supplied_kwh, 0) AS at_most
FROM network n ORDER BY 1;

-- name: coverage
SELECT b.started_at AS "time",
       (min(b.coverage) FILTER (WHERE b.stage = 'transmission'))::float8 AS transmission,
       (avg(b.coverage) FILTER (WHERE b.stage = 'exchange'))::float8 AS exchange,
       (avg(b.coverage) FILTER (WHERE b.stage = 'distribution'))::float8 AS distribution
FROM balance_day b WHERE $__timeFilter(b.started_at)
GROUP BY 1 ORDER BY 1;

-- name: breakdown
-- Where the heat of the newest 24 hours went, as far as it can be told.
WITH staged AS (
    SELECT b.stage, CASE WHEN bool_and(b.loss_kwh IS NOT NULL) THEN sum(b.loss_kwh) END AS loss_kwh,
           CASE WHEN bool_and(b.delivered_kwh IS NOT NULL) THEN sum(b.delivered_kwh) END
               AS delivered_kwh
    FROM balance_running b GROUP BY b.stage
)
SELECT e.what, e.heat_kwh
FROM (SELECT 1 AS seq, '[[Buildings|楼栋用热]]' AS what,
             (SELECT delivered_kwh FROM staged WHERE stage = 'distribution') AS heat_kwh
      UNION ALL SELECT 2, '[[Lost in secondary pipes|二次网损失]]',
             (SELECT loss_kwh FROM staged WHERE stage = 'distribution')
      UNION ALL SELECT 3, '[[Lost in substations|换热站损失]]',
             (SELECT loss_kwh FROM staged WHERE stage = 'exchange')
      UNION ALL SELECT 4, '[[Lost in primary pipes|一次网损失]]',
             (SELECT loss_kwh FROM staged WHERE stage = 'transmission')) AS e
ORDER BY e.seq;

-- name: substation_power
SELECT $__timeGroup(h.hour, $__interval) AS "time",
       [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       avg(h.heat_kwh * 60 / h.covered_min) AS heat_kw
FROM heat_hour h
JOIN device_binding b ON b.device_id = h.device_id AND b.valid @> h.hour AND b.role = 'primary'
JOIN place p ON p.id = b.place_id AND p.kind = 'substation'
WHERE $__timeFilter(h.hour) AND h.covered_min > 0 AND p.code IN ($substation)
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: specific_index
-- Heat into a substation per heated area below it. The area is summed by the substation's code,
-- the second element of every path: one pass over the dwellings.
WITH area AS (
    SELECT split_part(u.path, '/', 2) AS code, sum(f.area_m2) AS m2
    FROM unit f JOIN place u ON u.id = f.place_id GROUP BY 1
)
SELECT $__timeGroup(h.hour, $__interval) AS "time",
       [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       avg(1000 * h.heat_kwh * 60 / h.covered_min / a.m2) AS index_w_m2
FROM heat_hour h
JOIN device_binding b ON b.device_id = h.device_id AND b.valid @> h.hour AND b.role = 'primary'
JOIN place p ON p.id = b.place_id AND p.kind = 'substation'
JOIN area a ON a.code = p.code
WHERE $__timeFilter(h.hour) AND h.covered_min > 0 AND p.code IN ($substation)
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: primary_temperatures
SELECT $__timeGroup(m.hour, $__interval) AS "time",
       [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       avg(m.supply_c)::float8 AS supply_c, avg(m.return_c)::float8 AS return_c
FROM meter_hour m
JOIN device_binding b ON b.device_id = m.device_id AND b.valid @> m.hour AND b.role = 'primary'
JOIN place p ON p.id = b.place_id
WHERE $__timeFilter(m.hour) AND (p.kind = 'source' OR p.code IN ($substation))
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: secondary_temperatures
SELECT $__timeGroup(m.hour, $__interval) AS "time",
       [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       avg(m.supply_c)::float8 AS supply_c, avg(m.return_c)::float8 AS return_c
FROM meter_hour m
JOIN device_binding b ON b.device_id = m.device_id AND b.valid @> m.hour AND b.role = 'secondary'
JOIN place p ON p.id = b.place_id
WHERE $__timeFilter(m.hour) AND split_part(p.path, '/', 2) IN ($substation)
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: approach
-- Primary return less secondary return: 2 to 5 K is healthy, 8 to 15 K a fouled exchanger.
WITH sides AS (
    SELECT m.hour, split_part(p.path, '/', 2) AS code,
           avg(m.return_c) FILTER (WHERE b.role = 'primary') AS primary_c,
           avg(m.return_c) FILTER (WHERE b.role = 'secondary') AS secondary_c
    FROM meter_hour m
    JOIN device_binding b ON b.device_id = m.device_id AND b.valid @> m.hour
         AND b.role IN ('primary', 'secondary')
    JOIN place p ON p.id = b.place_id AND p.kind <> 'source'
    WHERE $__timeFilter(m.hour) AND split_part(p.path, '/', 2) IN ($substation)
    GROUP BY 1, 2
)
SELECT $__timeGroup(s.hour, $__interval) AS "time",
       [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       avg(s.primary_c - s.secondary_c)::float8 AS approach_k
FROM sides s JOIN place p ON p.code = s.code
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: flow
SELECT $__timeGroup(m.hour, $__interval) AS "time",
       [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] || CASE b.role
           WHEN 'primary' THEN ' [[primary|一次]]' ELSE ' [[secondary|二次]]' END AS metric,
       avg(m.flow_m3h)::float8 AS flow_m3h
FROM meter_hour m
JOIN device_binding b ON b.device_id = m.device_id AND b.valid @> m.hour
     AND b.role IN ('primary', 'secondary')
JOIN place p ON p.id = b.place_id
WHERE $__timeFilter(m.hour)
  AND (p.kind = 'source' OR split_part(p.path, '/', 2) IN ($substation))
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: makeup
-- Water added per local day, to the primary network and to each substation's secondary side.
SELECT b.started_at AS "time", [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       b.makeup_m3
FROM balance_day b JOIN place p ON p.id = b.place_id
WHERE $__timeFilter(b.started_at) AND b.stage IN ('transmission', 'distribution')
  AND b.makeup_m3 IS NOT NULL AND (p.kind = 'source' OR p.code IN ($substation))
ORDER BY 1, 2;

-- name: signature
-- Share by which a local day's heat lies above its signature; days without one are missing.
SELECT d.started_at AS "time", [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       d.heat_kwh / d.expected_kwh - 1 AS off_share
FROM heat_day d JOIN place p ON p.id = d.place_id
WHERE $__timeFilter(d.started_at) AND p.kind = 'substation' AND p.code IN ($substation)
  AND d.heat_kwh IS NOT NULL AND d.expected_kwh > 0
ORDER BY 1, 2;

-- name: spreads
-- Area-weighted spread of returns and of rooms between the buildings of a substation.
SELECT d.started_at AS "time", [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS metric,
       d.return_spread_k AS return_k, d.horizontal_k AS room_k
FROM heat_day d JOIN place p ON p.id = d.place_id
WHERE $__timeFilter(d.started_at) AND p.kind = 'substation' AND p.code IN ($substation)
ORDER BY 1, 2;

-- name: uneven
-- Buildings of the newest day, the least supplied first.
SELECT [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS building, d.balance_degree, d.return_c,
       d.room_c, d.vertical_k, d.index_w_m2
FROM heat_day d JOIN place p ON p.id = d.place_id
WHERE d.day = (SELECT max(day) FROM heat_day) AND p.kind = 'building'
  AND split_part(p.path, '/', 2) IN ($substation)
ORDER BY d.balance_degree, p.path LIMIT 200;

-- name: outdoor
SELECT $__timeGroup(w.hour, $__interval) AS "time", avg(w.outdoor_c)::float8 AS outdoor_c
FROM weather_hour w WHERE $__timeFilter(w.hour) GROUP BY 1 ORDER BY 1;

-- name: substation_table
-- The newest 24 hours of every substation beside its cold dwellings and open tickets.
WITH area AS (
    SELECT split_part(u.path, '/', 2) AS code, sum(f.area_m2) AS m2, count(*) AS dwellings
    FROM unit f JOIN place u ON u.id = f.place_id GROUP BY 1
), cold AS (
    SELECT split_part(u.path, '/', 2) AS code, count(DISTINCT e.place_id) AS dwellings
    FROM episode e JOIN place u ON u.id = e.place_id WHERE e.kind <> 'overheated' AND e.closed_at IS NULL GROUP BY 1
), open AS (
    SELECT split_part(p.path, '/', 2) AS code, count(*) AS tickets
    FROM ticket t JOIN incident i ON i.id = t.incident_id JOIN place p ON p.id = i.place_id
    WHERE t.state NOT IN ('closed', 'merged') GROUP BY 1
)
SELECT p.code, [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS substation,
       x.supplied_kwh AS heat_kwh,
       1000 * x.supplied_kwh / extract(epoch FROM x.stopped_at - x.started_at) * 3600 / a.m2
           AS index_w_m2,
       x.loss_kwh / nullif(x.supplied_kwh, 0) AS exchange_loss,
       d.loss_kwh / nullif(d.supplied_kwh, 0) AS distribution_loss,
       d.coverage::float8 AS coverage, d.makeup_m3, coalesce(a.dwellings, 0) AS dwellings,
       coalesce(c.dwellings, 0) AS cold_dwellings, coalesce(o.tickets, 0) AS open_tickets
FROM place p
LEFT JOIN balance_running x ON x.place_id = p.id AND x.stage = 'exchange'
LEFT JOIN balance_running d ON d.place_id = p.id AND d.stage = 'distribution'
LEFT JOIN area a ON a.code = p.code
LEFT JOIN cold c ON c.code = p.code
LEFT JOIN open o ON o.code = p.code
WHERE p.kind = 'substation' AND p.code IN ($substation)
ORDER BY cold_dwellings DESC, p.path;

-- name: open_tickets
SELECT t.number, t.opened_at, [[p.name|coalesce(nullif(p.name_zh, ''), p.name)]] AS place, i.cause,
       (SELECT count(*) FROM incident_member m
        WHERE m.incident_id = i.id AND m.cold_since IS NOT NULL AND m.warm_since IS NULL)
           AS cold_dwellings,
       t.state, t.resolve_by
FROM ticket t JOIN incident i ON i.id = t.incident_id JOIN place p ON p.id = i.place_id
WHERE t.state NOT IN ('closed', 'merged')
ORDER BY cold_dwellings DESC, t.opened_at LIMIT 100;
