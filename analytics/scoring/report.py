"""One score: a winter analysed by the production core, ours beside the baseline, as one report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from time import perf_counter
from typing import Any

from analytics.memory import network_of
from analytics.offline import Analysed, Progress, analyse
from analytics.scoring import figures
from analytics.scoring.said import Said, alarm_days, ours
from analytics.scoring.winter import Winter
from hearthline.domain.network import Network
from hearthline.domain.policies import PROFILES, Profile


@dataclass(frozen=True)
class Score:
    """The report as ``score --json`` prints it, and what it was made of, for a closer look."""

    report: dict[str, Any]
    network: Network
    analysed: Analysed
    said: list[Said]
    judged: figures.Judged


def profile_of(winter: Winter) -> Profile:
    """The rule of the scenario's town: its standard, in its time zone, all day."""
    rule = PROFILES["standard-20"]
    versions = tuple(
        replace(one, threshold_c=winter.threshold_c, timezone=winter.timezone)
        for one in rule.versions
    )
    return replace(rule, versions=versions)


def score(winter: Winter, progress: Progress | None = None) -> Score:
    """Analyse a winter and compare what was said with what was true."""
    began = perf_counter()
    network = network_of(winter.ledger, winter.anchor)
    profile = profile_of(winter)
    until = winter.until.astimezone(UTC)
    analysed = analyse(
        network, profile, winter.rows, until, complaints=winter.complaints, progress=progress
    )
    took_s = perf_counter() - began
    said, truth = ours(analysed), winter.truth
    days = figures.our_days(analysed.days, profile)
    mine, judged = figures.figures(said, days, network, truth, winter.complaints)
    theirs, _ = figures.figures(
        winter.alarms,
        alarm_days(days, winter.alarms, analysed.start),
        network,
        truth,
        winter.complaints,
    )
    units = len(network.dwellings)
    report = {
        "scenario": winter.scenario,
        "seed": winter.seed,
        "coverage": winter.coverage,
        "units": units,
        "unit_days": round(units * (until - winter.anchor) / timedelta(days=1)),
        "complaints": len(winter.complaints),
        "faults": sum(fault.counts for fault in truth.faults),
        "ours": mine,
        "baseline": theirs,
        "confusion": figures.confusion(said, judged, network, truth),
        "standing": figures.standing(said, judged, truth),
        "analysed_s": round(took_s, 2),
    }
    return Score(report, network, analysed, said, judged)
