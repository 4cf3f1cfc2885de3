"""The acknowledgement window of one MQTT session: what is held, and what may be acknowledged.

MQTT 5 wants PUBACKs in the order in which the PUBLISHes came (4.6.0-2), and we want none before
its message is committed. After a disconnect the broker sends everything unacknowledged again,
under the same packet identifiers with the DUP flag set (4.4.0-1), while we may still hold the
first copy, not yet written. The window recognises that copy by packet identifier and content and
moves it to the new connection instead of holding it twice, so a connection that flaps while the
database is away cannot fill the memory, and a message without an identity of its own is not
written twice.

Pure: no socket, no lock. The shell calls it from one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from zlib import crc32

import msgspec


class Delivery(msgspec.Struct, eq=False, gc=False):
    """One QoS 1 message in hand. ``connection`` is the one on which it is to be acknowledged."""

    mid: int
    digest: int
    dup: bool
    connection: int
    opens_session: bool = False  # the first message of a session that the broker began anew
    committed: bool = False


def digest(topic: bytes, payload: bytes) -> int:
    """32 bits of a message's content; with the packet identifier enough to know it again."""
    return crc32(payload, crc32(topic))


class Window:
    """Deliveries in receive order, from arrival to acknowledgement."""

    def __init__(self) -> None:
        self._connection = 0
        self._connected = False
        self._new_session = False
        self._order: deque[Delivery] = deque()
        self._held: dict[int, Delivery] = {}

    def __len__(self) -> int:
        return len(self._held)

    def connected(self, *, session_present: bool) -> None:
        """A connection begins. Without its session the old packet identifiers mean nothing."""
        self._connection += 1
        self._connected = True
        self._order.clear()
        if not session_present:
            self._new_session = True
            self._held.clear()

    def disconnected(self) -> None:
        """The connection is gone: nothing can be acknowledged on it any more."""
        self._connected = False
        self._order.clear()

    def receive(self, mid: int, content: int, *, dup: bool) -> Delivery | None:
        """Take a message in; None for a copy of one that is held, which now stands for it."""
        held = self._held.get(mid) if dup else None
        if held is not None and held.digest == content and held.connection != self._connection:
            held.connection = self._connection
            self._order.append(held)
            return None
        delivery = Delivery(mid, content, dup, self._connection, self._new_session)
        self._new_session = False
        self._held[mid] = delivery
        self._order.append(delivery)
        return delivery

    def commit(self, deliveries: Iterable[Delivery]) -> list[int]:
        """Mark deliveries as written; the packet identifiers to acknowledge now, in order."""
        for delivery in deliveries:
            delivery.committed = True
            if self._held.get(delivery.mid) is delivery:
                del self._held[delivery.mid]
        ready: list[int] = []
        while self._connected and self._order and self._order[0].committed:
            ready.append(self._order.popleft().mid)
        return ready
