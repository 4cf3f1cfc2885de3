"""The pytest plugin: a heated town in any test of any project that has Hearthline installed.

Fixtures ``heating_city`` and ``heating_scenario`` make towns (``simulators.testing.Town``), and
``--heating-seed`` draws them anew. Pytest loads this module on every start, so nothing heavy is
imported until a fixture is used.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulators.testing import Town

OPTION = "--heating-seed"
DEFAULT_SEED = 1
_FIXTURES = {"heating_city", "heating_scenario", "heating_seed"}


def _seed(text: str) -> int:
    """A whole number, or one drawn now for ``random``."""
    return secrets.randbelow(1_000_000) if text == "random" else int(text)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--heating-seed``."""
    group = parser.getgroup("heating", "towns simulated by Hearthline")
    group.addoption(
        OPTION,
        type=_seed,
        default=None,
        metavar="N",
        help="Seed of the towns that tests simulate: a whole number, or 'random'.",
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say the seed where one was asked for."""
    seed = config.getoption(OPTION)
    return None if seed is None else f"heating seed: {seed}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure how to have the same town again."""
    report = yield
    uses = _FIXTURES.intersection(getattr(item, "fixturenames", ()))
    if uses and call.when == "call" and report.failed:
        again = f"the same town again with {OPTION} {_chosen(item.config)}"
        report.sections.append(("heating seed", again))
    return report


def _chosen(config: pytest.Config) -> int:
    seed: int | None = config.getoption(OPTION)
    return DEFAULT_SEED if seed is None else seed


@pytest.fixture
def heating_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this session's towns: 1, or what ``--heating-seed`` says."""
    return _chosen(request.config)


@pytest.fixture
def heating_city(heating_seed: int) -> Callable[..., Town]:
    """Make a small town: ``heating_city(buildings=["2x6"], outdoor_c=-12)``."""

    def make(*args: Any, **options: Any) -> Town:
        from simulators.testing import small_city

        return small_city(*args, **{"seed": heating_seed, **options})

    return make


@pytest.fixture
def heating_scenario(request: pytest.FixtureRequest) -> Callable[..., Town]:
    """The town of a scenario by name or file; the scenario's own seed unless one is asked for."""

    def make(scenario: str | Path) -> Town:
        from simulators.testing import town_of

        town = town_of(scenario)
        seed: int | None = request.config.getoption(OPTION)
        return town if seed is None else town.with_seed(seed)

    return make
