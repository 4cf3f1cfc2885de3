-- The foundation: places, devices, readings, rollups, verdicts, incidents, tickets, accounts.
-- Applied by revision 0001; one statement after another, no parameters.

CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- ── the network tree ────────────────────────────────────────────────────────────────────
CREATE TABLE place (
    id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code       text NOT NULL UNIQUE CHECK (code <> '' AND position('/' IN code) = 0),
    kind       text NOT NULL CHECK (kind IN
               ('source', 'substation', 'circuit', 'building', 'entrance', 'riser', 'unit')),
    parent_id  int REFERENCES place,
    path       text NOT NULL UNIQUE,          -- codes from the root, each followed by '/'
    name       text NOT NULL,
    name_zh    text NOT NULL DEFAULT '',
    seq        int NOT NULL DEFAULT 0,
    latitude   double precision,
    longitude  double precision,
    CHECK ((kind = 'source') = (parent_id IS NULL))
);
CREATE INDEX place_path ON place (path text_pattern_ops);
CREATE INDEX place_parent ON place (parent_id);

CREATE TABLE unit (
    place_id       int PRIMARY KEY REFERENCES place ON DELETE CASCADE,
    area_m2        real NOT NULL CHECK (area_m2 > 0),
    floor          smallint NOT NULL,
    col            smallint NOT NULL,
    position       text NOT NULL CHECK (position IN ('top', 'ground', 'gable', 'middle')),
    warranty_until timestamptz,
    vulnerable     boolean NOT NULL DEFAULT false
);

CREATE TABLE unit_status (
    place_id int NOT NULL REFERENCES unit ON DELETE CASCADE,
    status   text NOT NULL CHECK (status IN ('on', 'stopped', 'restricted', 'vacant')),
    valid    tstzrange NOT NULL,
    EXCLUDE USING gist (place_id WITH =, valid WITH &&)
);

-- Contact data lives apart from telemetry.
CREATE TABLE contact (
    place_id int PRIMARY KEY REFERENCES unit ON DELETE CASCADE,
    name     text NOT NULL DEFAULT '',
    phone    text NOT NULL DEFAULT ''
);
CREATE INDEX contact_phone ON contact (phone);

-- ── devices ─────────────────────────────────────────────────────────────────────────────
CREATE TABLE device (
    id                  int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid                 text NOT NULL UNIQUE,
    kind                text NOT NULL CHECK (kind IN ('room', 'meter', 'weather')),
    flow_pipe           text CHECK (flow_pipe IN ('supply', 'return')),
    expected_interval_s int NOT NULL DEFAULT 1200 CHECK (expected_interval_s > 0),
    height_m            real,
    CHECK (kind <> 'meter' OR flow_pipe IS NOT NULL)
);

CREATE TABLE device_binding (
    device_id int NOT NULL REFERENCES device ON DELETE CASCADE,
    place_id  int NOT NULL REFERENCES place ON DELETE CASCADE,
    role      text NOT NULL CHECK (role IN ('room', 'primary', 'secondary', 'branch', 'weather')),
    valid     tstzrange NOT NULL DEFAULT tstzrange('-infinity', NULL),
    EXCLUDE USING gist (device_id WITH =, valid WITH &&)
);
CREATE INDEX device_binding_place ON device_binding (place_id);

-- ── readings ────────────────────────────────────────────────────────────────────────────
CREATE TABLE room_reading (
    time          timestamptz NOT NULL,
    device_id     int NOT NULL,
    temperature_c real NOT NULL,
    humidity_pct  real,
    battery_pct   real,
    quality       smallint NOT NULL DEFAULT 0
);
CREATE TABLE meter_reading (
    time       timestamptz NOT NULL,
    device_id  int NOT NULL,
    supply_c   real,
    return_c   real,
    flow_m3h   real,
    power_kw   real,
    energy_kwh double precision,
    volume_m3  double precision,
    supply_kpa real,
    return_kpa real,
    valve_pct  real,
    pump_hz    real,
    makeup_m3  double precision,
    quality    smallint NOT NULL DEFAULT 0
);
CREATE TABLE weather_reading (
    time         timestamptz NOT NULL,
    device_id    int NOT NULL,
    outdoor_c    real NOT NULL,
    wind_ms      real,
    solar_wm2    real,
    humidity_pct real,
    quality      smallint NOT NULL DEFAULT 0
);
SELECT create_hypertable('room_reading', 'time', chunk_time_interval => interval '7 days',
                         create_default_indexes => false);
