"""The vocabulary: trees, policies by date, and a word in both languages for everything."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import product

import pytest

from hearthline.clock import floor
from hearthline.domain import sentences
from hearthline.domain.complaints import Channel
from hearthline.domain.findings import CAUSES, Cause, EvidenceCode, Responsibility, TicketKind
from hearthline.domain.places import (
    Device,
    DeviceKind,
    DeviceRole,
    FlowPipe,
    Place,
    PlaceKind,
    paths,
)
from hearthline.domain.policies import PROFILES, DayVerdict, HoldReason
from tickets.lifecycle import Action, EventKind, PauseReason, State


def place(code: str, parent: str | None) -> Place:
    return Place(code, PlaceKind.SOURCE, parent, code)


def test_a_path_names_every_ancestor() -> None:
    """Codes from the root, each followed by a slash."""
    tree = [place("C", "B"), place("A", None), place("B", "A")]
    assert paths(tree) == {"A": "A/", "B": "A/B/", "C": "A/B/C/"}


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ([place("A", "B"), place("B", "A")], "own ancestor"),
        ([place("A", "X")], "does not exist"),
        ([place("A/B", None)], "slash"),
    ],
)
def test_a_broken_tree_is_refused_with_its_reason(tree: list[Place], reason: str) -> None:
    """Loops, orphans and impossible codes."""
    with pytest.raises(ValueError, match=reason):
        paths(tree)


def test_a_heat_meter_says_which_pipe_holds_its_flow_sensor() -> None:
    """Guessing wrong costs up to 4.5 % of the heat."""
    with pytest.raises(ValueError, match="which pipe"):
        Device("own:x/m", DeviceKind.METER, DeviceRole.BRANCH, "A")
    assert Device("own:x/m", DeviceKind.METER, DeviceRole.BRANCH, "A", FlowPipe.RETURN)


def test_the_rule_of_a_day_is_the_version_valid_then() -> None:
    """Heilongjiang went from 18 to 20 °C on 29 October 2021."""
    rule = PROFILES["heilongjiang"]
    assert rule.on(date(2021, 10, 28)).threshold_c == 18
    assert rule.on(date(2021, 10, 29)).threshold_c == 20
    with pytest.raises(LookupError):
        rule.on(date(1999, 1, 1))


def test_a_season_spans_the_new_year() -> None:
    """20 October to 20 April, both included."""
    rule = PROFILES["standard-18"].versions[0]
    inside = [date(2026, 10, 20), date(2026, 12, 31), date(2027, 1, 1), date(2027, 4, 20)]
    assert all(rule.in_season(day) for day in inside)
    assert not rule.in_season(date(2026, 10, 19))
    assert not rule.in_season(date(2027, 4, 21))


def test_a_local_day_is_not_a_utc_day() -> None:
    """Eight in the evening UTC is tomorrow in Harbin."""
    rule = PROFILES["standard-18"].versions[0]
    assert rule.local_day(datetime(2026, 1, 12, 20, tzinfo=UTC)) == date(2026, 1, 13)


def test_floor_cuts_to_whole_steps() -> None:
    """On the grid since the epoch."""
    at = datetime(2026, 1, 12, 3, 47, 12, tzinfo=UTC)
    assert floor(at, timedelta(hours=1)).minute == 0
    assert floor(at, timedelta(minutes=5)).minute == 45


def test_every_cause_has_its_facts() -> None:
    """Who acts, and what kind of ticket."""
    assert set(CAUSES) == set(Cause)


SPOKEN: list[tuple[object, type[StrEnum]]] = [
    (sentences.cause_name, Cause),
    (sentences.first_action, Cause),
    (sentences.responsibility_name, Responsibility),
    (sentences.kind_name, TicketKind),
    (sentences.channel_name, Channel),
    (sentences.hold_reason_name, HoldReason),
    (sentences.verdict_name, DayVerdict),
    (sentences.state_name, State),
    (sentences.action_name, Action),
    (sentences.event_name, EventKind),
    (sentences.ticket_word, PauseReason),
]


@pytest.mark.parametrize(("speak", "words"), SPOKEN)
def test_every_word_is_there_in_both_languages(speak: object, words: type[StrEnum]) -> None:
    """And the Chinese one is Chinese."""
    for word in words:
        english, chinese = speak(word, "en"), speak(word, "zh_CN")  # type: ignore[operator]
        assert bool(english) == bool(chinese)
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in english)
        assert not chinese or any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


class Anything(dict[str, object]):
    """Values for a template: a number that formats any way, a name in both languages."""

    numbers = ("_c", "_k", "_m3h", "_pct", "_kpa", "cold", "sensed", "warm", "count", "hours")

    def __missing__(self, key: str) -> object:
        return 3.0 if key.endswith(self.numbers) else "there"


@pytest.mark.parametrize(("code", "locale"), list(product(EvidenceCode, sentences.LOCALES)))
def test_every_evidence_is_a_sentence(code: EvidenceCode, locale: str) -> None:
    """Both languages take the same values."""
    template = sentences.EVIDENCE_SENTENCES[code][locale.startswith("zh")]
    sentence = template.format_map(Anything())
    assert sentence.endswith(("。", "."))
    assert "{" not in sentence


def test_evidence_names_places_in_the_readers_language() -> None:
    """A value given in two languages is shown in one."""
    evidence = {
        "code": "deep_below",
        "values": {"place": {"en": "House 3, 602", "zh": "3号楼602室"}, "min_c": 16.2},
    }
    assert "House 3, 602 at 16.2" in sentences.evidence_sentence(evidence, "en")
    assert "3号楼602室" in sentences.evidence_sentence(evidence, "zh_CN")
