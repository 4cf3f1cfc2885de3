"""A company's own rule as a file: YAML or JSON to a ``Profile``, or every problem with its place.

The shape of a file follows from the dataclasses of ``model``: a mapping has the fields of one,
a missing field its default. Each value is judged by itself and reading goes on after a problem,
so that one visit shows them all. Durations are written ``90min``, ``48h``, ``10d`` or in ISO 8601.
"""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from hearthline.domain.policies.checks import complaints
from hearthline.domain.policies.model import Policy, Profile
from hearthline.errors import Invalid

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_FILE_KEYS = ("code", "name", "name_zh", "versions")
_LARGEST = 1_000_000  # bytes; a rule is a page


class Problem(NamedTuple):
    """What is wrong, at which line and key."""

    line: int
    key: str
    says: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.says}" if self.key else f"{where}{self.says}"


class PolicyError(Invalid):
    """A policy file cannot be used; ``problems`` has all that is wrong with it."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"The policy file {name} cannot be used:\n{listed}")


def read(path: Path) -> Profile:
    """The profile of a file.

    Raises:
        PolicyError: everything that is wrong with it, each with its line.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise PolicyError(str(path), [Problem(0, "", "it is too large to be a policy")])
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(str(path), [Problem(0, "", f"it cannot be read: {error}")]) from None
    return parse(text, str(path))


