"""What Prometheus is told."""

import socket
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

from hearthline.domain.readings import Rejection, RejectReason
from hearthline.storage.deliveries import Tally
from ingest.batcher import Closed
from ingest.intake import Heard, Message
from ingest.metrics import Metrics
from ingest.writing import Batch, Outcome

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"hearthline_ingest_{name}", labels)


def test_a_batch_is_counted_by_what_became_of_it() -> None:
    metrics = Metrics()
    letter = Rejection("t", b"", RejectReason.MALFORMED, "why")
    batch = Batch([Heard(Message("t", b"", NOW - timedelta(seconds=2)), rejections=[letter] * 3)])
    outcome = Outcome(Tally(stored=5, duplicates=2, refused=3), [letter] * 3, redelivered=1)
    metrics.wrote(batch, outcome, Closed.QUIET, NOW)
    assert value(metrics, "readings_written_total") == 5
    assert value(metrics, "readings_duplicate_total") == 2
    assert value(metrics, "messages_redelivered_total") == 1
    assert value(metrics, "rejected_total", reason="malformed") == 3
    assert value(metrics, "batches_total", closed="quiet") == 1
    assert value(metrics, "lag_seconds") == 2.0


def test_every_reason_is_there_from_the_start() -> None:
    metrics = Metrics()
    assert all(value(metrics, "rejected_total", reason=reason) == 0 for reason in RejectReason)


def test_it_is_served_over_http_until_stopped() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    stop = Metrics().serve(port)
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"hearthline_ingest_messages_received_total 0.0" in answer.read()
    finally:
        stop()
