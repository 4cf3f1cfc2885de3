-- Complaints: what people say of their homes by phone, at the counter or in writing. Evidence: rows
-- are added, never changed.
CREATE TABLE complaint (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place_id int NOT NULL REFERENCES place ON DELETE CASCADE,
    at       timestamptz NOT NULL,
    note     text NOT NULL DEFAULT '',
    channel  text NOT NULL CHECK (channel <> ''),
    caller   text NOT NULL DEFAULT '',
    taken_by text NOT NULL CHECK (taken_by <> ''),
    added_at timestamptz NOT NULL
);
CREATE INDEX complaint_at ON complaint (at);
CREATE INDEX complaint_place ON complaint (place_id, at);
