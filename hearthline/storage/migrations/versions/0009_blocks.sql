-- The block of event time that is being judged, district by district; none between two blocks.
-- How far each district has come is a watermark of its own, 'analysis/' and the district's code.
CREATE TABLE analysis_block (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    since   timestamptz NOT NULL,                -- judged from here,
    rooms   timestamptz NOT NULL,                -- rooms up to here
    meters  timestamptz NOT NULL,                -- and meters up to here
    overall jsonb NOT NULL                       -- what only the whole network tells
);
-- A district asks for its own sensors.
CREATE INDEX sensor_memory_device ON sensor_memory (device_id, day);
