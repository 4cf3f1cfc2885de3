"""Configured addresses, and what is found installed."""

import socket

import pytest
from stack.errors import StackError
from stack.host import Account, Host
from stack.model import Endpoint, Part
from stack.native import newest_postgres
from stack.providers import Configured

FOREIGN = "postgresql://someone:x@127.0.0.1:{port}/theirs"


@pytest.fixture
def closed_port():
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_without_an_address_the_part_is_passed_on():
    configured = Configured({}, {})
    assert configured.why_not(Part.DATABASE) == "HEARTHLINE_DATABASE_URL is not set"
    assert configured.why_not(Part.BROKER) == "HEARTHLINE_MQTT_URL is not set"


def test_an_address_that_we_gave_out_ourselves_does_not_count():
    own = "mqtt://hearthline:y@127.0.0.1:2"
    configured = Configured({"HEARTHLINE_MQTT_URL": own}, {Part.BROKER: own})
    assert configured.why_not(Part.BROKER) is not None


def test_an_address_that_does_not_answer_is_an_error_with_its_remedy(closed_port):
    configured = Configured({"HEARTHLINE_DATABASE_URL": FOREIGN.format(port=closed_port)}, {})
    assert configured.why_not(Part.DATABASE) is None
    with pytest.raises(StackError, match="set in HEARTHLINE_DATABASE_URL") as caught:
        configured.up(Part.DATABASE, None)
    assert "unset it" in caught.value.report()


def test_an_error_never_shows_the_password(closed_port):
    url = f"mqtt://someone:verysecret@127.0.0.1:{closed_port}"
    with pytest.raises(StackError) as caught:
        Configured({"HEARTHLINE_MQTT_URL": url}, {}).up(Part.BROKER, None)
    assert "verysecret" not in caught.value.report()


def test_something_that_is_no_address_is_told():
    configured = Configured({"HEARTHLINE_MQTT_URL": "http://broker"}, {})
    with pytest.raises(StackError, match="does not begin with mqtt://"):
        configured.up(Part.BROKER, None)


def test_a_configured_part_is_neither_killed_nor_given_devices(closed_port):
    configured = Configured({"HEARTHLINE_MQTT_URL": f"mqtt://127.0.0.1:{closed_port}"}, {})
    with pytest.raises(StackError, match="not ours"):
        configured.kill(Part.BROKER)
    with pytest.raises(StackError, match="users are kept there"):
        configured.add_device("room-1", "x")


def test_a_recorded_address_is_asked_also_where_the_environment_lost_it(closed_port):
    endpoint = Endpoint(f"mqtt://127.0.0.1:{closed_port}", closed_port, "as configured")
    assert not Configured({}, {}).is_up(Part.BROKER, endpoint)


def installation(folder, major, *, timescale=True, server=True):
    programs, shared = folder / str(major) / "bin", folder / str(major) / "share"
    programs.mkdir(parents=True)
    (shared / "extension").mkdir(parents=True)
    if timescale:
        (shared / "extension" / "timescaledb.control").touch()
    if server:
        (programs / "postgres").touch()
    return major, str(programs), shared


def test_the_newest_postgres_with_timescaledb_is_taken(tmp_path):
    installed = [installation(tmp_path, major) for major in (15, 17, 16)]
    assert newest_postgres(installed) == str(tmp_path / "17" / "bin")


def test_installations_that_cannot_serve_are_left_out(tmp_path):
    installed = [
        installation(tmp_path, 13),
        installation(tmp_path, 15, timescale=False),
        installation(tmp_path, 16, server=False),
    ]
    assert newest_postgres(installed) is None


def test_programs_in_a_root_are_started_by_chroot_as_their_user(tmp_path):
    host = Host(tmp_path)
    assert host.command(["postgres", "-V"], Account(101, 103)) == [
        "chroot",
        "--userspec=101:103",
        "--groups=",
        str(tmp_path),
        "postgres",
        "-V",
    ]
    assert host.inside(tmp_path / "srv" / "x") == "/srv/x"
    assert host.outside("/srv/x") == tmp_path / "srv" / "x"


def test_an_ordinary_user_starts_programs_as_they_are(tmp_path):
    assert Host(tmp_path.__class__("/")).command(["postgres"], None) == ["postgres"]


def test_a_user_of_the_root_is_looked_up_there(tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text(
        "root:x:0:0::/:/bin/sh\npostgres:x:101:103::/:/bin/sh\n"
    )
    monkeypatch.setattr("stack.host.os.geteuid", lambda: 0)
    assert Host(tmp_path).account("postgres") == Account(101, 103)
    with pytest.raises(StackError, match="no user 'mosquitto'"):
        Host(tmp_path).account("mosquitto")
