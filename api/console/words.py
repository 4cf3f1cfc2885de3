"""How a page says numbers, times and names, for one reader: language, time zone, present instant.

Times are shown in the policy's zone, absolute and relative; the page's script keeps the relative
ones fresh. Place names follow the reader's language where the ledger has both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup

from api.console.i18n import html_lang, locale_of, translations
from hearthline.domain import sentences

NOTHING = "–"
# Levels that a breadcrumb names; circuits and risers say nothing to a dispatcher.
CRUMBS = ("substation", "building", "entrance", "unit")


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a template needs to speak to one reader."""

    locale: str
    zone: ZoneInfo
    now: datetime

    @property
    def lang(self) -> str:
        """For ``<html lang>``."""
        return html_lang(self.locale)

    @property
    def chinese(self) -> bool:
        """Whether the reader reads Chinese."""
        return self.locale.startswith("zh")

    def gettext(self, message: str, **values: Any) -> str:
        """A message of the catalogue."""
        text = str(translations(self.locale).gettext(message))
        return text % values if values else text

    # ── numbers ──
    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with a fixed count of decimals."""
        if value is None:
            return NOTHING
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return format_decimal(value, pattern, locale=locale_of(self.locale)).replace("-", "−")

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share of 1 as a percentage; never rounded up to a full hundred."""
        if share is None:
            return NOTHING
        if share < 1:
            share = min(share, 1 - 10.0 ** -(digits + 2))
        pattern = "0" + ("." + "0" * digits if digits else "") + " %"
        return format_percent(share, pattern, locale=locale_of(self.locale))

    def celsius(self, value: float | None, digits: int = 1) -> str:
        """A temperature with its unit."""
        return NOTHING if value is None else f"{self.number(value, digits)} °C"

    # ── times ──
    def local(self, at: datetime) -> datetime:
        """An instant in the policy's zone."""
        return at.astimezone(self.zone)

    def clock(self, at: datetime | None) -> str:
        """Hour and minute, with the day unless it is today."""
        if at is None:
            return NOTHING
        local = self.local(at)
        locale = locale_of(self.locale)
        hour = format_time(local, "HH:mm", locale=locale, tzinfo=self.zone)
        if local.date() == self.local(self.now).date():
            return hour
        return f"{self.day(local.date())} {hour}"

    def day(self, day: date) -> str:
        """Day and month, with the year unless it is this year's."""
        this_year = day.year == self.local(self.now).year
        if self.chinese:
            pattern = "M月d日" if this_year else "y年M月d日"
        else:
            pattern = "d MMM" if this_year else "d MMM y"
        return format_date(day, pattern, locale=locale_of(self.locale))

    def month(self, day: date) -> str:
        """A month, short."""
        return format_date(day, "LLL", locale=locale_of(self.locale))

    def stamp(self, at: datetime) -> str:
        """Day, hour and minute, today as well."""
        local = self.local(at)
        return f"{self.day(local.date())} {local:%H:%M}"

    def full(self, at: datetime | None) -> str:
        """An instant in full, for a tooltip."""
        if at is None:
            return NOTHING
        pattern = "y年M月d日 EEE HH:mm:ss ZZZZ" if self.chinese else "EEE d MMM y HH:mm:ss ZZZZ"
        return format_datetime(at, pattern, tzinfo=self.zone, locale=locale_of(self.locale))

    def ago(self, at: datetime | None) -> str:
        """How long ago, or in how long."""
        if at is None:
            return NOTHING
        return format_timedelta(
            at - self.now, add_direction=True, threshold=1.4, locale=locale_of(self.locale)
        )

    def time(self, at: datetime | None, *, relative: bool = False) -> Markup:
        """A ``<time>`` element: absolute, with the relative form beside it or in the tooltip."""
        if at is None:
            return Markup("–")
        shown = Markup('<time datetime="{0}" title="{1}">{2}</time>').format(
            at.isoformat(timespec="seconds"), self.full(at), self.clock(at)
        )
        if not relative:
            return shown
        return shown + Markup(' <span class="ago" data-ago="{0}">{1}</span>').format(
            at.isoformat(timespec="seconds"), self.ago(at)
        )

    def duration(self, span: timedelta) -> str:
        """Hours and minutes, short: 2 h 05 min."""
        minutes = max(1, int(abs(span).total_seconds() // 60))
        days, rest = divmod(minutes, 24 * 60)
        hours, minutes = divmod(rest, 60)
        if days:
            text = self.gettext("%(days)s d %(hours)s h")
        elif hours:
            text = self.gettext("%(hours)s h %(minutes)s min")
        else:
            text = self.gettext("%(minutes)s min")
        return text % {
            "days": days,
            "hours": hours,
            "minutes": f"{minutes:02d}" if hours else minutes,
        }

    # ── names ──
    def name(self, row: Mapping[str, Any]) -> str:
        """The name of a place in the reader's language."""
        return str((row.get("name_zh") if self.chinese else None) or row["name"])

    def crumbs(
        self, path: str, known: Mapping[str, Mapping[str, Any]]
    ) -> list[tuple[str, str, str]]:
        """(code, kind, name) of the places on a path that a dispatcher would say."""
        places = [known[code] for code in path.split("/") if code in known]
        said = [place for place in places if place["kind"] in CRUMBS]
        return [(p["code"], p["kind"], self.name(p)) for p in said or places[-1:]]

    def whole(self, path: str, known: Mapping[str, Mapping[str, Any]]) -> str:
        """A place in words, from the substation down."""
        return " › ".join(name for _code, _kind, name in self.crumbs(path, known))

    def within(self, path: str, around: str, known: Mapping[str, Mapping[str, Any]]) -> str:
        """A place in words, without what is said already by the place around it."""
        said = set(around.split("/"))
        steps = [name for code, _kind, name in self.crumbs(path, known) if code not in said]
        return " › ".join(steps) or self.whole(path, known)

    # ── the domain's words ──
    def cause(self, cause: str) -> str:
        """A cause."""
        return sentences.cause_name(cause, self.locale)

    def first_action(self, cause: str, responsibility: str) -> str:
        """What to do first, given who has to act."""
        return sentences.recommended_action(cause, responsibility, self.locale)

    def channel(self, channel: str) -> str:
        """How a complaint came in."""
        return sentences.channel_name(channel, self.locale)

    def responsibility(self, responsibility: str) -> str:
        """Who has to act."""
        return sentences.responsibility_name(responsibility, self.locale)

    def kind(self, kind: str) -> str:
        """Supply or sensor."""
        return sentences.kind_name(kind, self.locale)

    def hold(self, reason: str) -> str:
        """Why no ticket."""
        return sentences.hold_reason_name(reason, self.locale)

    def verdict(self, verdict: str) -> str:
        """The ledger's word on a day."""
        return sentences.verdict_name(verdict, self.locale)

    def word(self, word: str) -> str:
        """A state, action, event or pause reason."""
        return sentences.ticket_word(word, self.locale)

    def evidence(self, piece: Mapping[str, Any]) -> str:
        """One piece of evidence as a sentence."""
        return sentences.evidence_sentence(piece, self.locale)

    def listed(self, names: Iterable[str]) -> str:
        """Names in a row."""
        return ("、" if self.chinese else ", ").join(names)
