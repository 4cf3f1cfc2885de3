"""A picture of what a run did: weather, rooms, cold dwellings, faults, plant and messages.

Fed hour by hour by ``survey``; of the rooms it keeps a few quantiles of each hour, so a town of a
million dwellings costs no more than a hamlet. Colours are Okabe and Ito's, which people tell apart
whatever their eyes, and every series also differs in style or label, so it survives a copier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.city import City, FaultTruth
from simulators.truth.survey import Hour, utc_anchor

Array = NDArray[np.float64]

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#7F7F7F"

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)
_CIRCUITS_APART = 6
_BARS_APART = 14
_FORMATS = (".png", ".svg", ".pdf")


class PictureError(ValueError):
    """A picture cannot be drawn; the text says why and what to do."""


def check_picture(path: str | Path) -> Path:
    """The path, if a picture can be drawn there.

    Raises:
        PictureError: the ending is unknown, the folder is missing, or matplotlib is not installed.
    """
    target = Path(path)
    if target.suffix not in _FORMATS:
        raise PictureError(f"a picture ends in {', '.join(_FORMATS)}, got {target.name!r}")
    if not target.parent.is_dir():
        raise PictureError(f"there is no folder {target.parent}; make it first")
    try:
        import_module("matplotlib")
    except ImportError:
        raise PictureError(
            "a picture needs matplotlib, which is not installed; "
            "run `pip install 'hearthline[simulator]'`"
        ) from None
    return target


@dataclass(frozen=True, slots=True)
class _Moment:
    """What is kept of one hour."""

    outdoor_c: float
    rooms_c: Array
    twin_median_c: float
    cold: int
    twin_cold: int
    source_kw: float
    supply_c: Array
    return_c: Array


@dataclass(slots=True)
class Picture:
    """Takes the hours of a survey in order, and draws them."""

    city: City
    anchor: datetime
    _moments: list[_Moment] = field(default_factory=list)
    _messages: Mapping[int, int] = field(default_factory=dict)

    def take(self, hour: Hour) -> None:
        """One more hour."""
        limit = self.city.scenario.threshold_c
        self._moments.append(
            _Moment(
                outdoor_c=hour.plant.outdoor_c,
                rooms_c=np.quantile(hour.room_c, QUANTILES),
                twin_median_c=float(np.median(hour.twin_c)),
                cold=int(np.count_nonzero(hour.room_c < limit)),
                twin_cold=int(np.count_nonzero(hour.twin_c < limit)),
                source_kw=hour.plant.source_kw,
                supply_c=hour.plant.supply_c.astype(float),
                return_c=hour.plant.return_c.astype(float),
            )
        )

    def messages_per_hour(self, counts: Mapping[int, int]) -> None:
        """Messages published in each hour from the anchor on."""
        self._messages = counts

    def draw(self, path: str | Path) -> Path:
        """Draw everything into a file; where it is.

        Raises:
            PictureError: nothing was taken, or as for ``check_picture``.
        """
        target = check_picture(path)
        if not self._moments:
            raise PictureError("there is no hour to draw; simulate an hour or more")
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        with rc_context(_STYLE):
            bars = fault_bars(self.city.truth, len(self._moments))
            heights = [1.0, 2.0, 1.2, 0.35 + 0.17 * max(len(bars), 2), 1.1, 1.5, 0.9]
            figure = Figure(figsize=(11.0, 1.4 * sum(heights) + 0.8), layout="constrained")
            FigureCanvasAgg(figure)
            panels = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
            _Drawing(self, panels, bars).everything(figure)
            figure.savefig(target, dpi=150, metadata=_plain_metadata(target))
        return target

    @property
    def hours(self) -> NDArray[np.object_]:
        """The hours' middles in the scenario's time zone, without zone, as the axis shows them."""
        zone = ZoneInfo(self.city.scenario.timezone)
        start = utc_anchor(self.anchor).astimezone(zone).replace(tzinfo=None)
        middles = [start + timedelta(hours=n + 0.5) for n in range(len(self._moments))]
        return np.array(middles, dtype=object)

    def series(self, name: str) -> Array:
        """One quantity of every hour, [hours] or [hours, …]."""
        return np.array([getattr(moment, name) for moment in self._moments], dtype=float)

    @property
    def messages(self) -> Array:
        """Messages of every hour."""
        return np.array([self._messages.get(n, 0) for n in range(len(self._moments))], float)


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the fault panel: when it acts, in hours from the anchor, and what it says."""

    label: str
    spans_h: tuple[tuple[float, float], ...]
    onsets_h: tuple[float, ...]
    of_sensor: bool


