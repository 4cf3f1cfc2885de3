-- Signs of life, learnt intervals, and what both say of every device and gateway.

-- name: note_signs
-- Newest wins: what a device says of itself by the time it said so, the rest by its arrival. A row
-- of which nothing but the arrival would change, and by less than a minute, stays untouched.
INSERT INTO device_sign AS s (device_id, seen_at, online, online_at, gateway, battery_pct,
                              humidity_pct)
SELECT device_id, %(seen_at)s, online, online_at, gateway, battery_pct, humidity_pct
FROM unnest(%(device_ids)b::int[], %(online)b::bool[], %(online_at)b::timestamptz[],
            %(gateways)b::text[], %(battery_pct)b::float4[], %(humidity_pct)b::float4[])
     AS i (device_id, online, online_at, gateway, battery_pct, humidity_pct)
ORDER BY device_id
ON CONFLICT (device_id) DO UPDATE SET
    seen_at = greatest(s.seen_at, excluded.seen_at),
    online = CASE WHEN excluded.online_at >= coalesce(s.online_at, '-infinity')
                  THEN excluded.online ELSE s.online END,
    online_at = greatest(s.online_at, excluded.online_at),
    gateway = CASE WHEN excluded.seen_at >= s.seen_at
                   THEN coalesce(excluded.gateway, s.gateway) ELSE s.gateway END,
    battery_pct = CASE WHEN excluded.seen_at >= s.seen_at
                       THEN coalesce(excluded.battery_pct, s.battery_pct) ELSE s.battery_pct END,
    humidity_pct = CASE WHEN excluded.seen_at >= s.seen_at
                        THEN coalesce(excluded.humidity_pct, s.humidity_pct)
                        ELSE s.humidity_pct END
WHERE excluded.seen_at >= s.seen_at + interval '1 minute'
   OR (excluded.online IS NOT NULL AND excluded.online IS DISTINCT FROM s.online)
   OR (excluded.gateway IS NOT NULL AND excluded.gateway IS DISTINCT FROM s.gateway)
   OR (excluded.battery_pct IS NOT NULL AND excluded.battery_pct IS DISTINCT FROM s.battery_pct)
   OR (excluded.humidity_pct IS NOT NULL
       AND excluded.humidity_pct IS DISTINCT FROM s.humidity_pct);

-- name: due
-- Devices whose habit is to be learnt: never yet, or a day ago and heard since; sooner where the
-- readings were too few.
SELECT l.device_id, d.kind, d.expected_interval_s, l.time AS newest
FROM latest l JOIN device d ON d.id = l.device_id
LEFT JOIN device_habit h ON h.device_id = l.device_id
WHERE h.device_id IS NULL
   OR (l.seen_at > h.learnt_at
       AND h.learnt_at <= %(now)s - CASE WHEN h.samples >= %(enough)s THEN %(again)s::interval
                                         ELSE %(soon)s::interval END)
ORDER BY h.learnt_at NULLS FIRST, l.device_id LIMIT %(limit)s;

-- name: gaps
-- See domain.liveness.gaps_of. A device's newest readings, as far back as is looked; percentile_disc
-- gives the lower of two values in the middle.
WITH asked AS (
    SELECT * FROM unnest(%(device_ids)b::int[], %(kinds)b::text[], %(newest)b::timestamptz[])
                  AS a (device_id, kind, newest)
), gap AS (
    SELECT a.device_id, r.time,
           extract(epoch FROM r.time - lag(r.time) OVER (PARTITION BY a.device_id ORDER BY r.time))
               ::float8 AS seconds
    FROM asked a
    CROSS JOIN LATERAL (
        (SELECT time FROM room_reading WHERE a.kind = 'room' AND device_id = a.device_id
            AND time >= %(since)s AND time >= a.newest - %(look_back)s
         ORDER BY time DESC LIMIT %(most)s)
        UNION ALL
        (SELECT time FROM meter_reading WHERE a.kind = 'meter' AND device_id = a.device_id
            AND time >= %(since)s AND time >= a.newest - %(look_back)s
         ORDER BY time DESC LIMIT %(most)s)
        UNION ALL
        (SELECT time FROM weather_reading WHERE a.kind = 'weather' AND device_id = a.device_id
            AND time >= %(since)s AND time >= a.newest - %(look_back)s
         ORDER BY time DESC LIMIT %(most)s)
    ) AS r
), kept AS (
    SELECT device_id, (time AT TIME ZONE 'UTC')::date AS day, seconds FROM gap
    WHERE seconds >= %(burst_s)s
), typical AS (
    SELECT device_id, count(*) AS count,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS median_s
    FROM kept GROUP BY device_id
), tail AS (
    SELECT device_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY longest) AS tail_s
    FROM (SELECT device_id, max(seconds) AS longest FROM kept GROUP BY device_id, day) AS days
    GROUP BY device_id
)
SELECT device_id, count, median_s, tail_s FROM typical JOIN tail USING (device_id);

