-- Sensor trust: the daily memory of each sensor, and certified readings on site.

-- Running sums of each room sensor at the end of each UTC day, from which slow lies (drift, radiator,
-- sun, outdoors) are judged; the last row holds all that came before. ``state`` are little-endian
-- 32-bit floats, the fields of ``analytics.trust``; ``version`` counts changes of their meaning. What
-- is here can be computed again from room_hour, as far back as that is kept.
CREATE TABLE sensor_memory (
    device_id int NOT NULL REFERENCES device ON DELETE CASCADE,
    day       date NOT NULL,
    version   smallint NOT NULL,
    state     bytea NOT NULL,
    PRIMARY KEY (day, device_id)
);

-- The number that goes with a grade's reason (K, K a week, hours, s: by the reason).
ALTER TABLE sensor_grade ADD COLUMN measure real;

-- Readings with a certified instrument beside a sensor. ``sensor_c`` is what the sensor said around
-- that time; their difference holds from then on. Evidence: rows are added, never changed.
CREATE TABLE certified_reading (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id     int NOT NULL REFERENCES device ON DELETE CASCADE,
    place_id      int NOT NULL REFERENCES place ON DELETE CASCADE,
    time          timestamptz NOT NULL,
    temperature_c real NOT NULL CHECK (temperature_c BETWEEN -40 AND 60),
    instrument    text NOT NULL CHECK (instrument <> ''),
    taken_by      text NOT NULL CHECK (taken_by <> ''),
    sensor_c      real NOT NULL,
    samples       int NOT NULL CHECK (samples > 0),
    added_by      text NOT NULL,
    added_at      timestamptz NOT NULL,
    UNIQUE (device_id, time)
);
