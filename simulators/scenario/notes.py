"""Problems of a scenario while they are gathered, each with its line."""

from __future__ import annotations

from collections.abc import Callable

from simulators.scenario import Problem
from simulators.scenario.file import Lines, problem_at
from simulators.scenario.reading import Path_


class Notes:
    """Problems found so far; nothing is said about what could not even be read (``unread``)."""

    def __init__(self, lines: Lines, unread: Callable[[Path_], bool] | None = None) -> None:
        self.lines = lines
        self.found: list[Problem] = []
        self._unread = unread
        self._paths: set[Path_] = set()

    def add(self, path: Path_, says: str) -> None:
        """Note a problem, unless what it is about was a stand-in."""
        if self._unread is None or not self._unread(path):
            self.found.append(problem_at(self.lines, path, says))
            self._paths.add(path)

    def has(self, path: Path_) -> bool:
        """Whether something is known to be wrong there."""
        return path in self._paths or (self._unread is not None and self._unread(path))