-- name: save_habits
INSERT INTO device_habit (device_id, interval_s, offline_after_s, samples, learnt_at)
SELECT i.device_id, interval_s, offline_after_s, samples, %(now)s
FROM unnest(%(device_ids)b::int[], %(intervals)b::int[], %(offline_after)b::int[],
            %(samples)b::int[]) AS i (device_id, interval_s, offline_after_s, samples)
JOIN device d ON d.id = i.device_id
ORDER BY i.device_id
ON CONFLICT (device_id) DO UPDATE SET
    interval_s = excluded.interval_s, offline_after_s = excluded.offline_after_s,
    samples = excluded.samples, learnt_at = excluded.learnt_at
WHERE device_habit.learnt_at <= excluded.learnt_at;

-- name: device_now
-- Every device as it stands now. `state` and `spoke_until` are domain.liveness.state_of and
-- spoke_until; a test holds them to it.
device_now AS (
    SELECT d.id, d.uid, d.kind, d.label, d.profile, d.expected_interval_s,
           CASE WHEN h.samples >= %(enough)s THEN h.interval_s END AS interval_s,
           CASE WHEN h.samples >= %(enough)s THEN h.offline_after_s END AS offline_after_s,
           h.samples, h.learnt_at, l.time AS measured_at, l.seen_at, l.changed_at, l.reading,
           l.quality, l.skew_s,
           CASE WHEN s.battery_pct IS NOT NULL AND (l.battery_pct IS NULL OR s.seen_at > l.seen_at)
                THEN s.battery_pct ELSE l.battery_pct END AS battery_pct,
           s.seen_at AS sign_at, s.online, s.online_at, s.gateway, heard.heard_at,
           stands.state, limits.late_s,
           CASE WHEN stands.state = 'said_offline' THEN greatest(heard.heard_at, s.online_at)
                ELSE heard.heard_at END AS spoke_until
    FROM device d
    LEFT JOIN latest l ON l.device_id = d.id
    LEFT JOIN device_sign s ON s.device_id = d.id
    LEFT JOIN device_habit h ON h.device_id = d.id
    CROSS JOIN LATERAL (
        SELECT greatest(l.seen_at, CASE WHEN s.online IS NOT FALSE THEN s.seen_at END) AS heard_at,
               CASE WHEN h.samples >= %(enough)s THEN h.offline_after_s
                    ELSE greatest(%(ledger_intervals)s * d.expected_interval_s, %(ledger_least_s)s)
               END::float8 AS offline_s,
               greatest(%(late_intervals)s * CASE WHEN h.samples >= %(enough)s THEN h.interval_s
                                                  ELSE d.expected_interval_s END,
                        %(late_least_s)s)::float8 AS late_s
    ) AS heard
    CROSS JOIN LATERAL (SELECT least(heard.late_s, heard.offline_s) AS late_s) AS limits
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN s.online IS FALSE AND NOT coalesce(
                l.seen_at > s.online_at + %(said_slack_s)s * interval '1 second',
                l.seen_at IS NOT NULL) THEN 'said_offline'
            WHEN heard.heard_at IS NULL THEN 'never'
            WHEN heard.heard_at < %(now)s - heard.offline_s * interval '1 second' THEN 'offline'
            WHEN heard.heard_at < %(now)s - limits.late_s * interval '1 second' THEN 'late'
            ELSE 'online' END AS state
    ) AS stands
)

