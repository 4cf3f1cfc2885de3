"""Profile files: YAML to profiles, with every problem of a file in one error, each with its line.

A word that is not known is answered with the nearest one that is. Reading goes on after a problem,
so that one visit shows them all.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hearthline.domain.places import DeviceKind, FlowPipe
from hearthline.errors import SettingsError
from ingest.formats.frames import CHECKS, TYPE, Frame, Order, Part
from ingest.formats.profiles import Profile, Source
from ingest.formats.quantities import QUANTITIES
from ingest.formats.units import conversion, known

KEYS = ("format", "default", "kind", "flow_pipe", "probe", "fault", "quantities", "frame")
FRAME_KEYS = ("encoding", "starts", "length", "check", "byte_order", "parts", "decoder")
PART_KEYS = ("at", "type", "byte_order", "none", "scale", "offset")
SOURCE_KEYS = ("field", "unit", "scale", "offset")
NOTHING = "tag:yaml.org,2002:null"


class Problem(NamedTuple):
    """What is wrong, at which key and line."""

    line: int
    key: str
    says: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: {self.says}" if self.key else self.says


class ProfileError(SettingsError):
    """A file of device profiles cannot be used; ``problems`` has all that is wrong with it."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        listed = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"The device profiles {name} cannot be used:\n{listed}")


