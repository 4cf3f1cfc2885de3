"""Scenario files: YAML to records, with every problem of a file in one error, each with its line.

A file may say ``extends: NAME`` and then replaces whole top-level sections of the named one.
Checks that need the town itself (does a place exist?) are in ``checks``.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml

from simulators.scenario import Problem, Record, Scenario, ScenarioError, duration

Path_ = tuple[str | int, ...]
AnyRecord = TypeVar("AnyRecord", bound=Record)

SHIPPED = Path(__file__).parent / "scenarios"
_BAD = object()


def shipped() -> list[str]:
    """Names of the scenarios that come with the package, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def locate(name_or_path: str | Path) -> Path:
    """The file of a shipped scenario's name, or the path itself.

    Raises:
        ScenarioError: there is no such scenario or file.
    """
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"} and path.is_file():
        return path
    if str(name_or_path) in shipped():
        return SHIPPED / f"{name_or_path}.yaml"
    known = ", ".join(shipped())
    says = f"there is no such file or scenario; scenarios that come with this: {known}"
    raise ScenarioError(str(name_or_path), [Problem("", says)])


def read(name_or_path: str | Path) -> tuple[Scenario, dict[Path_, int]]:
    """A scenario and the line of each of its keys; places are not checked yet.

    Raises:
        ScenarioError: everything that is wrong with the file's shape.
    """
    path = locate(name_or_path)
    return parse(path.read_text(encoding="utf-8"), str(name_or_path))


def parse(text: str, name: str = "(text)") -> tuple[Scenario, dict[Path_, int]]:
    """As ``read``, from text."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        says = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise ScenarioError(name, [Problem("", says, line)]) from error
    if not isinstance(found, dict):
        raise ScenarioError(name, [Problem("", "expected a mapping with name, site, source, …", 1)])
    reader = _Reader(dict(_lines(root, ())))
    reader.problems.extend(_repeated_keys(root, ()))
    if "extends" in found:
        base = locate(str(found.pop("extends")))
        found = {**yaml.safe_load(base.read_text(encoding="utf-8")), **found}
    scenario = reader.record(found, Scenario, ())
    if reader.problems or scenario is None:
        raise ScenarioError(name, sorted(reader.problems, key=lambda problem: problem.line or 0))
    return scenario, reader.lines


def spell(path: Path_) -> str:
    """A path as people write it: ``faults[2].place``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def line_of(lines: dict[Path_, int], path: Path_) -> int | None:
    """The line of a path, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


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
            if key.value in seen:
                where = spell((*path, key.value))
                yield Problem(where, "is written twice", key.start_mark.line + 1)
            seen.add(key.value)
            yield from _repeated_keys(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _repeated_keys(item, (*path, position))


class _Reader:
    """Walks plain data against record types and notes every problem instead of the first."""

    def __init__(self, lines: dict[Path_, int]) -> None:
        self.lines = lines
        self.problems: list[Problem] = []

    def record(self, node: object, kind: type[AnyRecord], path: Path_) -> AnyRecord | None:
        """One record, or None with the problems noted."""
        if not isinstance(node, dict):
            self._note(path, f"expected a mapping, got {node!r}")
            return None
        hints = get_type_hints(kind, include_extras=True)
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        before = len(self.problems)
        for key in node:
            if key not in fields:
                known = ", ".join(fields)
                self._note((*path, str(key)), f"unknown key; known here: {known}")
        for name, field in fields.items():
            if field.required and name not in node:
                self._note((*path, name), "is missing")
        values = {
            name: self.value(node[name], hints[name], (*path, name))
            for name in fields
            if name in node
        }
        return kind(**values) if len(self.problems) == before else None

    def value(self, node: object, kind: Any, path: Path_) -> Any:
        """One value of any type a record may hold, or a marker with the problem noted."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is types.UnionType and type(None) in arguments:
            return None if node is None else self.value(node, arguments[0], path)
        if isinstance(kind, type) and issubclass(kind, Record):
            return self.record(node, kind, path)
        if origin is tuple and isinstance(node, list):
            return self._items(node, arguments, path)
        return self._leaf(node, kind, path)

    def _leaf(self, node: object, kind: Any, path: Path_) -> Any:
        try:
            return duration(node) if kind is timedelta else msgspec.convert(node, kind)
        except ValueError as error:  # msgspec's ValidationError is one
            self._note(path, str(error).split(" - at")[0])
            return _BAD

    def _items(self, node: list[object], arguments: tuple[Any, ...], path: Path_) -> Any:
        if arguments[-1] is Ellipsis:
            kinds = [arguments[0]] * len(node)
        elif len(arguments) == len(node):
            kinds = list(arguments)
        else:
            self._note(path, f"expected {len(arguments)} items, got {len(node)}")
            return _BAD
        pairs = enumerate(zip(node, kinds, strict=True))
        return tuple(self.value(item, kind, (*path, at)) for at, (item, kind) in pairs)

    def _note(self, path: Path_, says: str) -> None:
        self.problems.append(Problem(spell(path), says, line_of(self.lines, path)))
