-- Districts whose analysis failed: the city goes on without them, and people are told. They are
-- tried again in every block.
CREATE TABLE analysis_aside (
    district    text PRIMARY KEY REFERENCES place (code) ON UPDATE CASCADE ON DELETE CASCADE,
    since       timestamptz NOT NULL DEFAULT now(),  -- of the first failure
    tried_until timestamptz NOT NULL,  -- event time: the end of the block that failed last
    attempts    int NOT NULL DEFAULT 1,
    reason      text NOT NULL
);