def parse(text: str, name: str = "(text)") -> Profile:
    """As ``read``, from text."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:
        at = getattr(error, "problem_mark", None)
        says = f"it is no YAML: {getattr(error, 'problem', None) or error}"
        raise PolicyError(name, [Problem(at.line + 1 if at else 0, "", says)]) from None
    if root is None:
        raise PolicyError(name, [Problem(0, "", "it is empty")])
    reader = _Reader()
    profile = reader.profile(root)
    if reader.problems or profile is None:
        raise PolicyError(name, reader.problems)
    return profile


@dataclass(slots=True)
class _Version:
    """A version as it was read, with the nodes of its fields for what is found out later."""

    policy: Policy
    node: yaml.Node
    of: Mapping[str, yaml.Node]
    key: str


class _Reader:
    """Walks YAML nodes along the types of the model and notes what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, node: yaml.Node, key: str, says: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, key, says))

    def profile(self, root: yaml.Node) -> Profile | None:
        """The whole file; None where it is too wrong to be made."""
        parts = dict(self._pairs(root, "", _FILE_KEYS))
        for missing in [one for one in ("code", "name", "versions") if one not in parts]:
            if isinstance(root, yaml.MappingNode):
                self.wrong(root, missing, "is missing")
        code, name, name_zh = (
            str(self._value(parts[key], key, str) or "") if key in parts else ""
            for key in ("code", "name", "name_zh")
        )
        if "code" in parts and not _CODE.fullmatch(code):
            self.wrong(parts["code"], "code", "small letters, digits and hyphens, 40 at most")
        versions = list(self._versions(parts["versions"], code)) if "versions" in parts else []
        self._together(versions)
        if self.problems:
            return None
        return Profile(code, name, name_zh or name, tuple(one.policy for one in versions))

    def _versions(self, node: yaml.Node, code: str) -> Iterator[_Version]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.wrong(node, "versions", "a list of at least one version is expected here")
            return
        for number, item in enumerate(node.value):
            key = f"versions[{number}]"
            before = len(self.problems)
            policy = self._record(item, key, Policy, {"code": code})
            if policy is None or len(self.problems) > before:
                continue
            of = {name.value: value for name, value in item.value}
            for field, says in complaints(policy):
                self.wrong(of.get(field, item), f"{key}.{field}", says)
            yield _Version(policy, item, of, key)

    def _together(self, versions: list[_Version]) -> None:
        """What must hold between the versions of one rule."""
        seen: dict[date, str] = {}
        for one in versions:
            day = one.policy.valid_from
            if day in seen:
                says = f"{seen[day]} is valid from {day} already"
                self.wrong(one.of["valid_from"], f"{one.key}.valid_from", says)
            seen[day] = one.key
            if one.policy.timezone != versions[0].policy.timezone:
                says = "all versions must have the same, or a day would have two lengths"
                self.wrong(one.of.get("timezone", one.node), f"{one.key}.timezone", says)

    def _record(self, node: yaml.Node, key: str, kind: Any, given: Mapping[str, Any]) -> Any:
        """A dataclass from a mapping; None where it cannot be made."""
        before = len(self.problems)
        hints = _hints(kind)
        asked = [field for field in fields(kind) if field.name not in given]
        parts = dict(self._pairs(node, key, [field.name for field in asked]))
        needed = [f.name for f in asked if f.default is MISSING and f.default_factory is MISSING]
        if isinstance(node, yaml.MappingNode):
            for name in (name for name in needed if name not in parts):
                self.wrong(node, f"{key}.{name}", "is missing")
        values = {n: self._value(value, f"{key}.{n}", hints[n]) for n, value in parts.items()}
        return None if len(self.problems) > before else kind(**given, **values)

    def _value(self, node: yaml.Node, key: str, kind: Any) -> Any:
        """A value of a type of the model; None where it is not one, which is then noted."""
        item = _items(kind)
        if is_dataclass(item):
            if not isinstance(node, yaml.SequenceNode):
                self.wrong(node, key, "a list is expected here")
                return None
            found = [self._record(one, f"{key}[{i}]", item, {}) for i, one in enumerate(node.value)]
            return tuple(one for one in found if one is not None)
        try:
            plain = _Plain("").construct_document(node)
            return msgspec.convert(_duration(plain, kind), kind, strict=kind is not float)
        except msgspec.ValidationError as error:
            self.wrong(node, key, _said(str(error), kind, node))
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            self.wrong(node, key, f"it cannot be understood: {error}")
        return None

    def _pairs(
        self, node: yaml.Node, key: str, known: Collection[str]
    ) -> Iterator[tuple[str, yaml.Node]]:
        """Keys and values of a mapping; unknown and repeated keys are noted."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, key, "a mapping is expected here")
            return
        seen: set[str] = set()
        for name_node, value in node.value:
            name = str(name_node.value) if isinstance(name_node, yaml.ScalarNode) else "?"
            full = f"{key}.{name}" if key else name
            if name not in known:
                says = f"unknown key{_nearest(name, known)}; known: {', '.join(known)}"
                self.wrong(name_node, full, says)
            elif name in seen:
                self.wrong(name_node, full, "it is said twice")
            else:
                seen.add(name)
                yield name, value


class _Plain(yaml.SafeLoader):
    """Plain values of one node; mappings inside are not expected and come out as they are."""


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _items(kind: Any) -> Any:
    """What a tuple of any length holds; None for other types."""
    arguments = typing.get_args(kind)
    is_list = typing.get_origin(kind) is tuple and arguments[-1:] == (Ellipsis,)
    return arguments[0] if is_list else None


def _duration(plain: Any, kind: Any) -> Any:
    """``48h`` as a duration, where one is expected."""
    match = _DURATION.fullmatch(plain) if kind is timedelta and isinstance(plain, str) else None
    return float(match[1]) * _UNITS[match[2]] if match else plain


def _said(message: str, kind: Any, node: yaml.Node) -> str:
    """A sentence of the validator in our words, with the words that it would have taken."""
    members = _items(kind) or kind
    if isinstance(members, type) and issubclass(members, Enum):
        among = [str(one) for one in members]
        word = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
        return f"one of {', '.join(among)} is expected{_nearest(word, among)}"
    if kind is timedelta:
        return "a duration is expected here, like 90min, 48h or 10d"
    if isinstance(kind, types.UnionType):
        return f"{message} (or null)"
    return message.replace("`", "")


def _nearest(word: str, among: Collection[str]) -> str:
    close = difflib.get_close_matches(word, list(among), 1, 0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def plain(policy: Policy) -> dict[str, Any]:
    """A policy as plain values for JSON: durations in seconds, dates in ISO 8601."""
    body: dict[str, Any] = msgspec.to_builtins(policy, builtin_types=(timedelta,))
    seconds: dict[str, Any] = _seconds(body)
    return seconds


def _seconds(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {key: _seconds(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_seconds(one) for one in value]
    return value


def from_plain(body: Mapping[str, Any]) -> Policy:
    """The policy that ``plain`` wrote, now or in an older release: unknown keys are passed over.

    Raises:
        msgspec.ValidationError: the body is none of a policy.
    """
    return msgspec.convert(body, Policy, strict=False)


def write(profile: Profile) -> str:
    """A profile as a file that ``parse`` reads back to the same; what is default is left out."""
    versions = [_said_fields(policy) for policy in profile.versions]
    document = {
        "code": profile.code,
        "name": profile.name,
        "name_zh": profile.name_zh,
        "versions": versions,
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def _said_fields(record: Any) -> dict[str, Any]:
    said = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name != "code" and value != field.default:
            said[field.name] = _written(value)
    return said


def _written(value: Any) -> Any:
    if isinstance(value, timedelta):
        hours = value / timedelta(hours=1)
        return f"{hours:g}h" if hours == int(hours) else f"{value / timedelta(minutes=1):g}min"
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    return _said_fields(value) if is_dataclass(value) else value
