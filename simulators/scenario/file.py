"""Scenario files: YAML to records, with every problem of a file in one error, each with its line.

A file may say ``extends: NAME`` (a shipped scenario, or a file beside it) and then replaces whole
top-level sections of the named one. Reading goes on after a problem with a stand-in for what is
wrong, so that ``checks`` can still look at the rest; such a scenario is never handed out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from simulators import weather
from simulators.scenario import GrownTownSpec, Problem, Scenario, ScenarioError
from simulators.scenario.reading import Path_, Reader, nearest

SHIPPED = Path(__file__).parent.parent / "scenarios"
DEEPEST = 5
"""How many files may extend each other in a row."""


class Line(NamedTuple):
    """Where a key stands; ``file`` is empty in the file that was asked for."""

    number: int
    file: str = ""


Lines = dict[Path_, Line]


@dataclass(slots=True)
class Reading:
    """What a file says as far as it can be understood, and what is wrong with it so far.

    ``wrong`` are the paths for which ``scenario`` holds a stand-in.
    """

    name: str
    scenario: Scenario
    lines: Lines
    problems: list[Problem] = field(default_factory=list)
    wrong: tuple[Path_, ...] = ()

    def is_wrong(self, path: Path_) -> bool:
        """Whether something at, in or around a path could not be read."""
        return any(bad[: len(path)] == path or path[: len(bad)] == bad for bad in self.wrong)

    def usable(self) -> Scenario:
        """The scenario if nothing is wrong with it.

        Raises:
            ScenarioError: everything that is.
        """
        if self.problems:
            order = sorted(self.problems, key=lambda problem: problem.line or 0)
            raise ScenarioError(self.name, order)
        return self.scenario


def shipped() -> list[str]:
    """Names of the scenarios that come with the package, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def locate(name_or_path: str | Path, beside: Path | None = None) -> Path:
    """The file of a shipped scenario's name, or the path itself.

    Raises:
        ScenarioError: there is no such scenario or file.
    """
    name = str(name_or_path)
    if name in shipped():
        return SHIPPED / f"{name}.yaml"
    for path in (Path(name), (beside or Path()) / name):
        if path.suffix in {".yaml", ".yml"} and path.is_file():
            return path
    known = ", ".join(shipped())
    says = f"there is no such file or scenario{nearest(name, shipped())}; there are: {known}"
    raise ScenarioError(name, [Problem("", says)])


def read(name_or_path: str | Path) -> tuple[Scenario, Lines]:
    """A scenario and the line of each of its keys; places are not checked yet.

    Raises:
        ScenarioError: everything that is wrong with the file's shape.
    """
    reading = look_at(name_or_path)
    return reading.usable(), reading.lines


def parse(text: str, name: str = "(text)") -> tuple[Scenario, Lines]:
    """As ``read``, from text."""
    reading = look_over(text, name)
    return reading.usable(), reading.lines


def look_at(name_or_path: str | Path) -> Reading:
    """What a file says, and its problems without raising them.

    Raises:
        ScenarioError: it is no file, no text or no YAML mapping, or what it extends is not.
    """
    path = locate(name_or_path)
    return look_over(_text(path, str(name_or_path)), str(name_or_path), path.parent)


def look_over(text: str, name: str = "(text)", folder: Path | None = None) -> Reading:
    """As ``look_at``, from text; ``folder`` is where files named in it are looked for."""
    pages = list(_pages(text, name, folder))
    sections: dict[str, Any] = {}
    lines: Lines = {}
    problems: list[Problem] = []
    for depth, page in reversed(list(enumerate(pages))):
        origin = page.name if depth else ""
        lines = {path: line for path, line in lines.items() if path[0] not in page.found}
        lines |= {path: Line(line, origin) for path, line in _lines(page.root, ())}
        problems += [_sourced(problem, origin) for problem in _repeated_keys(page.root, ())]
        sections |= page.found
    sections.pop("extends", None)
    reader = Reader()
    scenario = reader.record(sections, Scenario, ())
    home = next((page.folder for page in pages if "weather" in page.found), None)
    spec = weather.resolve(scenario.weather, home or Path())
    scenario = msgspec.structs.replace(scenario, weather=spec)
    problems += [problem_at(lines, path, says) for path, says in reader.found]
    return Reading(name, scenario, lines, problems, tuple(reader.wrong))


