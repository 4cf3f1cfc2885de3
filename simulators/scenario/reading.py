"""Plain data to records: every problem noted with its path, nothing raised.

What cannot be read gets a harmless stand-in of the right type, so that one mistake does not hide
the next; whoever uses the result asks first whether ``found`` is empty.
"""

from __future__ import annotations

import difflib
import math
import re
import types
from collections.abc import Iterable
from datetime import timedelta
from enum import Enum
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from simulators.scenario import Record, duration

Path_ = tuple[str | int, ...]
AnyRecord = TypeVar("AnyRecord", bound=Record)

_UNIONS = (types.UnionType, Union)
_LIMIT = re.compile(r"Expected `(?:float|int)` (<=|>=|<|>) (\S+)")
_WORDS = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}


class Reader:
    """Walks plain data against record types; ``found`` holds (path, problem) in reading order.

    ``wrong`` are the paths that hold a stand-in; an unknown key is found but makes nothing wrong.
    """

    def __init__(self) -> None:
        self.found: list[tuple[Path_, str]] = []
        self.wrong: list[Path_] = []

    def record(self, node: object, kind: type[AnyRecord], path: Path_) -> AnyRecord:
        """One record; where something of it is wrong, with defaults and stand-ins."""
        if not isinstance(node, dict):
            self._refuse(path, f"expected a mapping, got {_short(node)}")
            node = {}
        hints = get_type_hints(kind, include_extras=True)
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        for key in node:
            if key not in fields:
                says = f"unknown key{nearest(str(key), fields)}; known here: {', '.join(fields)}"
                self.found.append(((*path, str(key)), says))
        values = {}
        for name, field in fields.items():
            here = (*path, name)
            if name in node:
                count = len(self.wrong)
                values[name] = self.value(node[name], hints[name], here)
                if here in self.wrong[count:] and not field.required:
                    del values[name]
            elif field.required:
                if path not in self.wrong:
                    self._refuse(here, "is missing")
                values[name] = _stand_in(hints[name])
        return kind(**values)

    def value(self, node: object, kind: Any, path: Path_) -> Any:
        """One value of any type a record may hold."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in _UNIONS and type(None) in arguments:
            kinds = [part for part in arguments if part is not type(None)]
            return None if node is None else self.value(node, kinds[0], path)
        if origin in _UNIONS:
            tuples = [part for part in arguments if get_origin(part) is tuple]
            return self.value(node, tuples[0] if isinstance(node, list) else arguments[0], path)
        if isinstance(kind, type) and issubclass(kind, Record):
            return self.record(node, kind, path)
        if origin is tuple and isinstance(node, list):
            return self._items(node, arguments, path)
        return self._leaf(node, kind, path)

    def _leaf(self, node: object, kind: Any, path: Path_) -> Any:
        """A number, a text, a duration or a member of an enum."""
        if isinstance(node, float) and not math.isfinite(node):
            self._refuse(path, f"must be a finite number, got {node}")
            return _stand_in(kind)
        try:
            found = duration(node) if kind is timedelta else msgspec.convert(node, kind)
        except OverflowError:
            self._refuse(path, f"{_short(node)} is too long a time")
        except ValueError as error:  # msgspec's ValidationError is one
            self._refuse(path, _plainly(str(error), node, kind))
        else:
            return found
        return _stand_in(kind)

    def _items(self, node: list[object], arguments: tuple[Any, ...], path: Path_) -> Any:
        if arguments[-1] is Ellipsis:
            kinds = [arguments[0]] * len(node)
        elif len(arguments) == len(node):
            kinds = list(arguments)
        else:
            self._refuse(path, f"expected {len(arguments)} items, got {len(node)}")
            return tuple(_stand_in(part) for part in arguments)
        pairs = enumerate(zip(node, kinds, strict=True))
        return tuple(self.value(item, part, (*path, at)) for at, (item, part) in pairs)

    def _refuse(self, path: Path_, says: str) -> None:
        self.found.append((path, says))
        self.wrong.append(path)


def nearest(word: str, known: Iterable[str]) -> str:
    """The words ``(did you mean 'town'?)`` where one of ``known`` is near; else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _short(node: object) -> str:
    text = repr(node)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _plainly(text: str, node: object, kind: Any) -> str:
    """msgspec's complaint in the words of somebody who fills in a file."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        known = [str(member.value) for member in kind]
        return f"there is no {_short(node)}{nearest(str(node), known)}; known: {', '.join(known)}"
    if limit := _LIMIT.search(text):
        bound = float(limit[2])
        of_hundred = isinstance(node, int | float) and bound == 1.0 and 1.0 < node <= 100.0
        hint = f" (for {node:g} % write {node / 100.0:g})" if of_hundred else ""  # type: ignore[operator]
        return f"must be {_WORDS[limit[1]]} {bound:g}, got {_short(node)}{hint}"
    share = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", node) if isinstance(node, str) else None
    if share:
        return f"{text}; for {share[1]} % write {float(share[1]) / 100.0:g}"
    return text if kind is timedelta else f"{text.partition(' - at')[0]} ({_short(node)})"


def _stand_in(kind: Any) -> Any:
    """Something harmless of the right type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _stand_in(arguments[0])
    if origin in _UNIONS:
        return None if type(None) in arguments else _stand_in(arguments[0])
    if origin is tuple:
        return () if arguments[-1] is Ellipsis else tuple(_stand_in(part) for part in arguments)
    if isinstance(kind, type) and issubclass(kind, Record):
        return Reader().record({}, kind, ())
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    simple: dict[Any, Any] = {str: "-", int: 1, float: 1.0, bool: False, timedelta: timedelta(1)}
    return simple[kind]
