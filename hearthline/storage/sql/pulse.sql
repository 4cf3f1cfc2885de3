-- Which services are alive, by their heartbeat in the watermark table.

-- name: beat
INSERT INTO watermark (name, at) VALUES ('alive:' || %(service)s, now())
ON CONFLICT (name) DO UPDATE SET at = excluded.at;

-- name: beats
SELECT substr(name, 7) AS service, at, now() - at AS age FROM watermark WHERE name LIKE 'alive:%%';

-- name: still
DELETE FROM watermark WHERE name = 'alive:' || %(service)s;

-- name: counts
-- Readings are counted one by one where they are not very many, else as the planner knows them.
WITH believed AS (
    SELECT approximate_row_count('room_reading') + approximate_row_count('meter_reading')
           + approximate_row_count('weather_reading') AS stored)
SELECT CASE WHEN believed.stored > %(exact)s THEN believed.stored
            ELSE (SELECT count(*) FROM room_reading) + (SELECT count(*) FROM meter_reading)
                 + (SELECT count(*) FROM weather_reading) END AS stored,
       (SELECT coalesce(sum(count), 0)::bigint FROM dead_letter) AS dead_letters,
       (SELECT count(*) FROM dirty_day) AS days_waiting,
       (SELECT count(*) FROM ticket WHERE state <> 'merged') AS tickets,
       (SELECT count(*) FROM unit_day) AS unit_days
FROM believed;

-- name: queues
SELECT (SELECT count(*) FROM dirty_day) AS days_waiting,
       (SELECT count(*) FROM stranger WHERE dismissed_at IS NULL) AS strangers,
       (SELECT count(*) FROM dead_letter WHERE last_at > now() - interval '1 day')
           AS dead_letters_of_a_day;
