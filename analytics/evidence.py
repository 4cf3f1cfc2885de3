"""Evidence and counter-evidence of a finding: codes with their numbers, read off a snapshot."""

from __future__ import annotations

from collections.abc import Collection
from statistics import fmean

from analytics.snapshot import Snapshot
from hearthline.domain.findings import Evidence, EvidenceCode
from hearthline.domain.places import PlaceKind

PEERS = 3  # fewer measured dwellings make no peer group


def warm_peers(snapshot: Snapshot, unit: str) -> list[Evidence]:
    """What the heated dwellings of the same riser average, if any are measured."""
    peers = heated_peers(snapshot, unit)
    values = {"mean_c": round(fmean(peers), 1)} if peers else {}
    return [Evidence(EvidenceCode.NEIGHBOURS_WARM, values)] if peers else []


def heated_peers(snapshot: Snapshot, unit: str) -> list[float]:
    """Levels of the other heated dwellings of the same riser, else of the same entrance."""
    for kind in (PlaceKind.RISER, PlaceKind.ENTRANCE):
        above = snapshot.network.ancestor(unit, kind)
        if above is None:
            continue
        peers = [snapshot.level_c[c] for c in snapshot.measured(above) if c != unit]
        if len(peers) >= PEERS:
            return peers
    return []


def share(snapshot: Snapshot, place: str) -> Evidence:
    """How many of the measured dwellings of a place are cold."""
    return Evidence(
        EvidenceCode.COLD_SHARE,
        {
            "cold": len(snapshot.cold_below(place)),
            "sensed": len(snapshot.measured(place)),
            "threshold_c": snapshot.threshold_c,
        },
    )


def not_cold(snapshot: Snapshot, place: str) -> list[Evidence]:
    """Counter-evidence: measured dwellings below a place that are not cold."""
    sensed, cold = len(snapshot.measured(place)), len(snapshot.cold_below(place))
    if sensed == cold:
        return []
    values = {"warm": sensed - cold, "sensed": sensed}
    return [Evidence(EvidenceCode.MEMBERS_NOT_COLD, values, against=True)]


def siblings(snapshot: Snapshot, place: str) -> list[Evidence]:
    """What the rest of the parent does: warm siblings support, cold ones contradict."""
    parts = snapshot.network.nodes[place].path.rstrip("/").split("/")
    if len(parts) < 2:
        return []
    parent = parts[-2]
    mine = set(snapshot.measured(place))
    others = [code for code in snapshot.measured(parent) if code not in mine]
    if not others:
        return []
    cold = sum(code in snapshot.cold for code in others)
    values = {"cold": cold, "sensed": len(others), "parent": label(snapshot, parent)}
    return [Evidence(EvidenceCode.SIBLINGS_WARM, values, against=cold > 0.3 * len(others))]


def meter_word(snapshot: Snapshot, place: str) -> Evidence:
    """What the nearest branch meter says of a place that no sign explains: nothing unusual."""
    for code in reversed(snapshot.network.nodes[place].path.rstrip("/").split("/")):
        if code in snapshot.flow_m3h:
            values = {"place": label(snapshot, code), "flow_m3h": snapshot.flow_m3h[code]}
            return Evidence(EvidenceCode.FLOW_NORMAL, values, against=True)
    return Evidence(EvidenceCode.NO_METER, against=True)


def deepest(snapshot: Snapshot, cold: Collection[str]) -> Evidence:
    """The coldest dwelling of those that are measured, and how cold it got."""
    measured = [code for code in cold if code in snapshot.cold]
    coldest = min(measured, key=lambda code: (snapshot.cold[code].min_c, code))
    values = {
        "place": label(snapshot, coldest),
        "min_c": round(snapshot.cold[coldest].min_c, 1),
    }
    return Evidence(EvidenceCode.DEEP_BELOW, values)


def below_for(snapshot: Snapshot, unit: str) -> Evidence:
    """Since when a dwelling has been below the standard."""
    hours = (snapshot.at - snapshot.cold[unit].since).total_seconds() / 3600
    values = {
        "place": label(snapshot, unit),
        "threshold_c": snapshot.threshold_c,
        "hours": round(hours),
    }
    return Evidence(EvidenceCode.BELOW_FOR, values)


def labels(snapshot: Snapshot, places: Collection[str]) -> dict[str, str]:
    """Several places' names in both languages, one after another."""
    named = [label(snapshot, place) for place in places]
    return {
        "en": "; ".join(name["en"] for name in named),
        "zh": "、".join(name["zh"] for name in named),
    }


def label(snapshot: Snapshot, place: str) -> dict[str, str]:
    """A place's name in both languages."""
    return snapshot.network.label(place)


def shape(name: str) -> Evidence:
    """That a shift is worst at the top of the risers, or at the ground."""
    return Evidence(EvidenceCode.WORST_ON_TOP if name == "top" else EvidenceCode.WORST_AT_GROUND)