-- name: devices
WITH {device_now}, chosen AS (
    SELECT * FROM device_now n
    WHERE (%(after)s::text IS NULL OR n.uid > %(after)s)
      AND (%(uid)s::text IS NULL OR n.uid = %(uid)s)
      AND (%(states)s::text[] IS NULL OR n.state = ANY(%(states)s))
      AND (%(gateway)s::text IS NULL OR n.gateway = %(gateway)s)
      AND (%(kind)s::text IS NULL OR n.kind = %(kind)s)
      AND (%(text)s::text IS NULL OR position(lower(%(text)s) IN lower(n.uid)) > 0
           OR position(lower(%(text)s) IN lower(n.label)) > 0
           OR n.id IN (SELECT b.device_id FROM place p JOIN device_binding b ON b.place_id = p.id
                       WHERE position(lower(%(text)s) IN lower(p.code)) > 0
                         AND b.valid @> %(now)s::timestamptz))
    ORDER BY n.uid LIMIT %(limit)s
)
SELECT c.*, p.code AS place, p.name, p.name_zh, p.kind AS place_kind, p.path
FROM chosen c
LEFT JOIN LATERAL (
    SELECT b.place_id FROM device_binding b
    WHERE b.device_id = c.id AND b.valid @> %(now)s::timestamptz LIMIT 1
) AS b ON true
LEFT JOIN place p ON p.id = b.place_id
ORDER BY c.uid;

-- name: counts
WITH {device_now}
SELECT state, count(*) AS count FROM device_now GROUP BY state;

-- name: carried
-- See domain.liveness.carried: gateways with what their devices say together; without a name, all.
WITH {device_now}, spoke AS MATERIALIZED (
    SELECT gateway, state, spoke_until, late_s FROM device_now WHERE spoke_until IS NOT NULL
), member AS (
    SELECT gateway AS name, state, spoke_until, late_s FROM spoke WHERE gateway IS NOT NULL
    UNION ALL
    SELECT NULL, state, spoke_until, late_s FROM spoke
), counted AS (
    SELECT *, max(spoke_until) OVER (PARTITION BY name) AS newest,
           max(spoke_until) FILTER (WHERE state <> 'online') OVER (PARTITION BY name) AS last
    FROM member
)
SELECT name, count(*) AS devices, count(*) FILTER (WHERE state <> 'online') AS silent,
       count(*) FILTER (WHERE state <> 'online'
                          AND spoke_until >= last - late_s * interval '1 second') AS together,
       coalesce(max(spoke_until) FILTER (WHERE state <> 'online'), max(newest)) AS heard_at
FROM counted WHERE spoke_until >= newest - %(gone_before)s
GROUP BY name ORDER BY name;

-- name: bindings
SELECT p.code AS place, p.name, p.name_zh, p.kind, p.path, b.role,
       nullif(lower(b.valid), '-infinity') AS valid_from,
       nullif(upper(b.valid), 'infinity') AS valid_to
FROM device_binding b JOIN place p ON p.id = b.place_id
WHERE b.device_id = %(device_id)s ORDER BY lower(b.valid) DESC;

-- name: conflicts
SELECT d.uid, c.device_id, c.time, c.kept, c.came, c.count, c.first_at, c.last_at
FROM reading_conflict c JOIN device d ON d.id = c.device_id
WHERE (%(device_id)s::int IS NULL OR c.device_id = %(device_id)s)
  AND (%(after)s::timestamptz IS NULL
       OR (c.last_at, c.device_id, c.time) < (%(after)s, %(after_device)s, %(after_time)s))
ORDER BY c.last_at DESC, c.device_id DESC, c.time DESC LIMIT %(limit)s;

-- name: points_room
SELECT time, quality, temperature_c, humidity_pct FROM room_reading
WHERE device_id = %(device_id)s AND time >= %(start)s AND time < %(stop)s
ORDER BY time DESC LIMIT %(limit)s;

-- name: points_meter
SELECT time, quality, supply_c, return_c, flow_m3h, power_kw FROM meter_reading
WHERE device_id = %(device_id)s AND time >= %(start)s AND time < %(stop)s
ORDER BY time DESC LIMIT %(limit)s;

-- name: points_weather
SELECT time, quality, outdoor_c, wind_ms FROM weather_reading
WHERE device_id = %(device_id)s AND time >= %(start)s AND time < %(stop)s
ORDER BY time DESC LIMIT %(limit)s;