def fault_bars(truth: tuple[FaultTruth, ...], hours: int) -> list[Bar]:
    """A bar for each fault that acts in the run; where they are many, one for each cause."""
    acting = [fault for fault in truth if _acts(fault, hours)]
    if len(acting) <= _BARS_APART:
        groups = [(_label(fault), [fault]) for fault in acting]
    else:
        causes = sorted({str(fault.cause) for fault in acting})
        grouped = [(cause, [f for f in acting if f.cause == cause]) for cause in causes]
        groups = [(f"{_words(cause)} ({len(those)})", those) for cause, those in grouped]
    return [
        Bar(
            label=label,
            spans_h=_joined([_span(fault, hours) for fault in those]),
            onsets_h=tuple(
                sorted({h for fault in those if 0 <= (h := round(_hours(fault.onset), 1)) < hours})
            ),
            of_sensor=all(not fault.reach for fault in those),
        )
        for label, those in groups
    ]


def _acts(fault: FaultTruth, hours: int) -> bool:
    return _hours(fault.onset) < hours and (fault.end is None or fault.end > timedelta(0))


def _hours(offset: timedelta) -> float:
    return offset / timedelta(hours=1)


def _span(fault: FaultTruth, hours: int) -> tuple[float, float]:
    end = hours if fault.end is None else min(_hours(fault.end), hours)
    return max(_hours(fault.onset), 0.0), float(end)


