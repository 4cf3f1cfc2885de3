"""The compose file, the Dockerfile and their example settings agree with each other."""

import json
import re
from pathlib import Path

import yaml

from api.console.assets import LIBRARIES

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]
OURS = ("migrate", "ingest", "worker", "web", "dashboards")
TLS = (DEPLOY / "mosquitto" / "tls.conf").read_text(encoding="utf-8")
EXAMPLE = (DEPLOY / "env.example").read_text(encoding="utf-8")


def test_every_foreign_image_is_pinned():
    images = [one["image"] for name, one in SERVICES.items() if name not in OURS]
    assert len(images) == 3
    assert all(re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+(-pg17)?", image) for image in images)


def test_every_port_is_bound_to_loopback():
    published = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_our_services_come_from_one_image_and_run_one_command_each():
    assert {SERVICES[name]["image"] for name in OURS} == {
        "hearthline:${HEARTHLINE_VERSION:-latest}"
    }
    commands = {name: SERVICES[name]["command"][0] for name in OURS}
    assert commands == {
        "migrate": "migrate",
        "ingest": "ingest",
        "worker": "worker",
        "web": "serve",
        "dashboards": "dashboards",
    }


def test_services_wait_for_the_schema():
    for name in ("ingest", "worker", "web"):
        waits = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert waits == "service_completed_successfully"


def test_everything_that_runs_for_long_and_serves_is_watched():
    for name in ("database", "broker", "ingest", "worker", "web", "grafana"):
        assert "healthcheck" in SERVICES[name]


def test_every_secret_is_in_the_example_and_none_has_a_value():
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    offered = dict(re.findall(r"^#?(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    assert required <= offered.keys()
    assert all(offered[name] == "" for name in required)


def test_every_bind_mount_of_the_broker_is_there():
    for name in ("mosquitto.conf", "start.sh", "acl.conf", "tls.conf"):
        assert (DEPLOY / "mosquitto" / name).is_file()


def test_the_tls_layer_mounts_what_it_names_and_publishes_only_tls():
    layer = yaml.safe_load((DEPLOY / "compose.tls.yaml").read_text(encoding="utf-8"))["services"]
    assert set(layer) <= set(SERVICES)
    listeners = re.findall(r"^listener (\d+)", TLS, re.MULTILINE)
    assert [port.rpartition(":")[2] for port in layer["broker"]["ports"]] == listeners
    inside = [mount.split(":")[1] for mount in layer["broker"]["volumes"]]
    assert "/mosquitto/config/tls.conf" in inside
    assert {*re.findall(r"^\w+file (\S+)$", TLS, re.MULTILINE)} <= {*inside}
    named = {value for name, value in layer["ingest"]["environment"].items() if name[-3:] != "URL"}
    assert named == {mount.split(":")[1] for mount in layer["ingest"]["volumes"]}


def test_both_tls_listeners_are_strict():
    first, second = TLS.split("listener ")[1:]
    assert "require_certificate true\nuse_identity_as_username true" in first
    assert all("tls_version tlsv1.2" in one for one in (first, second))
    assert "allow_anonymous" not in TLS  # it stays as mosquitto.conf has it: false


def test_the_image_is_built_from_files_that_the_build_is_given():
    given = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    assert all(f"!{source}" in given for line in copied for source in line.split())


def test_the_image_does_not_run_as_root_and_checks_every_hash():
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert "USER hearthline" in dockerfile
    assert "--require-hashes" in dockerfile


def test_the_image_has_every_library_that_the_console_loads():
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert all(f"node_modules/{library}" in dockerfile for library in LIBRARIES.values())
    package = json.loads((DEPLOY.parent / "package.json").read_text())
    assert {library.partition("/")[0] for library in LIBRARIES.values()} == {
        *package["dependencies"]
    }
    assert all(version[0].isdigit() for version in package["dependencies"].values())


def test_the_lock_of_browser_assets_names_no_address():
    assert "://" not in (DEPLOY.parent / "package-lock.json").read_text()
