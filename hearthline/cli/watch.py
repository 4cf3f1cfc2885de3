"""Say each ticket as it opens: follow the database's notices and print a line for people."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from hearthline.cli.output import err
from hearthline.domain.sentences import cause_name
from hearthline.settings import load
from hearthline.storage import tickets
from hearthline.storage.database import Away, Connection, Row, connect
from hearthline.storage.notices import listen

TOLD = ("opened", "widened")


class TicketWatch:
    """A thread that prints tickets; counts those opened and times the first one."""

    def __init__(self, url: str, began: float) -> None:
        self.opened = 0
        self.first_after_s: float | None = None
        self._url, self._began = url, began
        self._stop = threading.Event()
        settings = load()
        self._zone: ZoneInfo = settings.rule().versions[0].zone()
        self._thread = threading.Thread(target=self._run, name="ticket-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=3)

    def _run(self) -> None:
        last: int | None = None
        for _hint in listen(self._url, [tickets.TICKET_CHANNEL], self._stop.is_set):
            try:
                with connect(self._url) as connection:
                    last = self._tell(connection, last)
            except Away:
                continue  # the next hint looks again from ``last``

    def _tell(self, connection: Connection, last: int | None) -> int:
        """Print what happened after ``last``; the first look only notes where the log ends."""
        if last is None:
            return tickets.last_event(connection)
        for event in tickets.events_after(connection, last):
            if event["kind"] in TOLD:
                self._print(event)
            last = event["id"]
        return last

    def _print(self, event: Row) -> None:
        if event["kind"] == "opened":
            self.opened += 1
            if self.first_after_s is None:
                self.first_after_s = round(time.monotonic() - self._began, 1)
        body = event["body"]
        at = event["at"].astimezone(self._zone).strftime("%m-%d %H:%M")
        cause = body["cause"]
        place = f"{event['place_name']} {event['place_name_zh']}"
        cold = f"{body['cold']} cold of {body['affected']}, "
        who = cold if event["ticket_kind"] == "supply" else ""
        err.print(
            f"  {at}  [bold]{event['number']}[/bold] {event['kind']}: "
            f"{cause_name(cause, 'en')} {cause_name(cause, 'zh')} · {place.strip()}"
            f" · {who}{body['confidence']:.0%} sure"
        )