SELECT create_hypertable('meter_reading', 'time', chunk_time_interval => interval '7 days',
                         create_default_indexes => false);
SELECT create_hypertable('weather_reading', 'time', chunk_time_interval => interval '30 days',
                         create_default_indexes => false);
CREATE UNIQUE INDEX room_reading_key ON room_reading (device_id, time DESC);
CREATE UNIQUE INDEX meter_reading_key ON meter_reading (device_id, time DESC);
CREATE UNIQUE INDEX weather_reading_key ON weather_reading (device_id, time DESC);

-- Last value, last seen (arrival) and last changed are three different things.
CREATE TABLE latest (
    device_id  int PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    time       timestamptz NOT NULL,             -- event time of the newest reading
    seen_at    timestamptz NOT NULL,             -- arrival of the last message, however old its reading
    changed_at timestamptz NOT NULL,             -- event time at which the value last became another one
    reading    jsonb NOT NULL                    -- the newest reading's quantities
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);  -- rewritten in place all the time

CREATE TABLE dead_letter (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key        bytea NOT NULL UNIQUE,            -- SHA-256 of topic, reason and payload
    topic      text NOT NULL,
    payload    bytea NOT NULL,
    reason     text NOT NULL,
    detail     text NOT NULL,
    device_uid text,
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    count      bigint NOT NULL DEFAULT 1
);
CREATE INDEX dead_letter_reason ON dead_letter (reason, last_at DESC);
CREATE INDEX dead_letter_last ON dead_letter (last_at DESC);