def read(path: Path, *, ours: bool = False, taken: Collection[str] = ()) -> dict[str, Profile]:
    """The profiles of a file, by name. ``taken`` are names that it must not use again.

    Raises:
        ProfileError: everything that is wrong with it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(str(path), [Problem(0, "", f"it cannot be read: {error}")]) from None
    return parse(text, str(path), ours=ours, taken=taken)


def parse(
    text: str, name: str = "(text)", *, ours: bool = False, taken: Collection[str] = ()
) -> dict[str, Profile]:
    """As ``read``, from text. Only our own files may name defaults."""
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ProfileError(name, [Problem(0, "", f"it is no YAML: {error}")]) from None
    reader = _Reader(ours)
    found: dict[str, Profile] = {}
    for key, node in reader.pairs(root, "the file", ()) if root is not None else ():
        if key in found or key in taken:
            reader.wrong(node, key, "there is a profile of this name already")
        profile = reader.profile(key, node)
        if profile is not None:
            found[key] = profile
    reader.one_default_each(found)
    if reader.problems:
        raise ProfileError(name, reader.problems)
    return found


def nearest(word: str, among: Collection[str]) -> str:
    """`` (did you mean …?)`` where one of the known words is close, else nothing."""
    close = difflib.get_close_matches(word, list(among), 1, 0.5)
    return f" (did you mean {close[0]}?)" if close else ""


class _Reader:
    """Walks YAML nodes and notes what is wrong with them."""

    def __init__(self, ours: bool) -> None:
        self.ours = ours
        self.problems: list[Problem] = []

    def wrong(self, node: yaml.Node, key: str, says: str) -> None:
        self.problems.append(Problem(node.start_mark.line + 1, key, says))

    def pairs(
        self, node: yaml.Node, key: str, known_keys: Collection[str]
    ) -> Iterator[tuple[str, yaml.Node]]:
        """Keys and values of a mapping; with ``known_keys`` no others, and none that is null."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, key, "a mapping is expected here")
            return
        for name_node, value in node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
            if known_keys and name not in known_keys:
                says = f"unknown key{nearest(name, known_keys)}; known: {', '.join(known_keys)}"
                self.wrong(name_node, f"{key}.{name}", says)
            elif not (known_keys and value.tag == NOTHING):
                yield name, value

    def word(self, node: yaml.Node, key: str, among: Collection[str] = ()) -> str | None:
        """A text, one of some words where ``among`` has any."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, key, "one word is expected here")
            return None
        word = str(node.value)
        if among and word not in among:
            says = f"{word!r} is not known{nearest(word, among)}; known: {', '.join(among)}"
            self.wrong(node, key, says)
            return None
        return word

    def figure(self, node: yaml.Node, key: str) -> float | None:
        """A finite number, also hexadecimal."""
        value = self.scalar(node)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(node, key, "a number is expected here")
            return None
        if not -1e300 < value < 1e300 or not math.isfinite(value):
            self.wrong(node, key, "a finite number is expected here")
            return None
        return value

    def whole(self, node: yaml.Node, key: str) -> int | None:
        """A whole number from 0 on."""
        value = self.figure(node, key)
        if value is None:
            return None
        if value < 0 or value != int(value) or value > 65_535:
            self.wrong(node, key, "a whole number from 0 to 65535 is expected here")
            return None
        return int(value)

    def scalar(self, node: yaml.Node) -> Any:
        """What YAML makes of a scalar; None of anything else."""
        if not isinstance(node, yaml.ScalarNode):
            return None
        try:
            return yaml.SafeLoader("").construct_object(node)
        except (ValueError, yaml.YAMLError):
            return None

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """The items of a list; anything else is a list of one."""
        return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]

    def profile(self, name: str, node: yaml.Node) -> Profile | None:
        """One profile; None where it is too wrong to be made."""
        before = len(self.problems)
        parts = dict(self.pairs(node, name, KEYS))
        if before == len(self.problems) and "kind" not in parts:
            self.wrong(node, name, f"kind is missing; one of {', '.join(DeviceKind)}")
        if before == len(self.problems) and "quantities" not in parts:
            self.wrong(node, name, "quantities are missing")
        kind = self._choice(parts, name, "kind", [str(one) for one in DeviceKind])
        pipe = self._choice(parts, name, "flow_pipe", [str(one) for one in FlowPipe])
        field, free = self._fault(parts.get("fault"), f"{name}.fault")
        frame = self._frame(parts.get("frame"), f"{name}.frame")
        formats, default = self._default(parts, name)
        probe = self.word(parts["probe"], f"{name}.probe") if "probe" in parts else None
        quantities = self._quantities(parts.get("quantities"), name, kind)
        if len(self.problems) > before or kind is None:
            return None
        return Profile(
            name, DeviceKind(kind), quantities, FlowPipe(pipe) if pipe else None, probe, field,
            free, formats, default, frame,
        )  # fmt: skip

    def one_default_each(self, found: Mapping[str, Profile]) -> None:
        """At most one default for each format and kind."""
        seen: dict[tuple[str, DeviceKind], str] = {}
        for profile in found.values():
            for one in profile.formats if profile.default else ():
                other = seen.setdefault((one, profile.kind), profile.name)
                if other != profile.name:
                    says = f"{other} is the default for {one} and {profile.kind} already"
                    self.problems.append(Problem(0, profile.name, says))

    def _choice(
        self, parts: Mapping[str, yaml.Node], name: str, key: str, among: Collection[str]
    ) -> str | None:
        return self.word(parts[key], f"{name}.{key}", among) if key in parts else None

    def _default(self, parts: Mapping[str, yaml.Node], name: str) -> tuple[tuple[str, ...], bool]:
        formats: list[str] = []
        if "format" in parts:
            for item in self.items(parts["format"]):
                word = self.word(item, f"{name}.format")
                if word is not None:
                    formats.append(word)
        default = False
        if "default" in parts:
            said = self.scalar(parts["default"])
            if not isinstance(said, bool):
                self.wrong(parts["default"], f"{name}.default", "true or false is expected here")
            elif said and not self.ours:
                says = "a format's default cannot be replaced; give devices this profile by name"
                self.wrong(parts["default"], f"{name}.default", says)
            else:
                default = said
        return tuple(formats), default

    def _fault(self, node: yaml.Node | None, key: str) -> tuple[str | None, tuple[str, ...]]:
        if node is None:
            return None, ()
        parts = dict(self.pairs(node, key, ("field", "free")))
        if isinstance(node, yaml.MappingNode) and "field" not in parts:
            self.wrong(node, key, "field is missing")
        field = self.word(parts["field"], f"{key}.field") if "field" in parts else None
        free = (
            [self.word(item, f"{key}.free") for item in self.items(parts["free"])]
            if ("free" in parts)
            else []
        )
        return field, tuple(word for word in free if word is not None)

    def _quantities(
        self, node: yaml.Node | None, name: str, kind: str | None
    ) -> dict[str, tuple[Source, ...]]:
        if node is None:
            return {}
        among = (
            QUANTITIES[DeviceKind(kind)] if kind else [q for of in QUANTITIES.values() for q in of]
        )
        return {
            quantity: tuple(self._sources(items, f"{name}.quantities.{quantity}", quantity))
            for quantity, items in self.pairs(node, f"{name}.quantities", among)
        }

    def _sources(self, node: yaml.Node, key: str, quantity: str) -> Iterator[Source]:
        for item in self.items(node):
            if isinstance(item, yaml.ScalarNode):
                yield Source(str(item.value))
                continue
            parts = dict(self.pairs(item, key, SOURCE_KEYS))
            if "field" not in parts:
                self.wrong(item, key, "field is missing")
                continue
            field = self.word(parts["field"], f"{key}.field")
            scale, offset = self._line(parts, key)
            factor, shift = self._unit(parts.get("unit"), f"{key}.unit", quantity)
            if field is not None:
                yield Source(field, scale * factor, offset * factor + shift)

    def _unit(self, node: yaml.Node | None, key: str, quantity: str) -> tuple[float, float]:
        unit = None if node is None else self.word(node, key)
        if node is None or unit is None:
            return 1.0, 0.0
        found = conversion(quantity, unit)
        if found is None:
            units = known(quantity)
            says = f"{unit!r} is no unit of {quantity}{nearest(unit, units)}; known: "
            self.wrong(node, key, says + ", ".join(units))
            return 1.0, 0.0
        return found

    def _frame(self, node: yaml.Node | None, key: str) -> Frame | None:
        if node is None:
            return None
        parts = dict(self.pairs(node, key, FRAME_KEYS))
        decoder = self.word(parts["decoder"], f"{key}.decoder") if "decoder" in parts else None
        if decoder is None and "parts" not in parts:
            self.wrong(node, key, "parts are missing (or name a decoder)")
        encoding = self._choice(parts, key, "encoding", ("base64", "hex")) or "base64"
        check = self._choice(parts, key, "check", list(CHECKS))
        length = self.whole(parts["length"], f"{key}.length") if "length" in parts else None
        order = self._choice(parts, key, "byte_order", ("big", "little")) or "big"
        fields = self._parts(parts.get("parts"), f"{key}.parts", order)
        return Frame(fields, encoding, self._starts(parts, key), length, check, decoder)

    def _starts(self, parts: Mapping[str, yaml.Node], key: str) -> bytes:
        if "starts" not in parts:
            return b""
        try:
            return bytes.fromhex(self.word(parts["starts"], f"{key}.starts") or "")
        except ValueError:
            self.wrong(parts["starts"], f"{key}.starts", "hexadecimal bytes are expected here")
            return b""

    def _parts(self, node: yaml.Node | None, key: str, order: str) -> tuple[Part, ...]:
        named = () if node is None else self.pairs(node, key, ())
        found = [self._part(name, value, f"{key}.{name}", order) for name, value in named]
        return tuple(part for part in found if part is not None)

    def _part(self, name: str, node: yaml.Node, key: str, order: str) -> Part | None:
        parts = dict(self.pairs(node, key, PART_KEYS))
        if missing := [one for one in ("at", "type") if one not in parts]:
            self.wrong(node, key, f"{' and '.join(missing)} is missing")
            return None
        at = self.whole(parts["at"], f"{key}.at")
        kind = self.word(parts["type"], f"{key}.type")
        if kind is not None and TYPE.fullmatch(kind) is None:
            self.wrong(parts["type"], f"{key}.type", f"{kind!r} is no type; u8, i16, f32, …")
            return None
        own = self._choice(parts, key, "byte_order", ("big", "little")) or order
        which: Order = "little" if own == "little" else "big"
        raw = self.items(parts["none"]) if "none" in parts else []
        none = [self.figure(one, f"{key}.none") for one in raw]
        scale, offset = self._line(parts, key)
        if at is None or kind is None:
            return None
        return Part(name, at, kind, which, tuple(one for one in none if one is not None),
                    scale, offset)  # fmt: skip

    def _line(self, parts: Mapping[str, yaml.Node], key: str) -> tuple[float, float]:
        """``scale`` and ``offset``, 1 and 0 where they are not said."""
        scale = self.figure(parts["scale"], f"{key}.scale") if "scale" in parts else 1.0
        offset = self.figure(parts["offset"], f"{key}.offset") if "offset" in parts else 0.0
        return (1.0 if scale is None else scale), (0.0 if offset is None else offset)
