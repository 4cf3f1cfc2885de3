"""How a simulated town's publishing went: the books while it runs, and the summary at its end."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hearthline.cli.output import emit, err, out
from hearthline.errors import PartAway

if TYPE_CHECKING:
    from simulators import City, Message


@dataclass(slots=True)
class Way:
    """A run on its way, and its books."""

    city: City
    begin: datetime
    length: timedelta
    began_s: float = field(default_factory=time.monotonic)
    took_s: float = 0.0
    reached_s: float = 0.0
    stopped: bool = False
    per_hour: Counter[int] = field(default_factory=Counter)
    result: dict[str, Any] = field(default_factory=dict)

    def count(self, message: Message) -> None:
        """Note one message that was sent."""
        self.reached_s = message.due - self.begin.timestamp()
        self.per_hour[int(self.reached_s // 3600)] += 1

    def said(self, count: int) -> str:
        """Rate and event time, for the bar."""
        rate = count / max(time.monotonic() - self.began_s, 1e-3)
        at = (self.begin + timedelta(seconds=self.reached_s)).astimezone(self.begin.tzinfo)
        return f"{count:,} messages, {rate:,.0f}/s, {at:%m-%d %H:%M}"


def tell(way: Way, *, json: bool) -> None:
    """Print the summary, or plain values as JSON.

    Raises:
        PartAway: the broker did not take every message.
    """
    result = way.result
    end = way.begin + timedelta(seconds=way.reached_s)
    result |= {
        "scenario": way.city.scenario.name,
        "seed": way.city.seed,
        "dwellings": way.city.layout.units,
        "from": way.begin.astimezone(UTC).isoformat(),
        "hours": round(way.length / timedelta(hours=1), 3),
        "seconds": round(way.took_s, 3),
        "messages_per_s": round(result["messages"] / max(way.took_s, 1e-9), 1),
        "stopped": way.stopped,
    }
    if json:
        emit(result)
    else:
        _print_summary(way, end)
    lost = result.get("sent", 0) - result.get("acknowledged", 0)
    if lost and not way.stopped:
        raise PartAway(
            f"The broker did not take {lost:,} of {result['sent']:,} messages.",
            "Check that this user may publish to the town's topics.",
        )


def _print_summary(way: Way, end: datetime) -> None:
    result = way.result
    bad = ", ".join(f"{count:,} {kind}" for kind, count in result["bad"].items()) or "none"
    stopped = f", stopped at {end:%Y-%m-%d %H:%M}" if way.stopped else ""
    # Lines of JSON on standard output must stay lines of JSON.
    console = err if result.get("file") == "-" else out
    console.print(
        f"Published {result['readings']:,} readings in {result['messages']:,} messages: "
        f"{result['hours']:g} h from {way.begin:%Y-%m-%d %H:%M} in {way.took_s:,.1f} s "
        f"({result['messages_per_s']:,.0f} messages/s){stopped}."
    )
    console.print(
        f"Of these {result['duplicates']:,} duplicates; bad: {bad}. "
        f"Lost on the way {result['lost']:,}, still held by gateways {result['held']:,}."
    )
    if "broker" in result:
        console.print(
            f"{result['broker']} acknowledged {result['acknowledged']:,} messages and refused "
            f"{result['refused']:,}."
        )
    if "truth" in result:
        truth = result["truth"]
        console.print(
            f"Truth: {', '.join(truth['files'])} ({truth['hours']:,} hours, {truth['days']} days, "
            f"{truth['dwellings']:,} dwellings, {truth['faults']} faults; "
            f"{truth['cold_dwelling_days']:,} dwelling-days below the standard, "
            f"{truth['cold_by_fault_dwelling_days']:,} because of a fault)."
        )
    if "plot" in result:
        console.print(f"Picture: {result['plot']}.")
