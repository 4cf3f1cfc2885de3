"""What Prometheus is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hearthline.domain.readings import Quality, RejectReason
from ingest.batcher import Closed
from ingest.metrics import Metrics, Spread, Written

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
BATCH = Written(
    rows=5,
    messages=6,
    readings=8,
    oldest_received_at=NOW - timedelta(seconds=2),
    duplicates=2,
    conflicts=1,
    quarantined=1,
    redelivered=1,
    refused={"malformed": 3},
    decoded={"own": 7, "tasmota": 1},
    flagged={"HISTORY": 4},
    skews=[0.5, -0.5, 30.0],
)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"hearthline_ingest_{name}", labels)


def test_a_batch_is_counted_by_what_became_of_it() -> None:
    metrics = Metrics()
    metrics.wrote(BATCH, Closed.QUIET, NOW)
    metrics.wrote(BATCH, Closed.QUIET, NOW)
    assert value(metrics, "readings_written_total") == 10
    assert value(metrics, "readings_duplicate_total") == 4
    assert value(metrics, "readings_conflicting_total") == 2
    assert value(metrics, "messages_committed_total") == 12
    assert value(metrics, "messages_quarantined_total") == 2
    assert value(metrics, "messages_redelivered_total") == 2
    assert value(metrics, "rejected_total", reason="malformed") == 6
    assert value(metrics, "readings_decoded_total", format="own") == 14
    assert value(metrics, "readings_decoded_total", format="tasmota") == 2
    assert value(metrics, "readings_flagged_total", flag="history") == 8
    assert value(metrics, "batches_total", closed="quiet") == 2
    assert value(metrics, "batch_rows_sum") == 22
    assert value(metrics, "lag_seconds") == 2.0


def test_every_reason_flag_and_closing_is_there_from_the_start() -> None:
    """So that a rate has something to start from."""
    metrics = Metrics()
    assert all(value(metrics, "rejected_total", reason=reason) == 0 for reason in RejectReason)
    assert all(
        value(metrics, "readings_flagged_total", flag=(flag.name or "").lower()) == 0
        for flag in Quality
    )
    assert all(value(metrics, "batches_total", closed=closed) == 0 for closed in Closed)


def test_the_queue_is_asked_when_somebody_looks() -> None:
    """It costs nothing until then."""
    metrics, waiting = Metrics(), [1, 2, 3]
    metrics.watch_queue(lambda: len(waiting))
    assert value(metrics, "messages_queued") == 3
    waiting.clear()
    assert value(metrics, "messages_queued") == 0


def test_skews_fall_into_buckets_that_add_up() -> None:
    """Each holds all that is not greater, as Prometheus wants it."""
    metrics = Metrics()
    metrics.wrote(BATCH, Closed.FULL, NOW)
    assert value(metrics, "skew_seconds_bucket", le="0.0") == 1
    assert value(metrics, "skew_seconds_bucket", le="1.0") == 2
    assert value(metrics, "skew_seconds_bucket", le="60.0") == 3
    assert value(metrics, "skew_seconds_bucket", le="+Inf") == 3


def test_a_value_on_a_bound_belongs_to_the_bucket_below() -> None:
    """`le` means less or equal."""
    spread = Spread("s", "text", [1.0, 2.0])
    spread.observe_all([1.0, 2.0, 2.5])
    (family,) = spread.collect()
    assert [(one.labels.get("le"), one.value) for one in family.samples][:3] == [
        ("1.0", 1),
        ("2.0", 2),
        ("+Inf", 3),
    ]


def test_prometheus_can_read_it() -> None:
    """Every family has a help text and belongs to us."""
    metrics = Metrics()
    metrics.wrote(BATCH, Closed.AGE, NOW)
    families = [*text_string_to_metric_families(generate_latest(metrics.registry).decode())]
    assert len(families) > 20
    assert all(one.name.startswith("hearthline_ingest_") and one.documentation for one in families)
