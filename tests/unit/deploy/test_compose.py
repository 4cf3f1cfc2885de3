"""What the Docker provider says and asks, on an engine that only listens."""

import io
import re
import subprocess
from pathlib import Path

import pytest
from stack import compose
from stack.checkout import Checkout
from stack.compose import Compose
from stack.credentials import Credentials
from stack.errors import StackError, UsageError
from stack.model import Part
from stack.progress import Progress

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


class Engine:
    """Answers `docker` commands by their first words, and keeps what it was asked."""

    def __init__(self):
        self.asked: list[list[str]] = []
        self.environment: dict[str, str] = {}
        self.failing: set[str] = set()
        self.said: dict[str, str] = {}

    def run(self, argv, **options):
        words = argv[argv.index("-f") + 2 :] if "-f" in argv else argv[1:]
        self.asked.append(words)
        self.environment = options.get("env") or self.environment
        code = 1 if " ".join(words) in self.failing or words[0] in self.failing else 0
        said = self.said.get(" ".join(words), "some words")
        return subprocess.CompletedProcess(argv, code, stdout=f"{said}\n")


@pytest.fixture
def engine(monkeypatch):
    """A Docker engine where everything works."""
    twin = Engine()
    monkeypatch.setattr(compose.shutil, "which", lambda _name: "/usr/bin/docker")
    monkeypatch.setattr(compose.subprocess, "run", twin.run)
    monkeypatch.setattr(compose.ports, "choose", lambda _part, previous: previous or 54329)
    return twin


@pytest.fixture
def provider(engine, tmp_path, monkeypatch):
    """The provider on a checkout with our real `deploy/`."""
    checkout = Checkout(tmp_path)
    monkeypatch.setattr(Checkout, "deploy", property(lambda _checkout: DEPLOY))
    return Compose(checkout, tmp_path / "cache", Progress(io.StringIO()))


def test_a_machine_with_engine_and_plugin_will_do(provider):
    assert provider.why_not(Part.DATABASE) is None


@pytest.mark.parametrize(
    ("failing", "reason"),
    [("info", "no Docker engine answers"), ("compose version", "docker has no compose plugin")],
)
def test_what_is_missing_is_told(provider, engine, failing, reason):
    engine.failing.add(failing)
    assert provider.why_not(Part.BROKER) == reason


def test_a_machine_without_docker_is_told(provider, monkeypatch):
    monkeypatch.setattr(compose.shutil, "which", lambda _name: None)
    assert provider.why_not(Part.BROKER) == "there is no docker command"


def test_a_part_is_started_alone_and_waited_for(provider, engine):
    endpoint = provider.up(Part.DATABASE, None)
    assert ["up", "--detach", "--wait", "database"] in engine.asked
    assert endpoint.port == 54329
    assert engine.environment["HEARTHLINE_DATABASE_PORT"] == "54329"


def test_a_part_that_runs_is_found_on_its_own_port_alone(provider, engine, monkeypatch):
    monkeypatch.setattr(compose, "why_postgres_silent", lambda _address: None)
    engine.said["port database 5432"] = "127.0.0.1:54331"
    assert provider.up(Part.DATABASE, 54331).port == 54331
    assert not any(words[0] == "up" for words in engine.asked)
    provider.up(Part.DATABASE, 54329)  # where somebody else's database answers
    assert ["up", "--detach", "--wait", "database"] in engine.asked


def test_a_part_that_does_not_run_is_not_up_though_a_stranger_answers(
    provider, engine, monkeypatch
):
    monkeypatch.setattr(compose, "why_postgres_silent", lambda _address: None)
    endpoint = provider.up(Part.DATABASE, None)
    engine.failing.add("port")
    assert not provider.is_up(Part.DATABASE, endpoint)


def test_the_databases_password_is_set_anew_so_that_a_lost_one_does_no_harm(provider, engine):
    provider.up(Part.DATABASE, None)
    password = Credentials.kept_in(provider.home / "credentials.json").database
    assert any(words[-1].endswith(f"PASSWORD '{password}'") for words in engine.asked)


def test_every_variable_that_the_compose_file_demands_is_given(provider, engine):
    provider.up(Part.BROKER, None)
    demanded = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert demanded <= engine.environment.keys()


def test_the_development_brokers_rules_let_its_one_address_publish(provider, engine):
    provider.up(Part.BROKER, None)
    rules = Path(engine.environment["HEARTHLINE_BROKER_ACL"]).read_text()
    granted = rules.rpartition("user hearthline\n")[2].splitlines()
    assert granted == [f"topic readwrite {topic}" for topic in ("#", "$sys/#", "$oc/#")]


def test_a_failing_command_shows_its_words_and_another_way(provider, engine):
    engine.failing.add("up")
    with pytest.raises(StackError) as caught:
        provider.up(Part.BROKER, None)
    assert "some words" in caught.value.report()
    assert "--provider debian" in caught.value.report()


def test_a_device_is_added_and_the_broker_told(provider, engine):
    provider.add_device("room-1", "pass")
    assert engine.asked[0][:4] == ["exec", "-T", "broker", "mosquitto_passwd"]
    assert engine.asked[1] == ["kill", "--signal", "HUP", "broker"]
    with pytest.raises(UsageError):
        provider.add_device("a/b", "pass")


def test_deleting_data_takes_volumes_too_and_only_where_there_is_something(provider, engine):
    provider.delete_data()
    assert engine.asked == []
    provider.up(Part.BROKER, None)
    provider.delete_data()
    assert engine.asked[-1] == ["down", "--volumes"]
    assert not provider.home.exists()
