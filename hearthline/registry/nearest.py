"""The known word that a wrong one is most like: a slip of the finger, not a guess.

Two words within a slip or two share their beginning or their end, so that only those are
compared; a ledger has a million codes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher

ASKED_AT_MOST = 200  # times; a file with more wrong words has one mistake in all of them
_COMPARED_AT_MOST = 2_000
_ALIKE = 0.75


class Nearest:
    """Looks words up among the known ones; the index is made when first asked."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = known
        self._halves: dict[tuple[bool, str], list[str]] = {}
        self._asked = 0

    def __call__(self, word: str) -> str:
        """The most similar known word, or an empty one."""
        self._asked += 1
        if self._asked > ASKED_AT_MOST:
            return ""
        if not self._halves:
            self._index()
        likely = self._likely(word)
        best, most = "", _ALIKE
        for known in likely:
            alike = SequenceMatcher(None, word.lower(), known.lower(), autojunk=False).ratio()
            if alike > most:
                best, most = known, alike
        return best

    def _index(self) -> None:
        halves: dict[tuple[bool, str], list[str]] = defaultdict(list)
        for known in self._known:
            for key in _halves(known):
                halves[key].append(known)
        self._halves = dict(halves)

    def _likely(self, word: str) -> list[str]:
        found: dict[str, None] = {}
        for length in (len(word), len(word) - 1, len(word) + 1):
            for end, half in _cut(word.lower(), length):
                for known in self._halves.get((end, half), ()):
                    if abs(len(known) - len(word)) <= 1:
                        found[known] = None
                    if len(found) >= _COMPARED_AT_MOST:
                        return list(found)
        return list(found)


def _halves(word: str) -> list[tuple[bool, str]]:
    return _cut(word.lower(), len(word))


def _cut(word: str, length: int) -> list[tuple[bool, str]]:
    """The first and the last half that a word of some length would share with this one."""
    half = max(1, length // 2)
    return [(False, word[:half]), (True, word[-half:])]
