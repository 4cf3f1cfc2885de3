"""News from the database to every open page: one LISTEN for the process, many subscribers.

News is a hint to look again and carries only ticket numbers. A burst is gathered for a moment so
that a storm of thousands of events redraws a page a few times a second at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread

from prometheus_client import Gauge

from hearthline.storage.notices import listen
from hearthline.storage.tickets import TICKET_CHANNEL

GATHER_S = 0.25
HEARTBEAT_S = 20.0

SUBSCRIBERS = Gauge("hearthline_live_subscribers", "Pages that are being kept up to date")


@dataclass(frozen=True, slots=True)
class News:
    """Tickets that changed; ``everything`` after a gap in which any may have."""

    numbers: tuple[str, ...] = ()
    everything: bool = False


@dataclass(eq=False, slots=True)
class _Subscriber:
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: dict[str, None] = field(default_factory=dict)
    everything: bool = False

    def take(self) -> News:
        news = News(tuple(self.numbers), self.everything)
        self.numbers, self.everything = {}, False
        self.woken.clear()
        return news


class Live:
    """Fan-out of ticket news; ``start`` and ``stop`` belong to the application's lifespan."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopped = Event()
        self._subscribers: set[_Subscriber] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to listen, in a thread of its own."""
        self._loop = asyncio.get_running_loop()
        self._stopped.clear()
        self._thread = Thread(target=self._listen, name="live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every subscription, so that open pages do not hold up a stop."""
        self._stopped.set()
        for subscriber in self._subscribers:
            subscriber.woken.set()

    async def stop(self) -> None:
        """Stop listening."""
        self.close()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 3.0)

    async def news(self) -> AsyncIterator[News | None]:
        """News as it comes; None as a heartbeat when there was none for a while."""
        subscriber = _Subscriber()
        self._subscribers.add(subscriber)
        SUBSCRIBERS.inc()
        try:
            while not self._stopped.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(subscriber.woken.wait(), HEARTBEAT_S)
                    await asyncio.sleep(GATHER_S)
                if self._stopped.is_set():
                    return
                yield subscriber.take() if subscriber.woken.is_set() else None
        finally:
            self._subscribers.discard(subscriber)
            SUBSCRIBERS.dec()

    def _listen(self) -> None:
        for notice in listen(self._url, [TICKET_CHANNEL], self._stopped.is_set):
            number = notice[1] if notice else None
            loop = self._loop
            if loop is None or loop.is_closed():
                return
            with suppress(RuntimeError):  # the loop closed between the check and the call
                loop.call_soon_threadsafe(self._publish, number)

    def _publish(self, number: str | None) -> None:
        for subscriber in self._subscribers:
            if number is None:
                subscriber.everything = True
            else:
                subscriber.numbers[number] = None
            subscriber.woken.set()
