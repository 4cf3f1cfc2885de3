-- Which services are alive, by their heartbeat in the watermark table.

-- name: beat
INSERT INTO watermark (name, at) VALUES ('alive:' || %(service)s, now())
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: beats
SELECT substr(name, 7) AS service, at, now() - at AS age FROM watermark WHERE name LIKE 'alive:%%';

-- name: still
DELETE FROM watermark WHERE name = 'alive:' || %(service)s;

-- name: counts
SELECT (SELECT count(*) FROM room_reading) + (SELECT count(*) FROM meter_reading)
       + (SELECT count(*) FROM weather_reading) AS stored,
       (SELECT coalesce(sum(count), 0)::bigint FROM dead_letter) AS dead_letters,
       (SELECT count(*) FROM dirty_bucket) AS waiting,
       (SELECT count(*) FROM dirty_day) AS days_waiting,
       (SELECT count(*) FROM ticket WHERE state <> 'merged') AS tickets,
       (SELECT count(*) FROM unit_day) AS unit_days;
