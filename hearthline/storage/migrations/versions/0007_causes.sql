-- Two causes that meters prove may stand open at one place.
DROP INDEX incident_one_open;
CREATE UNIQUE INDEX incident_one_open ON incident (place_id, kind, cause, coalesce(device_id, 0))
    WHERE closed_at IS NULL;
