"""Who gets in and what leaks out: a real broker with the shipped rules, real certificates."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hearthline.domain.places import Ledger
from hearthline.settings import Settings
from hearthline.storage.database import Away, Connection, connect
from ingest.broker import Broker, Trust
from ingest.formats import registry
from ingest.inspection import Findings, inspect
from simulators.post import Message
from simulators.transport import BrokerRefused, Publisher
from tests.broker_rules import MOSQUITTO, TOPICS, USERS, Case, cases
from tests.brokers import PASSWORD, TESTER, Authority, OwnBroker, own_broker
from tests.conftest import Site
from tests.integration.conftest import IngestProcess, wait_until
from tests.mqtt import Peer

Files = tuple[Path, Path]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnBroker]:
    """A broker with TLS, an account for every kind of user, and a CA."""
    with own_broker(tmp_path_factory.mktemp("broker"), USERS) as running:
        yield running


@pytest.fixture(scope="module")
def device(own: OwnBroker) -> Files:
    """The certificate of the device ``room-1``."""
    return own.authority.for_client("room-1")


@pytest.fixture(scope="module")
def service(own: OwnBroker) -> Files:
    """The certificate of the ingest service."""
    return own.authority.for_client("hearthline")


# ── the way in ──────────────────────────────────────────────────────────────────────────


def test_a_device_with_a_certificate_of_our_ca_comes_in_under_its_name(
    own: OwnBroker, device: Files
) -> None:
    """And no password is asked for."""
    with Peer(own.certified(device)) as peer:
        assert peer.refused is None
        assert peer.says("hearthline/v1/north/room-1/room")
        assert not peer.says("hearthline/v1/north/room-2/room")


def _none(_own: OwnBroker, _folder: Path) -> Files | None:
    return None


def _foreign(_own: OwnBroker, folder: Path) -> Files:
    return Authority(folder).for_client("room-1")


def _expired(own: OwnBroker, _folder: Path) -> Files:
    return own.authority.for_client("room-9", days=-1)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (_none, "wants a client certificate"),
        (_foreign, "does not know the CA of our client certificate"),
        (_expired, "our client certificate has expired"),
    ],
)
def test_without_a_valid_certificate_of_our_ca_nobody_comes_in(
    own: OwnBroker,
    tmp_path: Path,
    made: Callable[[OwnBroker, Path], Files | None],
    said: str,
) -> None:
    """And whoever is kept out is told why."""
    broker = own.certified(made(own, tmp_path))
    with Peer(broker) as peer:
        assert peer.refused is not None
    assert said in str(broker.trouble())


def test_a_broker_that_bears_another_name_is_not_believed(own: OwnBroker, device: Files) -> None:
    """Its certificate is for localhost; we asked for 127.0.0.1."""
    broker = own.certified(device, host="127.0.0.1")
    with Peer(broker) as peer:
        assert "IP address mismatch" in str(peer.refused)
    assert "for another address" in str(broker.trouble())


def test_a_broker_of_an_unknown_ca_is_not_believed(own: OwnBroker) -> None:
    """The system's CAs do not know ours."""
    broker = Broker.at(f"mqtts://room-1:x@localhost:{own.password_port}")
    assert "unknown CA" in str(broker.trouble())


def test_a_devices_certificate_cannot_pose_as_a_brokers(own: OwnBroker, device: Files) -> None:
    """The extended key usage keeps them apart, also the other way round."""
    brokers = own.authority.for_broker(["localhost"])
    with Peer(own.certified(brokers)) as peer:
        assert peer.refused is not None
    assert b"TLS Web Client Authentication" in _text(device[0])
    assert b"TLS Web Server Authentication" not in _text(device[0])


def test_the_port_for_passwords_takes_them_over_tls_only(own: OwnBroker) -> None:
    """A right one, a wrong one, and one without TLS."""
    with Peer(own.secured("room-1")) as peer:
        assert peer.refused is None
    with Peer(own.secured("room-1", "wrong")) as peer:
        assert peer.refused == "reason code 135"
    bare = Broker.at(f"mqtts://room-1:x@localhost:{own.plain_port}", Trust())
    assert "perhaps it speaks no TLS" in str(bare.trouble(timeout_s=1))


# ── the rules ───────────────────────────────────────────────────────────────────────────


