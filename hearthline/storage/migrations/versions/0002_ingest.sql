-- Any device: profiles, what strangers say, signs of life, learnt intervals, conflicting values.

-- ── devices ─────────────────────────────────────────────────────────────────────────────
ALTER TABLE device ADD COLUMN profile text;      -- how its messages are read; NULL: its format's way
ALTER TABLE device ADD COLUMN label text NOT NULL DEFAULT '';   -- as people call it

-- Last value and what travels with it. The skew is that of the device's clock, as far as messages
-- show it: the greatest (measured - arrived) of late, since delays only make it smaller.
ALTER TABLE latest ADD COLUMN seq bigint;
ALTER TABLE latest ADD COLUMN skew_s real;
ALTER TABLE latest ADD COLUMN battery_pct real;
ALTER TABLE latest ADD COLUMN quality smallint NOT NULL DEFAULT 0;
ALTER TABLE latest ADD COLUMN said bigint;       -- hash of what it is about: another means changed
-- Whether one reading replaces another as the latest: the newer one, and a usable one any other.
CREATE FUNCTION reading_supersedes(
    measured timestamptz, quality smallint, than timestamptz, than_quality smallint, unusable int
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN (quality & unusable = 0) = (than_quality & unusable = 0) THEN measured > than
                ELSE quality & unusable = 0 END
$$;

-- What devices and gateways say of themselves beside readings.
CREATE TABLE device_sign (
    device_id    int PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    seen_at      timestamptz NOT NULL,           -- arrival of the last message of any kind
    online       boolean,                        -- as a birth, a will or an availability message says
    online_at    timestamptz,
    gateway      text,                           -- that carried its last message
    battery_pct  real,                           -- where said without a temperature
    humidity_pct real
);
CREATE INDEX device_sign_gateway ON device_sign (gateway);

-- How often a device speaks, learnt from what it said.
CREATE TABLE device_habit (
    device_id       int PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    interval_s      int NOT NULL CHECK (interval_s > 0),
    offline_after_s int NOT NULL CHECK (offline_after_s > 0),  -- silence that means something
    samples         int NOT NULL,
    learnt_at       timestamptz NOT NULL
);

-- Two values for one (device, time): the first stays in its hypertable, the others stand here.
CREATE TABLE reading_conflict (
    device_id int NOT NULL REFERENCES device ON DELETE CASCADE,
    time      timestamptz NOT NULL,
    kept      jsonb NOT NULL,                    -- quantities of the row that stayed
    came      jsonb NOT NULL,                    -- those of the last reading that did not
    count     int NOT NULL DEFAULT 1,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (device_id, time)
);
CREATE INDEX reading_conflict_last ON reading_conflict (last_at DESC);

-- ── strangers: devices that no ledger has ───────────────────────────────────────────────────
CREATE TABLE stranger (
    uid       text PRIMARY KEY,
    format    text NOT NULL,
    kind      text,                              -- a guess, as all that follows
    role      text,
    guess     jsonb NOT NULL DEFAULT '{}',       -- why: sentences, sample quantities
    topic     text NOT NULL,                     -- of its last message
    label     text NOT NULL DEFAULT '',
    gateway   text,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    messages  bigint NOT NULL,                   -- how many it sent …
    dropped   bigint NOT NULL DEFAULT 0,         -- … and how many of them were too many to keep
    dismissed_at timestamptz                     -- an engineer does not want it
) WITH (fillfactor = 50);                        -- rewritten in place all the time
CREATE TABLE quarantine (                        -- whole messages, as they came
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic       text NOT NULL,
    payload     bytea NOT NULL,
    received_at timestamptz NOT NULL,
    retained    boolean NOT NULL DEFAULT false
);
CREATE TABLE quarantine_device (                 -- no foreign keys: they would double its price
    uid           text NOT NULL,
    quarantine_id bigint NOT NULL,
    PRIMARY KEY (uid, quarantine_id)
);
CREATE INDEX quarantine_device_message ON quarantine_device (quarantine_id);

-- What messages teach for reading others (Sparkplug's aliases), shared by every ingest process.
CREATE TABLE format_memory (
    key       text PRIMARY KEY,
    body      jsonb NOT NULL,
    learnt_at timestamptz NOT NULL
);

-- ── dead letters can be decoded again ───────────────────────────────────────────────────────
ALTER TABLE dead_letter ADD COLUMN message bytea;        -- the whole payload where `payload` is a part
ALTER TABLE dead_letter ADD COLUMN whole boolean NOT NULL DEFAULT true;  -- false: cut, cannot be replayed
ALTER TABLE dead_letter ADD COLUMN retained boolean NOT NULL DEFAULT false;