-- What each ingest session has committed: a tally for good, and of its last batches which messages,
-- so that a redelivery, or a batch whose commit nobody heard of, is known for one and counted once.
CREATE TABLE ingest_session (
    client_id   text PRIMARY KEY,
    messages    bigint NOT NULL DEFAULT 0,
    stored      bigint NOT NULL DEFAULT 0,       -- readings that became rows
    duplicates  bigint NOT NULL DEFAULT 0,       -- readings already there: published more than once
    refused     bigint NOT NULL DEFAULT 0,       -- readings or messages that became dead letters
    redelivered bigint NOT NULL DEFAULT 0,       -- messages that came again after their commit
    updated_at  timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE ingest_batch (
    client_id  text NOT NULL REFERENCES ingest_session ON DELETE CASCADE,
    batch      uuid NOT NULL,
    upto       bigint NOT NULL,                  -- the session's messages up to and with this batch
    deliveries bytea NOT NULL,                   -- per message: packet identifier (2 bytes), CRC-32 (4)
    stored     int NOT NULL,
    duplicates int NOT NULL,
    refused    int NOT NULL,
    PRIMARY KEY (client_id, batch)
);

-- ── rollups: our own on every edition, recomputed whole per dirty bucket ────────────────────
CREATE TABLE dirty_bucket (
    kind      text NOT NULL,
    device_id int NOT NULL,
    hour      timestamptz NOT NULL,
    PRIMARY KEY (hour, kind, device_id)          -- taken oldest hour first
);
CREATE TABLE room_hour (
    device_id   int NOT NULL,
    hour        timestamptz NOT NULL,
    n           int NOT NULL,
    mean_c      real NOT NULL,
    min_c       real NOT NULL,
    max_c       real NOT NULL,
    covered_min real NOT NULL,                   -- minutes of the hour that readings stand for
    PRIMARY KEY (device_id, hour)
);
CREATE INDEX room_hour_hour ON room_hour (hour);
CREATE TABLE meter_hour (
    device_id  int NOT NULL,
    hour       timestamptz NOT NULL,
    n          int NOT NULL,
    supply_c   real,                             -- flow-weighted where there is flow
    return_c   real,
    flow_m3h   real,
    power_kw   real,
    energy_kwh double precision,                 -- counter at the end of the hour
    volume_m3  double precision,
    makeup_m3  double precision,
    supply_kpa real,
    return_kpa real,
    valve_pct  real,
    pump_hz    real,
    covered_min real NOT NULL,
    PRIMARY KEY (device_id, hour)
);
CREATE INDEX meter_hour_hour ON meter_hour (hour);
CREATE TABLE weather_hour (
    device_id   int NOT NULL,
    hour        timestamptz NOT NULL,
    n           int NOT NULL,
    outdoor_c   real NOT NULL,
    wind_ms     real,
    solar_wm2   real,
    covered_min real NOT NULL,
    PRIMARY KEY (device_id, hour)
);
-- What the rollups changed and analysis has not yet judged again.
CREATE TABLE dirty_day (
    device_id int NOT NULL,
    day       date NOT NULL,                     -- UTC day
    PRIMARY KEY (device_id, day)
);

-- ── heat balance ────────────────────────────────────────────────────────────────────────
CREATE TABLE heat_hour (
    device_id   int NOT NULL,
    hour        timestamptz NOT NULL,
    heat_kwh    double precision NOT NULL,       -- EN 1434 from volume and temperatures
    volume_m3   double precision NOT NULL,
    covered_min real NOT NULL,
    PRIMARY KEY (device_id, hour)
);
CREATE INDEX heat_hour_hour ON heat_hour (hour);
-- Meter hours whose heat is out of date, noted by triggers whoever writes meter_hour. No key:
-- a row more than needed costs little, and writer and reader never wait for each other.
CREATE TABLE dirty_heat (
    device_id int NOT NULL,
    hour      timestamptz NOT NULL
);
CREATE FUNCTION note_dirty_heat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_heat SELECT device_id, hour FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER meter_hour_inserted AFTER INSERT ON meter_hour REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_dirty_heat();
CREATE TRIGGER meter_hour_updated AFTER UPDATE ON meter_hour REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_dirty_heat();
CREATE TRIGGER meter_hour_deleted AFTER DELETE ON meter_hour REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_dirty_heat();
-- One stage of the network over one window: transmission (source to substations, at the
-- source), exchange (primary to secondary) and distribution (secondary to buildings).
CREATE TABLE balance_running (                   -- the newest 24 hours, one row per stage
    place_id        int NOT NULL REFERENCES place ON DELETE CASCADE,
    stage           text NOT NULL CHECK (stage IN ('transmission', 'exchange', 'distribution')),
    started_at      timestamptz NOT NULL,
    stopped_at      timestamptz NOT NULL,
    supplied_kwh    double precision,
    delivered_kwh   double precision,
    stored_kwh      double precision,
    loss_kwh        double precision,
    makeup_m3       double precision,
    coverage        real NOT NULL,               -- share of consumers with valid data, 0..1
    uncertainty_kwh double precision,
    pipe_m3         double precision,            -- water content behind stored_kwh …
    pipe_estimated  boolean NOT NULL,            -- … and whether it was only estimated
    reason          text NOT NULL DEFAULT '',    -- why there is no figure, when there is none
    computed_at     timestamptz NOT NULL,
    PRIMARY KEY (place_id, stage)
);
CREATE TABLE balance_day (                       -- the same over a local day
    LIKE balance_running INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    day             date NOT NULL,
    PRIMARY KEY (place_id, stage, day),
    FOREIGN KEY (place_id) REFERENCES place ON DELETE CASCADE
);
CREATE INDEX balance_day_started ON balance_day (started_at);

-- ── rules and verdicts ──────────────────────────────────────────────────────────────────
CREATE TABLE policy (
    code       text NOT NULL,
    valid_from date NOT NULL,
    body       jsonb NOT NULL,
    PRIMARY KEY (code, valid_from)
);
CREATE TABLE unit_day (
    place_id    int NOT NULL REFERENCES unit ON DELETE CASCADE,
    day         date NOT NULL,                   -- local day of the policy's zone
    covered_min real NOT NULL,
    below_min   real NOT NULL,
    mean_c      real,
    min_c       real,
    verdict     text NOT NULL,
    reason      text NOT NULL,
    policy_code text NOT NULL,
    policy_from date NOT NULL,
    judged_at   timestamptz NOT NULL,
    revision    int NOT NULL DEFAULT 1,
    PRIMARY KEY (place_id, day)
);
CREATE INDEX unit_day_day ON unit_day (day);
CREATE TABLE unit_day_superseded (LIKE unit_day);   -- verdicts that late rows changed

CREATE TABLE sensor_grade (
    device_id int PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    grade     text NOT NULL CHECK (grade IN ('A', 'B', 'C')),
    reason    text NOT NULL,
    since     timestamptz NOT NULL
);

CREATE TABLE episode (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place_id     int NOT NULL REFERENCES unit ON DELETE CASCADE,
    kind         text NOT NULL,
    began_at     timestamptz NOT NULL,           -- first hour below
    opened_at    timestamptz NOT NULL,           -- when persistence was reached
    closed_at    timestamptz,
    close_reason text,
    min_c        real NOT NULL,
    policy_code  text NOT NULL,
    policy_from  date NOT NULL
);
CREATE UNIQUE INDEX episode_one_open ON episode (place_id, kind) WHERE closed_at IS NULL;
CREATE INDEX episode_place ON episode (place_id, opened_at DESC);

-- Whoever is cold without a ticket is shown with the reason.
CREATE TABLE hold (
    place_id int PRIMARY KEY REFERENCES unit ON DELETE CASCADE,
    reason   text NOT NULL,
    since    timestamptz NOT NULL
);

-- ── incidents and tickets ───────────────────────────────────────────────────────────────
CREATE TABLE incident (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('supply', 'sensor')),
    cause      text NOT NULL,
    place_id   int NOT NULL REFERENCES place,
    device_id  int REFERENCES device,
    opened_at  timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    closed_at  timestamptz,
    confidence real NOT NULL,
    evidence   jsonb NOT NULL,
    ranked     jsonb NOT NULL
);
CREATE UNIQUE INDEX incident_one_open ON incident (place_id, kind, coalesce(device_id, 0))
    WHERE closed_at IS NULL;