def test_the_real_broker_answers_every_case_as_the_rules_read(own: OwnBroker) -> None:
    """Every kind of user, every format's topic, both ways: what the evaluator says is so."""
    real: dict[Case, bool] = {}
    for user in USERS:
        with Peer(own.plain(user)) as peer, Peer(own.plain(TESTER)) as tester:
            for topic in ("#", "$sys/#", "$oc/#", "$share/g/#"):
                peer.listens(topic)
            for topic in TOPICS:
                if not topic.startswith("$share/"):
                    tester.says(topic)
            heard = set(peer.has_heard())
            for case in (one for one in cases() if one[0] == user):
                publish = case[1] == "publish"
                real[case] = peer.says(case[2]) if publish else case[2] in heard
    differing = {case: took for case, took in real.items() if MOSQUITTO(*case) is not took}
    assert differing == {}
    assert len(real) > 800


def test_a_device_reads_nothing_retained_and_gets_no_share(own: OwnBroker) -> None:
    """Not even its own last words."""
    status = "hearthline/v1/north/room-1/status"
    with Peer(own.plain("room-1")) as peer, Peer(own.plain(TESTER)) as tester:
        assert peer.says(status, b"online", retain=True)
        assert tester.says("hearthline/v1/north/room-2/status", b"online", retain=True)
        for topic in ("#", "hearthline/#", status, "$share/hearthline/#", "$SYS/broker/version"):
            peer.listens(topic)
        tester.says("hearthline/v1/north/room-2/room")
        assert peer.has_heard() == []
        assert not peer.says("$share/hearthline/hearthline/v1/north/room-1/room")
        assert not peer.says("hearthline/v1/service/room-1/status")
        for retained in (status, "hearthline/v1/north/room-2/status"):
            tester.says(retained, b"", retain=True)


def test_who_publishes_where_it_may_not_stays_connected(own: OwnBroker) -> None:
    """Devices do so by habit; mosquitto would hang up with ``max_queued_messages 0``."""
    with Peer(own.plain("room-1")) as peer:
        assert [peer.says("stat/room-1/RESULT") for _ in range(3)] == [False] * 3
        assert peer.says("tele/room-1/SENSOR")


# ── our services ────────────────────────────────────────────────────────────────────────


def _process(settings: Settings, broker: Broker, log: Path, **more: str) -> IngestProcess:
    trust = broker.trust
    files = {"CA": trust.ca, "CERT": trust.cert, "KEY": trust.key}
    account = f"{broker.user}:{broker.password}@" if broker.user else ""
    url = f"{'mqtts' if broker.tls else 'mqtt'}://{account}{broker.host}:{broker.port}"
    environment = {f"HEARTHLINE_MQTT_{name}": str(path) for name, path in files.items() if path}
    pointed = settings.model_copy(update={"mqtt_url": url})
    return IngestProcess(pointed, log, HEARTHLINE_LOG_FORMAT="json", **environment, **more)


def test_ingest_receives_over_tls_what_a_simulator_publishes_over_tls(
    *,
    own: OwnBroker,
    service: Files,
    settings: Settings,
    site: Site,
    connection: Connection,
    save_ledger: Callable[[Ledger], None],
    tmp_path: Path,
) -> None:
    """Both with certificates of their own; the rows are there."""
    save_ledger(site.ledger(2))
    simulator = own.authority.for_client("simulator")
    process = _process(settings, own.certified(service), tmp_path / "log")
    process.start()
    url = (
        f"mqtts://localhost:{own.certificate_port}?ca={own.authority.certificate}"
        f"&cert={simulator[0]}&key={simulator[1]}"
    )
    try:
        wait_until(lambda: "subscribed" in process.said, "ingest has subscribed")
        with Publisher(url, session_s=0) as publisher:
            for n in (0, 1):
                said = {"ts": datetime.now(UTC).isoformat(), "temperature_c": 20.5}
                payload = json.dumps(said).encode()
                publisher.publish(Message(site.topic(f"d{n}"), payload, 1, 0))
        wait_until(lambda: _rows(connection) == 2, "both readings are rows")
        assert process.terminate() == 0
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("host", "with_certificate", "said"),
    [
        ("127.0.0.1", True, "the broker's certificate is for another address"),
        ("localhost", False, "the broker wants a client certificate"),
    ],
)
def test_ingest_says_in_one_sentence_why_it_cannot_connect(
    *,
    own: OwnBroker,
    service: Files,
    settings: Settings,
    tmp_path: Path,
    host: str,
    with_certificate: bool,
    said: str,
) -> None:
    """And tries again; it does not end."""
    broker = own.certified(service if with_certificate else None, host)
    process = _process(settings, broker, tmp_path / "log")
    process.start()
    try:
        wait_until(lambda: "waiting for the broker" in process.said, "ingest says so")
        assert said in process.said
        assert process.said.count("waiting for the broker") == 1
        assert process.terminate() == 0
    finally:
        process.kill()


