"""What can be wrong with a weather specification, and where its file lies."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import msgspec

from simulators.scenario import WeatherSpec
from simulators.weather.presets import PRESETS
from simulators.weather.recorded import FileError, read
from simulators.weather.snaps import MOST_PER_MONTH

Problems = list[tuple[tuple[str | int, ...], str]]

_NOT_WITH_A_FILE = (
    "daily_swing_k",
    "variation_k",
    "wind_ms",
    "cloud",
    "cold_snaps_per_month",
    "cold_snap_k",
)


def resolve(spec: WeatherSpec, folder: Path) -> WeatherSpec:
    """The specification with an absolute path to its file; ``folder`` is the scenario file's."""
    if spec.file is None:
        return spec
    path = Path(spec.file).expanduser()
    return msgspec.structs.replace(spec, file=str((folder / path).resolve()))


def problems(spec: WeatherSpec, history: timedelta = timedelta(0)) -> Problems:
    """Everything wrong with a specification: the path below ``weather`` and a sentence each.

    ``history`` is how much of a file must follow the anchor.
    """
    found: Problems = [*_choice(spec), *_levels(spec)]
    if spec.preset is not None and spec.preset not in PRESETS:
        known = ", ".join(PRESETS)
        found.append((("preset",), f"there is no climate {spec.preset!r}; known: {known}"))
    often = spec.cold_snaps_per_month
    if often is not None and often > MOST_PER_MONTH:
        says = f"cannot exceed {MOST_PER_MONTH:.1f} (one every five days), got {often:g}"
        found.append((("cold_snaps_per_month",), says))
    if spec.file is not None:
        found.extend((("file",), says) for says in _file(spec, history))
        for key in _NOT_WITH_A_FILE:
            if getattr(spec, key) is not None:
                found.append(((key,), "has no meaning beside file: its weather is used as it is"))
    return found


def _choice(spec: WeatherSpec) -> Problems:
    said = {"level": bool(spec.level), "preset": spec.preset is not None}
    said["file"] = spec.file is not None
    named = [name for name, given in said.items() if given]
    if not named:
        return [((), "needs one of level, preset or file")]
    if len(named) > 1:
        return [((), f"says {' and '.join(named)}; only one of them can be")]
    return []


def _levels(spec: WeatherSpec) -> Problems:
    pairs = enumerate(pairwise(when for when, _ in spec.level), start=1)
    return [
        (("level", at), f"needs points in ascending time, but {later} follows {earlier}")
        for at, (earlier, later) in pairs
        if later <= earlier
    ]


def _file(spec: WeatherSpec, history: timedelta) -> list[str]:
    try:
        record = read(Path(spec.file or ""), 45.0, 0.0)
        short = record.short_of(spec.day_of_year, history)
    except FileError as error:
        return list(error.sentences)
    return [] if short is None else [short]