CREATE TABLE incident_member (
    incident_id bigint NOT NULL REFERENCES incident ON DELETE CASCADE,
    place_id    int NOT NULL REFERENCES unit ON DELETE CASCADE,
    joined_at   timestamptz NOT NULL,
    cold_since  timestamptz,                     -- NULL: affected, not (yet) below standard
    warm_since  timestamptz,
    PRIMARY KEY (incident_id, place_id)
);
CREATE INDEX incident_member_place ON incident_member (place_id);

CREATE SEQUENCE ticket_number;
CREATE TABLE ticket (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number      text NOT NULL UNIQUE,
    incident_id bigint NOT NULL UNIQUE REFERENCES incident,
    opened_at   timestamptz NOT NULL,
    -- projection of the events, written with them; the events are the truth
    state       text NOT NULL,
    version     int NOT NULL,
    updated_at  timestamptz NOT NULL,
    respond_by  timestamptz NOT NULL,
    resolve_by  timestamptz NOT NULL,
    assignee    text,
    recovered_at timestamptz,
    merged_into bigint REFERENCES ticket
);
CREATE INDEX ticket_queue ON ticket (state, opened_at DESC, id DESC);

CREATE TABLE ticket_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id   bigint NOT NULL REFERENCES ticket,
    seq         int NOT NULL,
    kind        text NOT NULL,
    at          timestamptz NOT NULL,            -- event time
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor       text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    note        text NOT NULL DEFAULT '',
    body        jsonb NOT NULL DEFAULT '{}',
    UNIQUE (ticket_id, seq)
);

CREATE TABLE outbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    type       text NOT NULL,
    subject    text NOT NULL,
    body       jsonb NOT NULL,
    sent_at    timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

CREATE TABLE audit (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    actor  text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    body   jsonb NOT NULL DEFAULT '{}'
);

-- Evidence is append only: not even the owner edits it by accident.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ticket_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ticket_event
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- ── the desk's people ───────────────────────────────────────────────────────────────────
CREATE TABLE account (
    id            int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login         text NOT NULL UNIQUE,
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('operator', 'agent', 'crew', 'engineer', 'admin')),
    password_hash text NOT NULL,
    locale        text NOT NULL DEFAULT 'zh_CN',
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE session (
    token_hash bytea PRIMARY KEY,                -- SHA-256 of the cookie
    account_id int NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE TABLE api_key (
    key_hash   bytea PRIMARY KEY,                -- SHA-256 of the key
    name       text NOT NULL UNIQUE,
    role       text NOT NULL CHECK (role IN ('operator', 'agent', 'crew', 'engineer', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled   boolean NOT NULL DEFAULT false
);
CREATE TABLE idempotency (
    key        text NOT NULL,
    actor      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    request    bytea NOT NULL,                   -- SHA-256 of method, path and body
    status     int NOT NULL,
    response   jsonb NOT NULL,
    PRIMARY KEY (actor, key)
);

-- How far each part has come, in event time.
CREATE TABLE watermark (
    name text PRIMARY KEY,
    at   timestamptz NOT NULL
);
