"""The page about devices says what is so: its profiles load, its flags and reasons exist."""

import re
from pathlib import Path

import pytest

from hearthline.domain.readings import Quality, RejectReason
from ingest.formats import OURS
from ingest.formats.profiles import builtin, load

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = [DOCS / "devices.md", DOCS / "devices.zh-CN.md"]


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> str:
    return request.param.read_text(encoding="utf-8")


def test_the_profiles_on_the_page_load(page: str, tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "profiles.yaml"
    file.write_text(block, encoding="utf-8")
    known = load(file)
    assert known["acme-heat-meter"].read({"T1": 60, "heat": 3.6})["energy_kwh"] == 1000.0
    assert known.keys() > builtin().keys()


def test_every_flag_is_explained_and_none_that_does_not_exist(page: str) -> None:
    section = page.split("\n## ")[3]
    named = set(re.findall(r"`([A-Z_]{5,})`", section))
    assert named == {flag.name for flag in Quality if flag}


def test_every_reason_that_is_named_exists(page: str) -> None:
    section = page.split("\n## ")[5]
    named = set(re.findall(r"`([a-z]+_[a-z_]+|malformed)`", section))
    assert named == set(RejectReason) - {RejectReason.UNKNOWN_DEVICE, RejectReason.UNKNOWN_ALIAS}


def test_every_format_has_its_row(page: str) -> None:
    table = page.split("\n## ")[1]
    assert set(re.findall(r"`([a-z0-9]+):\{", table)) == {one.name for one in OURS}
