-- Compliance: maintenance windows, and the chain of verdicts that makes tampering evident.

-- Places that are worked on: everything below them is held back meanwhile. A window that was
-- called off before it began ends where it starts; it stays as evidence.
CREATE TABLE maintenance (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place_id int NOT NULL REFERENCES place ON DELETE CASCADE,
    since    timestamptz NOT NULL,
    until    timestamptz NOT NULL,
    reason   text NOT NULL CHECK (reason <> ''),
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    ended_by text,
    ended_at timestamptz,
    CHECK (until >= since)
);
CREATE INDEX maintenance_until ON maintenance (until);

-- A line of the compliance ledger is sealed some hours after its day: it gets the next number of
-- its dwelling's chain, the hash of the line before, and a hash over both and its content. What
-- has no hash may still change without leaving a trace.
ALTER TABLE unit_day ADD COLUMN link int, ADD COLUMN prev bytea, ADD COLUMN hash bytea,
    ADD COLUMN sealed_on date;
ALTER TABLE unit_day_superseded ADD COLUMN link int, ADD COLUMN prev bytea, ADD COLUMN hash bytea,
    ADD COLUMN sealed_on date;
ALTER TABLE unit_day_superseded ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE INDEX unit_day_unsealed ON unit_day (day) WHERE hash IS NULL;
CREATE INDEX unit_day_superseded_unsealed ON unit_day_superseded (id) WHERE hash IS NULL;
CREATE INDEX unit_day_superseded_place ON unit_day_superseded (place_id, link);
CREATE INDEX unit_day_sealed ON unit_day (sealed_on);
CREATE INDEX unit_day_superseded_sealed ON unit_day_superseded (sealed_on);

-- The end of each dwelling's chain, so that a line cut off its end is missed by name. No foreign
-- key: a dwelling that disappears must not take the trace of its lines with it.
CREATE TABLE unit_chain (
    place_id int PRIMARY KEY,
    code     text NOT NULL,
    link     int NOT NULL,
    hash     bytea NOT NULL
);
CREATE INDEX unit_chain_code ON unit_chain (code COLLATE "C");

-- Once a day, one hash over all that was sealed on the day before and over the anchor before.
-- Whoever wrote an anchor's hash down elsewhere can tell that nothing before it was changed.
CREATE TABLE ledger_anchor (
    day     date PRIMARY KEY,
    links   bigint NOT NULL,
    digest  bytea NOT NULL,
    prev    bytea NOT NULL,
    hash    bytea NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE TRIGGER ledger_anchor_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_anchor
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- A heating status that is filed late, or withdrawn, has the days that it touches judged again.
CREATE FUNCTION note_status_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_day (device_id, day)
    SELECT DISTINCT h.device_id, (h.hour AT TIME ZONE 'UTC')::date
    FROM changed c
    JOIN device_binding b ON b.place_id = c.place_id AND b.role = 'room'
    JOIN room_hour h ON h.device_id = b.device_id
         AND h.hour > coalesce(lower(c.valid), '-infinity') - interval '1 hour'
         AND h.hour < coalesce(upper(c.valid), 'infinity')
    WHERE c.status <> 'on'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER unit_status_inserted AFTER INSERT ON unit_status
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_status_days();
CREATE TRIGGER unit_status_updated AFTER UPDATE ON unit_status
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_status_days();
CREATE TRIGGER unit_status_replaced AFTER UPDATE ON unit_status
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_status_days();
CREATE TRIGGER unit_status_deleted AFTER DELETE ON unit_status
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_status_days();