def _joined(spans_h: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """When at least one of them acts: thousands of faults are a few bars."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans_h):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def _words(cause: str) -> str:
    return cause.replace("_", " ")


def _label(fault: FaultTruth) -> str:
    more = f" +{len(fault.places) - 1}" if len(fault.places) > 1 else ""
    return f"{_words(str(fault.cause))}  {fault.places[0]}{more}"


_STYLE: Any = {
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "svg.hashsalt": "hearthline",
    "svg.fonttype": "none",
}


def _plain_metadata(target: Path) -> dict[str, Any]:
    """No instant of drawing: the same run gives the same bytes."""
    return {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(target.suffix, {})


@dataclass(slots=True)
class _Drawing:
    """The panels from top to bottom; any matplotlib object is ``Any`` here."""

    picture: Picture
    panels: Any
    bars: list[Bar]
    at: Any = None

    def everything(self, figure: Any) -> None:
        self.at = self.picture.hours
        weather, rooms, cold, faults, heat, water, messages = self.panels
        self._weather(weather)
        self._rooms(rooms)
        self._cold(cold)
        self._faults(faults)
        self._heat(heat)
        self._water(water)
        self._post(messages)
        self._onsets()
        self._axis(messages)
        title = self.picture.city.scenario.title
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")

    def _what(self) -> str:
        city = self.picture.city
        return (
            f"{city.scenario.name}, seed {city.seed}: {city.layout.units:,} dwellings, "
            f"{city.coverage:.0%} with a sensor, {len(city.faults):,} faults"
        )

    def _weather(self, panel: Any) -> None:
        panel.set_title("Outdoor temperature")
        panel.set_title(self._what(), loc="right", fontsize=8.5, fontweight="normal")
        panel.plot(self.at, self.picture.series("outdoor_c"), color=BLUE)
        panel.set_ylabel("°C")

    def _rooms(self, panel: Any) -> None:
        panel.set_title("True room temperatures (hourly means)")
        p1, p10, median, p90, p99 = self.picture.series("rooms_c").T
        panel.fill_between(self.at, p1, p99, color=SKY, alpha=0.30, lw=0, label="1–99 %")
        panel.fill_between(self.at, p10, p90, color=SKY, alpha=0.65, lw=0, label="10–90 %")
        panel.plot(self.at, median, color=BLUE, label="median")
        if self.picture.city.faults:
            without = self.picture.series("twin_median_c")
            panel.plot(self.at, without, color=BLACK, ls=":", label="median without faults")
        limit = self.picture.city.scenario.threshold_c
        panel.axhline(limit, color=VERMILION, ls="--", lw=1.1, label=f"standard {limit:g} °C")
        panel.set_ylabel("°C")
        _legend(panel)

    def _cold(self, panel: Any) -> None:
        panel.set_title("Dwellings below the standard")
        cold, without = self.picture.series("cold"), self.picture.series("twin_cold")
        panel.fill_between(self.at, cold, step="mid", color=VERMILION, alpha=0.35, lw=0)
        panel.plot(self.at, cold, color=VERMILION, drawstyle="steps-mid", label="as it was")
        if self.picture.city.faults:
            panel.plot(
                self.at,
                without,
                color=BLACK,
                ls=":",
                drawstyle="steps-mid",
                clip_on=False,  # nobody cold lies on the axis
                label="without faults",
            )
        panel.set_ylim(0, max(1.0, 1.08 * float(max(cold.max(), without.max()))))
        panel.set_ylabel("dwellings")
        _whole_numbers(panel)
        _legend(panel)

    def _faults(self, panel: Any) -> None:
        panel.set_title("Faults (▼ onset; hatched: sensors, not rooms)")
        for row, bar in enumerate(self.bars):
            for start, end in bar.spans_h:
                panel.barh(
                    row,
                    self._time(end) - self._time(start),
                    left=self._time(start),
                    height=0.62,
                    color="white" if bar.of_sensor else ORANGE,
                    edgecolor=PURPLE if bar.of_sensor else ORANGE,
                    hatch="/////" if bar.of_sensor else None,
                    linewidth=0.8,
                )
            for onset in bar.onsets_h:
                panel.plot(self._time(onset), row - 0.42, marker="v", color=BLACK, ms=3.5)
        panel.set_yticks(range(len(self.bars)), [bar.label for bar in self.bars], fontsize=7)
        panel.set_ylim(max(len(self.bars), 1) - 0.4, -0.8)
        panel.yaxis.tick_right()
        panel.tick_params(axis="y", length=0)
        panel.grid(axis="y", visible=False)
        if not self.bars:
            panel.text(0.01, 0.4, "none", transform=panel.transAxes, color=GREY)

    def _heat(self, panel: Any) -> None:
        heat_kw = self.picture.series("source_kw")
        large = float(heat_kw.max()) >= 5000.0
        panel.set_title("Heat from the source")
        panel.plot(self.at, heat_kw / (1000.0 if large else 1.0), color=VERMILION)
        panel.set_ylim(bottom=0)
        panel.set_ylabel("MW" if large else "kW")

    def _water(self, panel: Any) -> None:
        supply, back = self.picture.series("supply_c"), self.picture.series("return_c")
        panel.set_title("Secondary supply (solid) and return (dashed) of each circuit")
        if supply.shape[1] <= _CIRCUITS_APART:
            colours = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, BLACK)
            for circuit, colour in zip(range(supply.shape[1]), colours, strict=False):
                name = self._circuit(circuit)
                panel.plot(self.at, supply[:, circuit], color=colour, lw=1.1, label=name)
                panel.plot(self.at, back[:, circuit], color=colour, ls="--", lw=1.1)
        else:
            for values, colour, name, style in (
                (supply, VERMILION, "supply", "-"),
                (back, BLUE, "return", "--"),
            ):
                low, median, high = np.quantile(values, (0.0, 0.5, 1.0), axis=1)
                panel.fill_between(self.at, low, high, color=colour, alpha=0.2, lw=0)
                panel.plot(self.at, median, color=colour, ls=style, label=f"{name}: median, range")
        panel.set_ylabel("°C")
        _legend(panel)

    def _circuit(self, index: int) -> str:
        from hearthline.domain.places import PlaceKind

        return self.picture.city.layout.codes[PlaceKind.CIRCUIT][index]

    def _post(self, panel: Any) -> None:
        panel.set_title("Messages per hour")
        panel.bar(self.at, self.picture.messages, width=1 / 24.0, color=GREEN, lw=0)
        panel.set_ylim(bottom=0)
        panel.set_ylabel("messages")
        _whole_numbers(panel)

    def _onsets(self) -> None:
        """Thin lines through all panels where a few faults strike."""
        onsets = {onset for bar in self.bars for onset in bar.onsets_h}
        if len(onsets) <= _BARS_APART:
            for panel in self.panels:
                for onset in onsets:
                    panel.axvline(self._time(onset), color=GREY, lw=0.6, ls=(0, (2, 3)), zorder=0.5)

    def _time(self, hour: float) -> Any:
        from matplotlib.dates import date2num

        return float(date2num(self.at[0])) + (hour - 0.5) / 24.0

    def _axis(self, panel: Any) -> None:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=5, maxticks=12)
        panel.xaxis.set_major_locator(locator)
        panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        panel.set_xlim(self._time(0.0), self._time(float(len(self.at))))
        panel.set_xlabel(f"local time ({self.picture.city.scenario.timezone})")


def _legend(panel: Any) -> None:
    """Beside the panel, where it hides nothing."""
    panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)


def _whole_numbers(panel: Any) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    panel.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
