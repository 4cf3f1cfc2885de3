"""The command line: one JSON object or plain lines, exit codes, and a sentence for each failure."""

import json

import pytest
from stack import cli, operations
from stack.errors import StackError
from stack.model import Endpoint, Part, State, overall


class Twin:
    """A provider that keeps its state in memory."""

    name = "twin"
    title = "a stand-in"

    def __init__(self):
        self.running: set[Part] = set()
        self.devices: list[str] = []
        self.deleted = False
        self.previous: list[int | None] = []

    def why_not(self, _part):
        return None

    def up(self, part, previous_port):
        self.running.add(part)
        self.previous.append(previous_port)
        return Endpoint(f"{part.value}://127.0.0.1:7", 7, "1.0")

    def is_up(self, part, _endpoint):
        return part in self.running

    def down(self, part):
        self.running.discard(part)

    kill = down

    def delete_data(self):
        self.deleted = True

    def add_device(self, name, _password):
        self.devices.append(name)


@pytest.fixture
def twin(monkeypatch):
    """The only provider there is."""
    provider = Twin()
    monkeypatch.setattr(
        operations.Stack,
        "providers",
        property(lambda _stack: [provider], lambda _stack, _providers: None),
        raising=False,
    )
    return provider


@pytest.fixture
def run(tmp_path, capsys):
    """Runs one command on an empty checkout; gives exit code, output and messages."""

    def runs(*argv):
        code = cli.main(argv, tmp_path)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return runs


def test_up_prints_one_json_object_with_addresses_and_choice(run, twin):
    code, out, _ = run("up", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["state"] == "running"
    assert told["database_url"] == "database://127.0.0.1:7"
    assert told["mqtt_url"] == "broker://127.0.0.1:7"
    assert told["database"].items() >= {"provider": "twin", "port": 7, "version": "1.0"}.items()


def test_a_second_up_offers_the_port_of_the_first(run, twin):
    run("up")
    run("up")
    assert twin.previous == [None, None, 7, 7]


def test_the_reason_of_the_first_choice_stays(run, twin):
    first = json.loads(run("up", "--json")[1])["database"]["why"]
    assert json.loads(run("up", "--json")[1])["database"]["why"] == first


def test_status_before_any_up_says_so_and_is_no_success(run, twin):
    code, out, _ = run("status")
    assert code == 1
    assert "No development stack has been brought up" in out


def test_status_tells_part_by_part(run, twin):
    run("up")
    run("kill", "broker")
    code, out, _ = run("status", "--json")
    told = json.loads(out)
    assert code == 1
    assert told["state"] == "partly running"
    assert (told["database"]["state"], told["broker"]["state"]) == ("running", "stopped")


def test_start_brings_back_the_one_part(run, twin):
    run("up")
    run("kill", "broker")
    assert run("start", "broker")[0] == 0
    assert run("status")[0] == 0


def test_stop_stops_both_and_keeps_addresses(run, twin):
    run("up")
    code, out, _ = run("stop")
    assert (code, twin.running, twin.deleted) == (0, set(), False)
    assert "its data kept" in out
    assert run("env")[0] == 0


def test_stop_of_one_part_leaves_the_other(run, twin):
    run("up")
    assert run("stop", "database")[0] == 0
    assert twin.running == {Part.BROKER}


def test_deleting_data_forgets_the_addresses_too(run, twin):
    run("up")
    run("stop", "--delete-data")
    assert twin.deleted
    code, _, err = run("env")
    assert code == 1
    assert "Run `python3 deploy/stack up` first." in err


def test_deleting_the_data_of_one_part_is_wrong_usage(run, twin):
    run("up")
    code, _, err = run("stop", "broker", "--delete-data")
    assert code == 2
    assert "leave the part out" in err


def test_a_new_device_is_told_its_password_once(run, twin):
    run("up")
    told = json.loads(run("device", "add", "room-1", "--json")[1])
    assert twin.devices == ["room-1"]
    assert told["user"] == "room-1"
    assert len(told["password"]) == 32


def test_a_part_that_was_never_there_cannot_be_started(run, twin):
    code, _, err = run("start", "broker")
    assert code == 1
    assert "No broker has been brought up" in err


def test_an_unknown_provider_is_wrong_usage(run, twin):
    assert run("up", "--provider", "podman")[0] == 2


def test_a_failure_is_a_sentence_its_remedy_and_the_log(run, twin, monkeypatch):
    def fails(_part, _port):
        raise StackError("It broke.", "Mend it.", "first\nsecond")

    monkeypatch.setattr(twin, "up", fails)
    code, out, err = run("up", "--json")
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "It broke. Mend it.",
        "Last lines of the log:",
        "  first",
        "  second",
    ]


@pytest.mark.parametrize("argv", [[], ["frob"], ["kill", "cellar"], ["device", "add"]])
def test_wrong_usage_ends_with_code_two(argv, run):
    with pytest.raises(SystemExit) as caught:
        run(*argv)
    assert caught.value.code == 2


def test_help_names_every_command(run, capsys):
    with pytest.raises(SystemExit):
        run("--help")
    told = capsys.readouterr().out
    assert all(name in told for name in cli.COMMANDS)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ([State.RUNNING, State.RUNNING], State.RUNNING),
        ([State.RUNNING, State.STOPPED], State.PARTLY),
        ([State.STOPPED, State.STOPPED], State.STOPPED),
        ([], State.STOPPED),
    ],
)
def test_the_whole_runs_only_where_every_part_does(states, whole):
    assert overall(states) is whole


def test_certificates_are_made_where_asked(twin, run, tmp_path):
    code, out, _ = run(
        "certificate", "room-1", "--broker", "localhost", "--out", str(tmp_path / "c"), "--json"
    )
    told = json.loads(out)
    assert code == 0
    assert told["ca"] == str(tmp_path / "c" / "ca.pem")
    assert [one["key"] for one in told["made"]] == [
        str(tmp_path / "c" / "room-1.key"),
        str(tmp_path / "c" / "broker.key"),
    ]


def test_a_certificate_for_nobody_is_wrong_usage(twin, run):
    code, _, err = run("certificate")
    assert code == 2
    assert "Name a device" in err
