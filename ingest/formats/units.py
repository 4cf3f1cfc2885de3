"""Units of the field and what they are in ours: one table for each ending of a quantity's name.

A unit may carry a number in front of it, the step in which a device counts: ``0.1 °C``,
``10 kWh``. Mass flows (t/h) are no volume flows and are left out: their ratio is the water's
density.

Source: SI brochure, 9th edition; RFC 8428 and RFC 8798 for the names that SenML uses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Conversion = tuple[float, float]
"""``ours = said * first + second``."""

_PLAIN = 1.0, 0.0

UNITS: Mapping[str, Mapping[str, Conversion]] = {
    "c": {
        **dict.fromkeys(("°C", "℃", "C", "Cel", "degC", "celsius"), _PLAIN),
        **dict.fromkeys(("°F", "℉", "F", "degF", "fahrenheit"), (5.0 / 9.0, -160.0 / 9.0)),
        "K": (1.0, -273.15),
    },
    "pct": {
        **dict.fromkeys(("%", "%RH", "%rh", "%EL", "%r.H.", "percent"), _PLAIN),
        **dict.fromkeys(("1", "/"), (100.0, 0.0)),
        "‰": (0.1, 0.0),
    },
    "m3h": {
        **dict.fromkeys(("m³/h", "m3/h"), _PLAIN),
        **dict.fromkeys(("l/h", "L/h"), (1e-3, 0.0)),
        **dict.fromkeys(("l/min", "L/min"), (0.06, 0.0)),
        **dict.fromkeys(("l/s", "L/s"), (3.6, 0.0)),
        **dict.fromkeys(("m³/s", "m3/s"), (3600.0, 0.0)),
        **dict.fromkeys(("m³/min", "m3/min"), (60.0, 0.0)),
    },
    "kw": {
        "kW": _PLAIN,
        "W": (1e-3, 0.0),
        "MW": (1e3, 0.0),
        "GJ/h": (1e3 / 3.6, 0.0),
        "MJ/h": (1.0 / 3.6, 0.0),
        "kJ/h": (1e-3 / 3.6, 0.0),
        "kcal/h": (1.163e-3, 0.0),
        "Gcal/h": (1163.0, 0.0),
    },
    "kwh": {
        "kWh": _PLAIN,
        "Wh": (1e-3, 0.0),
        "MWh": (1e3, 0.0),
        "GWh": (1e6, 0.0),
        "J": (1e-6 / 3.6, 0.0),
        "kJ": (1e-3 / 3.6, 0.0),
        "MJ": (1.0 / 3.6, 0.0),
        "GJ": (1e3 / 3.6, 0.0),
        "kcal": (1.163e-3, 0.0),
        "Mcal": (1.163, 0.0),
        "Gcal": (1163.0, 0.0),
    },
    "m3": {
        **dict.fromkeys(("m³", "m3"), _PLAIN),
        **dict.fromkeys(("l", "L"), (1e-3, 0.0)),
        **dict.fromkeys(("hl", "hL"), (0.1, 0.0)),
        "ml": (1e-6, 0.0),
    },
    "kpa": {
        "kPa": _PLAIN,
        "Pa": (1e-3, 0.0),
        **dict.fromkeys(("hPa", "mbar"), (0.1, 0.0)),
        "bar": (100.0, 0.0),
        "MPa": (1e3, 0.0),
        "mH2O": (9.80665, 0.0),
        "psi": (6.894757, 0.0),
    },
    "hz": {"Hz": _PLAIN, "1/s": _PLAIN},
    "ms": {"m/s": _PLAIN, "km/h": (1.0 / 3.6, 0.0), "kn": (1852.0 / 3600.0, 0.0)},
    "wm2": {**dict.fromkeys(("W/m²", "W/m2"), _PLAIN), "kW/m²": (1e3, 0.0)},
}
"""By the ending of the quantity's name: the units known for it."""

_STEPPED = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([^0-9\s.].*?)\s*")


def ending(quantity: str) -> str:
    """The ending that names the unit, e.g. ``c`` of ``supply_c``."""
    return quantity.rpartition("_")[2]


def known(quantity: str) -> tuple[str, ...]:
    """The units known for a quantity."""
    return tuple(UNITS.get(ending(quantity), ()))


@lru_cache(maxsize=2048)
def conversion(quantity: str, unit: str) -> Conversion | None:
    """How a number in a unit becomes the quantity's own; None where the unit does not fit it."""
    table = UNITS.get(ending(quantity), {})
    found = table.get(unit.strip())
    if found is not None:
        return found
    stepped = _STEPPED.fullmatch(unit)
    if stepped is None or (found := table.get(stepped[2])) is None:
        return None
    return float(stepped[1]) * found[0], found[1]
