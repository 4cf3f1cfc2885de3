-- Estimates of dwellings without a sensor, forecasts, best places for sensors.
-- Only the newest outlook is kept; a daily sample of it stays, to be compared with what came.

-- What the weather service said; the newest issue that was known counts.
CREATE TABLE weather_forecast (
    issued_at timestamptz NOT NULL,
    time      timestamptz NOT NULL,              -- middle of the hour it is for, or any instant
    outdoor_c real NOT NULL CHECK (outdoor_c BETWEEN -70 AND 60),
    wind_ms   real CHECK (wind_ms BETWEEN 0 AND 100),
    solar_wm2 real CHECK (solar_wm2 BETWEEN 0 AND 1500),
    PRIMARY KEY (issued_at, time)
);

CREATE TABLE outlook (                           -- one row: the newest
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    at            timestamptz NOT NULL,          -- the end of the last measured hour
    computed_at   timestamptz NOT NULL,
    limit_c       real NOT NULL,                 -- the standard
    upper_c       real NOT NULL,                 -- above it a dwelling is overheated
    units         int NOT NULL,
    measured      int NOT NULL,                  -- dwellings with a believed reading that day
    issued_at     timestamptz,                   -- of the weather forecast used; NULL: none
    forecast_h    smallint NOT NULL,             -- how many of the hours ahead it covers
    outdoor_c     real[] NOT NULL,               -- of the hours ahead
    widened       real[] NOT NULL,               -- by lead: intervals over the model's own
    spread_k2     real[] NOT NULL                -- station, building, entrance, neighbours, own
);
CREATE TABLE outlook_unit (
    place_id    int PRIMARY KEY REFERENCES unit ON DELETE CASCADE,
    measured    boolean NOT NULL,                -- has its own sensor in it
    owed        boolean NOT NULL,                -- its heating is on
    now_c       real NOT NULL,                   -- mean of the last hour, measured or estimated
    now_half_k  real NOT NULL,                   -- half of its 90 % interval
    day_c       real NOT NULL,                   -- of the last 24 hours
    day_half_k  real NOT NULL,
    cold        real NOT NULL,                   -- chance that the day's mean is below the standard
    chance_24h  real NOT NULL,                   -- chance to be below the standard within 24 h
    chance_48h  real NOT NULL,
    breach_h    smallint NOT NULL,               -- hours until that is as likely as not; 0: never
    tau_h       real NOT NULL,
    waste_kwh   real NOT NULL,                   -- of the last 24 hours
    waste_share real NOT NULL,
    ahead       bytea NOT NULL                   -- int16, big-endian, 0.01 °C: 48 means, 48 halves
);
CREATE INDEX outlook_unit_chance ON outlook_unit (chance_24h DESC, place_id);
CREATE INDEX outlook_unit_waste ON outlook_unit (waste_kwh DESC, place_id);
CREATE TABLE outlook_place (                     -- buildings and substations
    place_id    int PRIMARY KEY REFERENCES place ON DELETE CASCADE,
    units       int NOT NULL,
    measured    int NOT NULL,
    day_c       real NOT NULL,
    cold_now    real NOT NULL,                   -- expected number of dwellings below the standard
    cold_24h    real NOT NULL,                   -- the same within 24 h
    waste_kwh   real NOT NULL,
    waste_share real NOT NULL,
    tau_h       real,                            -- of buildings
    ahead       bytea                            -- of buildings, as above
);
CREATE TABLE outlook_sensor (                    -- the next best places for sensors
    aim      text NOT NULL CHECK (aim IN ('cold', 'uncertainty')),
    rank     smallint NOT NULL CHECK (rank > 0),
    place_id int NOT NULL REFERENCES unit ON DELETE CASCADE,
    share    real NOT NULL,                      -- of all the uncertainty that counts
    before_k real NOT NULL,                      -- mean half interval in its building …
    after_k  real NOT NULL,                      -- … and once the sensor hangs
    told     int NOT NULL,                       -- dwellings known noticeably better
    doubt    real NOT NULL,                      -- its chance to be below the standard
    at       timestamptz NOT NULL,
    PRIMARY KEY (aim, rank)
);
CREATE TABLE outlook_sample (                    -- what was foretold of measured dwellings
    place_id int NOT NULL REFERENCES unit ON DELETE CASCADE,
    lead_h   smallint NOT NULL,
    due_at   timestamptz NOT NULL,               -- the start of the hour meant
    mean_c   real NOT NULL,
    half_k   real NOT NULL,
    before_c real NOT NULL,                      -- mean of the day before the forecast
    PRIMARY KEY (due_at, place_id, lead_h)
);
