"""What the worker tells Prometheus: asked of the database at the moment somebody looks.

The worker's chores compute what is due from the data, so the data also say how far they are; the
worker itself keeps no counters. Where the database is away there is nothing to tell but that.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hearthline.storage import analysis, pulse
from hearthline.storage.database import Away, NoSchema, Row, connect

_QUEUES = {
    "hours_waiting": ("rollup_queue", "Device hours that wait for their rollup"),
    "days_waiting": ("verdict_queue", "Dwelling days that wait for their verdict"),
    "strangers": ("strangers", "Unknown devices that wait for an engineer"),
    "dead_letters_of_a_day": ("dead_letters", "Different messages refused in the last 24 hours"),
}


class WorkerVitals(Collector):
    """How far the worker is."""

    def __init__(self, url: str) -> None:
        self.url = url

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One gauge for each queue, the watermark, and whether the database answers."""
        try:
            with connect(self.url, timeout_s=3) as connection:
                queues = pulse.queues(connection)
                reached = analysis.progress(connection, "analysis")
                aside = analysis.aside(connection)
        except (*Away, NoSchema):
            yield _gauge("database_up", "1 while the database answers", 0)
            return
        yield _gauge("database_up", "1 while the database answers", 1)
        yield from _of_queues(queues)
        yield _gauge("districts_aside", "Districts whose analysis failed last", len(aside))
        if reached is not None:
            text = "Unix time up to which readings are analysed"
            yield _gauge("analysed_until_seconds", text, reached.timestamp())


def _of_queues(queues: Row) -> Iterable[GaugeMetricFamily]:
    for column, (name, text) in _QUEUES.items():
        yield _gauge(name, text, queues[column])


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hearthline_worker_{name}", text, value=value)


def registry(url: str) -> CollectorRegistry:
    """The worker's registry."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(WorkerVitals(url))
    return registry