def test_the_doctor_sees_whether_ingest_may_hear_everything(own: OwnBroker, service: Files) -> None:
    """A device's account is let in as well, but hears nothing, which mosquitto does not say."""
    filters = registry().filters
    assert inspect(own.certified(service), filters) == Findings(None, (), heard=True)
    assert inspect(own.plain("room-1"), filters, 1.0) == Findings(None, (), heard=False)
    wrong = inspect(own.secured("hearthline", "wrong"), filters)
    assert "Not authorized" in str(wrong.trouble)
    assert "client certificate" in str(inspect(own.certified(None), filters).trouble)


def test_a_certificate_that_is_not_there_ends_ingest_with_a_remedy(
    own: OwnBroker, settings: Settings, tmp_path: Path
) -> None:
    """Code 2, one sentence, before anything starts."""
    broker = own.certified((tmp_path / "none.pem", tmp_path / "none.key"))
    process = _process(settings, broker, tmp_path / "log")
    process.start()
    assert process.wait() == 2
    assert "none.pem is not a file" in process.said
    assert "Traceback" not in process.said


def test_the_database_is_spoken_to_by_tls_as_its_address_says(database_url: str) -> None:
    """libpq's parameters pass through: a server that cannot be verified is not spoken to."""
    strict = f"{database_url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem"
    asked = Settings(_env_file=None, database_url=strict).require_database()
    with pytest.raises(Away, match=r"SSL|certificate"):
        connect(asked, timeout_s=5)


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_no_secret_reaches_the_log(
    own: OwnBroker, settings: Settings, tmp_path: Path, right: bool
) -> None:
    """With right and wrong passwords of broker and database, at the most talkative level."""
    others = {"HEARTHLINE_SECRET": "hush-one", "HEARTHLINE_GRAFANA_TOKEN": "hush-two"}
    broker = own.plain("hearthline", PASSWORD if right else "wrong-horse")
    url = urlsplit(settings.require_database())
    if not right:
        account = f"{url.username}:wrong-cow@{url.hostname}:{url.port}"
        settings = settings.model_copy(
            update={"database_url": url._replace(netloc=account).geturl()}
        )
    process = _process(settings, broker, tmp_path / "log", HEARTHLINE_LOG_LEVEL="debug", **others)
    process.start()
    expected = ["subscribed"] if right else ["Not authorized", "waiting for the database"]
    try:
        wait_until(lambda: all(one in process.said for one in expected), f"{expected}")
        process.terminate()
    finally:
        process.kill()
    secrets = [PASSWORD, "wrong-horse", "wrong-cow", url.password or "", *others.values()]
    assert [one for one in secrets if one in process.said] == []


def test_a_simulator_does_not_wait_for_a_broker_that_it_cannot_believe(own: OwnBroker) -> None:
    """A certificate does not become right by waiting."""
    url = f"mqtts://simulator:{PASSWORD}@localhost:{own.password_port}"
    with pytest.raises(BrokerRefused, match="certificate does not verify"):
        Publisher(url, session_s=0).wait_connected(30)


def test_a_simulator_says_why_it_waits_for_a_broker_that_hangs_up(
    own: OwnBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the certificate that the broker wants."""
    url = f"mqtts://localhost:{own.certificate_port}?ca={own.authority.certificate}"
    with caplog.at_level(logging.WARNING):
        publisher = Publisher(url, session_s=0)
        wait_until(lambda: "another certificate" in caplog.text, "it says so")
        assert not publisher.wait_connected(0)
        publisher.close(0)


def _rows(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) AS n FROM room_reading").fetchone()
    return int(row["n"]) if row else 0


def _text(certificate: Path) -> bytes:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", "-text"]
    return subprocess.run(command, capture_output=True, check=True).stdout
