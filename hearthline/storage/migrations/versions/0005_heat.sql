-- Heat balance: signatures, imbalance, the monthly report, balance advice.

-- Hours of which heat, rooms or weather changed, noted by triggers whoever writes them. No key:
-- a row more than needed costs little, and writer and reader never wait for each other.
CREATE TABLE dirty_heat_day (hour timestamptz NOT NULL);
CREATE INDEX dirty_heat_day_hour ON dirty_heat_day (hour);
CREATE FUNCTION note_dirty_heat_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dirty_heat_day SELECT DISTINCT hour FROM changed;
    RETURN NULL;
END $$;
DO $$
DECLARE source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['heat_hour', 'room_hour', 'weather_hour'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_inserted_day AFTER INSERT ON %1$s REFERENCING NEW TABLE '
                       'AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_dirty_heat_day()', source);
        EXECUTE format('CREATE TRIGGER %1$s_updated_day AFTER UPDATE ON %1$s REFERENCING NEW TABLE '
                       'AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_dirty_heat_day()', source);
        EXECUTE format('CREATE TRIGGER %1$s_deleted_day AFTER DELETE ON %1$s REFERENCING OLD TABLE '
                       'AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_dirty_heat_day()', source);
    END LOOP;
END $$;
INSERT INTO dirty_heat_day SELECT DISTINCT hour FROM heat_hour;

-- What meters, rooms and weather said of a substation, circuit or building on a local day. NULL is
-- "not known", never zero.
CREATE TABLE heat_day (
    place_id         int NOT NULL REFERENCES place ON DELETE CASCADE,
    day              date NOT NULL,
    started_at       timestamptz NOT NULL,
    stopped_at       timestamptz NOT NULL,
    area_m2          double precision NOT NULL,  -- of the dwellings that are heated that day
    outdoor_c        double precision,
    solar_wm2        double precision,
    emitter          text,                       -- radiators or floor, from the supply
    -- its meters
    heat_kwh         double precision,           -- where at least 95 % of the day is measured
    volume_m3        double precision,
    metered          double precision,           -- share of the day that its meters stand for, 0..1
    supply_c         double precision,           -- flow-weighted; of a substation the secondary side
    return_c         double precision,
    approach_k       double precision,           -- primary less secondary return
    balance_degree   double precision,           -- flow over design flow
    balanced_share   double precision,           -- area of its buildings within 0.9 to 1.2, 0..1
    return_spread_k  double precision,           -- area-weighted, of its buildings' returns
    -- its rooms
    rooms            int NOT NULL,               -- dwellings measured by a trusted sensor
    room_coverage    double precision NOT NULL,  -- their share of the heated dwellings, 0..1
    room_c           double precision,           -- area-weighted mean
    vertical_k       double precision,           -- spread of the floors (of a station: mean of its buildings')
    horizontal_k     double precision,           -- spread of its buildings' means
    overheated_share double precision,           -- of the measured area, 0..1
    waste_share      double precision,           -- of its heat that warms rooms beyond that, 0..1
    -- heat per area
    index_w_m2       double precision,
    normal_w_m2      double precision,           -- at standard rooms and design outdoor temperature
    normal_basis     text NOT NULL,              -- measured, assumed, or why there is none
    -- against its own past
    expected_kwh     double precision,           -- by its energy signature of the days before
    called           text NOT NULL DEFAULT '',   -- high, low: beyond what a signature can be wrong
    curve_gap_k      double precision,           -- supply less what it was at such weather before
    computed_at      timestamptz NOT NULL,
    PRIMARY KEY (place_id, day)
);
CREATE INDEX heat_day_day ON heat_day (day);

-- Robust fits over the days before a day: heat (kW) and supply (°C) against outdoor temperature,
-- base − per_k·T − per_wm2·G with T = (1 − yesterday)·T_today + yesterday·T_before.
CREATE TABLE heat_signature (
    place_id  int NOT NULL REFERENCES place ON DELETE CASCADE,
    of        text NOT NULL CHECK (of IN ('heat', 'supply')),
    day       date NOT NULL,
    base      double precision,
    per_k     double precision,
    per_wm2   double precision,
    yesterday double precision,
    scatter   double precision,                  -- robust standard deviation of a day: share, or K
    days      int NOT NULL,                      -- reference days
    reason    text NOT NULL DEFAULT '',          -- why there is no fit
    PRIMARY KEY (place_id, of, day)
);
CREATE INDEX heat_signature_day ON heat_signature (day);
