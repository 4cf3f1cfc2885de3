"""How often somebody may guess a password: a few tries, then a pause.

Counted per login and per address, in memory: a restart forgives, and several processes allow
that many times more, which still leaves guessing hopeless.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

ALLOWED = 5
ALLOWED_PER_ADDRESS = 30  # many people share an office's address
WITHIN = timedelta(minutes=5)
REMEMBERED = 10_000


class Attempts:
    """Failed attempts by key; the oldest keys are forgotten first."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = Lock()

    def wait(self, login: str, address: str, now: datetime) -> timedelta | None:
        """How long to wait before the next try, or None when one is allowed."""
        with self._lock:
            waits = [
                self._wait(f"login:{login}", ALLOWED, now),
                self._wait(f"address:{address}", ALLOWED_PER_ADDRESS, now),
            ]
        return max((wait for wait in waits if wait is not None), default=None)

    def failed(self, login: str, address: str, now: datetime) -> None:
        """Count a wrong password."""
        with self._lock:
            for key in (f"login:{login}", f"address:{address}"):
                self._failures.setdefault(key, []).append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, login: str) -> None:
        """Forget the failures of a login; those of its address stay."""
        with self._lock:
            self._failures.pop(f"login:{login}", None)

    def _wait(self, key: str, allowed: int, now: datetime) -> timedelta | None:
        recent = [at for at in self._failures.get(key, ()) if now - at < WITHIN]
        if recent:
            self._failures[key] = recent
        else:
            self._failures.pop(key, None)
        return recent[-allowed] + WITHIN - now if len(recent) >= allowed else None
