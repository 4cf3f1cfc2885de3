"""What the documentation shows works as shown: code, scenarios, commands, and nothing left out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import simulators
from hearthline.cli import app
from simulators.faults import REGISTRY
from simulators.testing import small_city

DOCS = Path(__file__).resolve().parents[3] / "docs"
ENGLISH, CHINESE = DOCS / "simulator.md", DOCS / "simulator.zh-CN.md"
_FENCE = re.compile(r"^```(\w+)( \w+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[tuple[int, str, str]]:
    """Fenced blocks of a language: line of the first statement, mark behind it, text."""
    text = page.read_text(encoding="utf-8")
    return [
        (text[: found.start(3)].count("\n") + 1, (found[2] or "").strip(), found[3])
        for found in _FENCE.finditer(text)
        if found[1] == language
    ]


def examples() -> list[object]:
    return [
        pytest.param(text, page, line, id=f"{page.name}:{line}")
        for page in (ENGLISH, CHINESE)
        for line, mark, text in blocks(page, "python")
        if mark != "broker"
    ]


@pytest.mark.parametrize(("text", "page", "line"), examples())
def test_the_example_works(
    text: str, page: Path, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests on the page get what the pytest plugin would give them."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    exec(compile("\n" * (line - 1) + text, str(page), "exec"), names)  # noqa: S102 - our own page
    for name, test in names.items():
        if name.startswith("test_") and callable(test):
            test(small_city)


def test_the_page_shows_every_way_out() -> None:
    text = "".join(block for _, _, block in blocks(ENGLISH, "python"))
    for call in (".messages(", ".jsonl(", ".publish(", "simulators.run(", "export.write("):
        assert call in text
    assert [mark for _, mark, _ in blocks(ENGLISH, "python")].count("broker") == 1


def test_the_scenario_on_the_page_is_right(tmp_path: Path) -> None:
    ((_, _, text),) = blocks(ENGLISH, "yaml")
    (tmp_path / "my-town.yaml").write_text(text, encoding="utf-8")
    assert len(simulators.build(simulators.load(tmp_path / "my-town.yaml")).faults) == 1


def commands() -> list[str]:
    shown = "".join(text for _, _, text in blocks(ENGLISH, "sh")).splitlines()
    return shown + re.findall(r"^\| `(hearthline [^`]+)`", CHINESE.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", commands())
def test_the_command_can_be_given(command: str) -> None:
    name, *arguments = shlex.split(command)
    assert name == "hearthline"
    app.parse_args(arguments, exit_on_error=False, print_error=False)


def test_every_fault_that_can_be_simulated_is_on_the_page() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", ENGLISH.read_text("utf-8"), re.MULTILINE))
    assert {str(cause) for cause in REGISTRY} <= rows.keys()
    for cause, kind in REGISTRY.items():
        assert kind.meaning in rows[str(cause)] or kind.meaning.startswith("nothing")
        assert all(f"`{variant}`" in rows[str(cause)] for variant in kind.variants)


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_every_scenario_is_on_the_page_with_its_size_and_title(page: Path) -> None:
    rows = []
    for one in simulators.scenarios():
        title = one.title if page is ENGLISH else one.title_zh
        days = f"{one.history.total_seconds() / 86400:g}"
        rows.append(f"| `{one.name}` | {one.units:,} | {one.faults} | {days} | {title} |")
    missing = [row for row in rows if row not in page.read_text(encoding="utf-8")]
    assert not missing, f"{page.name} lacks these rows:\n" + "\n".join(missing)
