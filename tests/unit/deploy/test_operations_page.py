"""The page for operators: its commands work, its tables are complete, in both languages."""

import re
import subprocess
from pathlib import Path

import pytest

from hearthline.cli.vitals import _QUEUES
from ingest.metrics import Metrics
from tests.broker_rules import PLATFORMS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {
    name: (DOCS / name).read_text(encoding="utf-8")
    for name in ("operations.md", "operations.zh-CN.md")
}
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def blocks(page):
    return BLOCK.findall(page)


def test_both_languages_show_the_same_commands():
    english, chinese = (blocks(page) for page in PAGES.values())
    assert english == chinese
    assert len(english) == 3


def test_the_openssl_commands_make_certificates_that_hold(tmp_path):
    (script,) = (one for one in blocks(PAGES["operations.md"]) if "openssl req" in one)
    subprocess.run(["sh", "-eu"], input=script, cwd=tmp_path, text=True, check=True,
                   capture_output=True)  # fmt: skip
    for name, purpose in (("broker", "sslserver"), ("room-1", "sslclient")):
        argv = ["openssl", "verify", "-CAfile", "ca.pem", "-purpose", purpose, f"{name}.pem"]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stdout == f"{name}.pem: OK\n", done.stderr


@each_page
def test_every_metric_is_explained_and_no_other(page):
    table = page[page.index("`messages_received_total`") : page.index("`hearthline_worker_`")]
    told = set()
    for row in re.findall(r"^\| (.*?) \|", "| " + table, re.MULTILINE):
        told |= {name.removesuffix("_total") for name in re.findall(r"`(\w+)", row)}
    prefix = "hearthline_ingest_"
    real = {family.name.removeprefix(prefix) for family in Metrics().registry.collect()}
    assert told == real


@each_page
def test_what_the_worker_says_is_explained(page):
    line = next(line for line in page.splitlines() if "hearthline_worker_" in line)
    names = {name for name, _ in _QUEUES.values()}
    names |= {"database_up", "analysed_until_seconds", "districts_aside"}
    assert {*re.findall(r"`(\w+)`", line)} == names | {"hearthline_worker_"}


@each_page
def test_every_account_of_a_platform_is_named(page):
    assert all(f"`{platform}`" in page for platform in PLATFORMS)