def resize(scenario: Scenario, *, units: int | None = None, days: float | None = None) -> Scenario:
    """The scenario with about ``units`` dwellings or a history of ``days``.

    Raises:
        ScenarioError: a number is impossible, or the town is listed and cannot grow.
    """
    problems = []
    if units is not None and scenario.grown is None:
        says = (
            "this town is listed building by building and keeps its size; use a scenario that "
            "has grown: {dwellings: …}, such as metropolis, or list other buildings"
        )
        problems.append(Problem("units", says))
    elif units is not None and not 1 <= units <= 2_000_000:
        problems.append(Problem("units", f"must lie between 1 and 2,000,000, got {units}"))
    if days is not None and not 0.0 < days <= 400.0:
        problems.append(Problem("days", f"must lie above 0 and not beyond 400, got {days:g}"))
    if problems:
        raise ScenarioError(scenario.name, problems)
    if units is not None and scenario.grown is not None:
        grown: GrownTownSpec = msgspec.structs.replace(scenario.grown, dwellings=units)
        scenario = msgspec.structs.replace(scenario, grown=grown)
    if days is not None:
        steps = max(round(timedelta(days=days) / scenario.step), 1)
        scenario = msgspec.structs.replace(scenario, history=steps * scenario.step)
    return scenario


def spell(path: Path_) -> str:
    """A path as people write it: ``faults[2].place``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def line_of(lines: Lines, path: Path_) -> Line | None:
    """The line of a path, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def problem_at(lines: Lines, path: Path_, says: str) -> Problem:
    """A problem with its line, and the file where that is another than the one asked for."""
    line = line_of(lines, path)
    if line is None:
        return Problem(spell(path), says)
    return _sourced(Problem(spell(path), says, line.number), line.file)


def _sourced(problem: Problem, file: str) -> Problem:
    where = f"{problem.where} (in {file})" if file else problem.where
    return Problem(where, problem.says, problem.line)


class _Page(NamedTuple):
    """One file of a chain of them."""

    name: str
    folder: Path | None
    root: yaml.Node
    found: dict[str, Any]


def _pages(text: str, name: str, folder: Path | None) -> Iterator[_Page]:
    """The file and those it extends, from the last word to the first."""
    seen = [name]
    while True:
        page = _page(text, seen[-1], folder)
        yield page
        if "extends" not in page.found:
            return
        wanted = str(page.found["extends"])
        line = dict(_lines(page.root, ())).get(("extends",))
        try:
            path = locate(wanted, folder)
        except ScenarioError as error:
            says = error.problems[0].says
            raise ScenarioError(name, [Problem("extends", says, line)]) from error
        if wanted in seen or len(seen) > DEEPEST:
            chain = " → ".join([*seen, wanted])
            says = f"files extend each other in a circle or too deeply: {chain}"
            raise ScenarioError(name, [Problem("extends", says, line)])
        seen.append(wanted)
        text, folder = _text(path, wanted), path.parent


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(
            name, [Problem("", f"cannot be read as UTF-8 text: {error}")]
        ) from error


def _page(text: str, name: str, folder: Path | None) -> _Page:
    """One file as a mapping with its YAML tree."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        list(_lines(root, ()))
        found = None if root is None else loader.construct_document(root)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        says = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise ScenarioError(name, [Problem("", says, line)]) from error
    except (RecursionError, ValueError) as error:  # an alias inside itself; an impossible date
        raise ScenarioError(name, [Problem("", f"not YAML that can be read: {error}")]) from error
    if root is None or not isinstance(found, dict):
        says = "expected a mapping with name, site, source, …"
        raise ScenarioError(name, [Problem("", says, 1)])
    return _Page(name, folder, root, {str(key): value for key, value in found.items()})


def _lines(node: yaml.Node | None, path: Path_) -> Iterator[tuple[Path_, int]]:
    """Line of every key and item of a YAML tree."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            here = (*path, position)
            yield here, item.start_mark.line + 1
            yield from _lines(item, here)


def _repeated_keys(node: yaml.Node | None, path: Path_) -> Iterator[Problem]:
    """Keys written twice in one mapping: YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                where = spell((*path, name))
                yield Problem(where, "is written twice", key.start_mark.line + 1)
            seen.add(name)
            yield from _repeated_keys(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _repeated_keys(item, (*path, position))
