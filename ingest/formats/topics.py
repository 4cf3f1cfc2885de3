"""MQTT topic filters: which covers which, and the fewest that cover all (MQTT 5, section 4.7).

Filters that overlap may bring a message twice, so one that another covers is left out. Two that
overlap without covering each other are both kept: nothing may be lost, and a reading that comes
twice is stored once. A wildcard in the first level does not match topics that begin with ``$``
(``$sys/…``, ``$oc/…``); shared subscriptions put ``$share/{group}/`` in front, which changes
nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable


def covers(one: str, other: str) -> bool:
    """Whether every topic that ``other`` matches is matched by ``one``."""
    wide, narrow = one.split("/"), other.split("/")
    if narrow[0].startswith("$") and wide[0] in {"+", "#"}:
        return False
    for number, level in enumerate(wide):
        if level == "#":
            return True
        if number == len(narrow) or narrow[number] == "#":
            return False
        if level not in {"+", narrow[number]}:
            return False
    return len(wide) == len(narrow)


def union(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters in their order, without those that another one covers."""
    every = list(dict.fromkeys(filters))
    return tuple(
        one for one in every if not any(other != one and covers(other, one) for other in every)
    )
