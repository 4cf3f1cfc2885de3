"""How far a room sensor can be believed: grades A, B, C with the reason.

A may open a ticket alone; B needs a neighbour or a call; C opens a *sensor* ticket instead. Missing
is never cold. ``judge`` runs the list of detectors in ``analytics.trust.judgement``, one module a
family of lies, over a window of hours; slow lies are judged from a running memory of each sensor,
one row a sensor and UTC day (``daily``). What is concluded becomes findings in
``analytics.trust.findings``; ``analytics.trust.certified`` applies on-site readings.

What no detector may do is take real cold for a lie. A closed valve cools a dwelling with a time
constant of 7 to 16 h, an air lock a whole riser, a shortage everybody: none of them moves one
sensor within twenty minutes and holds it there, and none makes it follow the sun, the water or the
outdoor air within the hour.
"""

from analytics.trust.judgement import DETECTORS, judge
from analytics.trust.memory import daily
from analytics.trust.model import (
    FIELDS,
    HOUR,
    NOTHING_AROUND,
    REASONS,
    Facts,
    Floats,
    Grade,
    SensorHours,
    Surroundings,
    Trust,
    TrustReason,
)

__all__ = [
    "DETECTORS",
    "FIELDS",
    "HOUR",
    "NOTHING_AROUND",
    "REASONS",
    "Facts",
    "Floats",
    "Grade",
    "SensorHours",
    "Surroundings",
    "Trust",
    "TrustReason",
    "daily",
    "judge",
]
