"""Words for what the domain names only by code or in English, as messages of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from analytics.balance import BalanceReason
from analytics.trust import TrustReason
from api.console.words import Words
from hearthline.domain.places import DeviceKind, DeviceRole, PlaceKind
from hearthline.domain.readings import RejectReason
from hearthline.domain.sentences import TICKET_WORDS


def N_(message: str) -> str:
    """Mark a message for gettext tools; it is translated where it is shown."""
    return message


REFUSALS = {
    RejectReason.NO_FORMAT: N_("No decoder knows this topic"),
    RejectReason.MALFORMED: N_("Malformed"),
    RejectReason.NO_QUANTITY: N_("Nothing in it to store"),
    RejectReason.NOT_A_NUMBER: N_("Not a number"),
    RejectReason.OUT_OF_RANGE: N_("Out of range"),
    RejectReason.BAD_TIME: N_("Unreadable time"),
    RejectReason.TOO_OLD: N_("Too old"),
    RejectReason.IN_THE_FUTURE: N_("In the future"),
    RejectReason.UNKNOWN_DEVICE: N_("Unknown device"),
    RejectReason.WRONG_KIND: N_("Wrong kind of device"),
    RejectReason.UNKNOWN_ALIAS: N_("Names of its values not known yet"),
    RejectReason.NEEDS_PROFILE: N_("Needs a device profile"),
}

DEVICE_KINDS = {
    DeviceKind.ROOM: N_("Room sensor"),
    DeviceKind.METER: N_("Heat meter"),
    DeviceKind.WEATHER: N_("Weather station"),
}

ROLES = {
    DeviceRole.ROOM: N_("Room of a dwelling"),
    DeviceRole.PRIMARY: N_("Meter, primary side"),
    DeviceRole.SECONDARY: N_("Meter, secondary side"),
    DeviceRole.BRANCH: N_("Meter of a building, entrance or dwelling"),
    DeviceRole.WEATHER: N_("Weather outdoors"),
}

PLACE_KINDS = {
    PlaceKind.SOURCE: N_("heat source"),
    PlaceKind.SUBSTATION: N_("substation"),
    PlaceKind.CIRCUIT: N_("circuit"),
    PlaceKind.BUILDING: N_("building"),
    PlaceKind.ENTRANCE: N_("entrance"),
    PlaceKind.RISER: N_("riser"),
    PlaceKind.UNIT: N_("dwelling"),
}

GRADE_MEASURES: Mapping[TrustReason, tuple[str, int]] = {
    TrustReason.SUSPECT_FLAT: (N_("at %(value)s °C"), 1),
    TrustReason.STUCK: (N_("at %(value)s °C"), 1),
    TrustReason.MOVED: (N_("by %(value)s K"), 1),
    TrustReason.WINDOW: (N_("by %(value)s K"), 1),
    TrustReason.SWAPPED: (N_("by %(value)s K"), 1),
    TrustReason.RADIATOR: (N_("%(value)s K beside its neighbours"), 1),
    TrustReason.SUN: (N_("%(value)s K per 100 W/m² of sun"), 2),
    TrustReason.OUTDOORS: (N_("%(value)s K beside its neighbours"), 1),
    TrustReason.DRIFT: (N_("%(value)s K a week"), 2),
    TrustReason.UNTRIED: (N_("%(value)s K beside its neighbours"), 1),
    TrustReason.UNFELT: (N_("%(value)s K beside its neighbours"), 1),
    TrustReason.CLOCK_SKEWED: (N_("by %(value)s s"), 0),
    TrustReason.BATTERY: (N_("for %(value)s h"), 0),
    TrustReason.SILENT: (N_("for %(value)s h"), 0),
    TrustReason.GATEWAY_OUT: (N_("for %(value)s h"), 0),
}
"""How the number of a grade's reason is said, and with how many decimals."""

BALANCE_REASONS = {
    BalanceReason.NO_SUPPLY_METER: N_("Nothing measures what goes in."),
    BalanceReason.NO_CONSUMER_METER: N_("Nothing measures what comes out."),
    BalanceReason.WINDOW_TOO_SHORT: N_("Less than a day was measured."),
    BalanceReason.SUPPLY_GAP: N_("The supply meter has gaps."),
    BalanceReason.SUPPLY_REVERSED: N_("The supply meter has its pipes swapped."),
    BalanceReason.COVERAGE_LOW: N_("Too few consumers have valid data."),
    BalanceReason.STORAGE_UNKNOWN: N_("The heat stored in the pipes is not known."),
    BalanceReason.NEGATIVE_LOSS: N_("More came out than went in: a meter is wrong."),
}


GRADE_REASONS = {
    TrustReason.GOOD: N_("plausible"),
    TrustReason.SUSPECT_FLAT: N_("suspiciously even"),
    TrustReason.STUCK: N_("stuck at one value"),
    TrustReason.MOVED: N_("moved or knocked"),
    TrustReason.WINDOW: N_("a window is open beside it"),
    TrustReason.SWAPPED: N_("swapped with another dwelling"),
    TrustReason.RADIATOR: N_("hangs by a radiator"),
    TrustReason.SUN: N_("hangs in the sun"),
    TrustReason.OUTDOORS: N_("feels the outdoor air"),
    TrustReason.DRIFT: N_("drifting away from its neighbours"),
    TrustReason.UNTRIED: N_("newly heard, its place not known yet"),
    TrustReason.UNFELT: N_("cold that its neighbours do not feel"),
    TrustReason.CLOCK_SKEWED: N_("its clock is wrong"),
    TrustReason.BATTERY: N_("silent, battery low"),
    TrustReason.SILENT: N_("silent"),
    TrustReason.GATEWAY_OUT: N_("its gateway is out"),
}

# Sentences that the desk and the read models raise in English, and the messages that say the same.
# A group named ``state``, ``action`` or ``kind`` is a word of the ticket's life-cycle.
SENTENCES = tuple(
    (re.compile(pattern), message)
    for pattern, message in (
        (
            r"Ticket (?P<number>\S+) has changed since you opened it\.",
            N_("Ticket %(number)s has changed since you opened it."),
        ),
        (
            r"Look at its latest events, then act again\.",
            N_("Look at its latest events, then act again."),
        ),
        (
            r"A ticket that is (?P<state>\w+) does not take the action (?P<action>\w+)\.",
            N_("“%(action)s” is not possible while the ticket is “%(state)s”."),
        ),
        (
            r"A ticket that is (?P<state>\w+) cannot be (?P<kind>\w+)\.",
            N_("“%(kind)s” is not possible while the ticket is “%(state)s”."),
        ),
        (
            r"Reload the ticket: somebody may have moved it meanwhile\.",
            N_("Reload the ticket: somebody may have moved it meanwhile."),
        ),
        (
            r"The rooms are not warm yet, so the ticket cannot be closed\.",
            N_("The rooms are not warm yet, so the ticket cannot be closed."),
        ),
        (
            r"Wait for the readings to recover, or give a certified reading.*",
            N_("Wait for the readings to recover, or give a certified reading."),
        ),
        (
            r"A follow-up call records whether the customer is satisfied\.",
            N_("A follow-up call records whether the customer is satisfied."),
        ),
        (r"A pause needs a reason\.", N_("A pause needs a reason.")),
        (r"Give one of: .*", N_("Choose a reason from the list.")),
        (r"There is no action .*", N_("There is no such action.")),
        (r"Use one of: .*", ""),
        (r"There is no ticket '?(?P<number>[^']*?)'?\.", N_("There is no ticket %(number)s.")),
        (
            r"There is no (dwelling|building|place) with the code '(?P<code>.*)'\.",
            N_("There is no place with the code %(code)s."),
        ),
        (r"There is no device '(?P<uid>.*)'\.", N_("There is no device %(uid)s.")),
        (r"See `hearthline devices list`\.", ""),
        (
            r"A heat meter needs the pipe that holds its flow sensor\.",
            N_("A heat meter needs the pipe that holds its flow sensor."),
        ),
        (
            r"Say supply or return; most hang in the return\.",
            N_("Say supply or return; most hang in the return."),
        ),
        (
            r"A device of the role (?P<role>\w+) does not hang at a (?P<place_kind>\w+) "
            r"\((?P<code>.*)\)\.",
            N_("“%(role)s” is not possible at %(code)s (%(place_kind)s)."),
        ),
        (r"It hangs at a (?P<place_kinds>.*)\.", N_("Possible: %(place_kinds)s.")),
        (
            r"The ledger has the device (?P<uid>.*) already\.",
            N_("The ledger has the device %(uid)s already."),
        ),
        (
            r"Move it with `hearthline ledger move` if it hangs elsewhere\.",
            N_("Should it hang elsewhere, move it with “hearthline ledger move”."),
        ),
        (
            r"There is no device profile '(?P<name>.*)'\.",
            N_("There is no device profile %(name)s."),
        ),
        (r"Try (?P<near>.*)\.", N_("Try %(near)s.")),
        (
            r"The profile (?P<name>\S+) reads a device of kind (?P<device_kind>\w+), "
            r"and the role (?P<role>\w+) is played by .*",
            N_("The profile %(name)s is for “%(device_kind)s” and does not fit “%(role)s”."),
        ),
        (r"Choose another profile or role\.", N_("Choose another profile or role.")),
        (r"No stranger is called '(?P<uid>.*)'\.", N_("No unknown device is called %(uid)s.")),
        (r"See `hearthline strangers list`\.", ""),
        (r"Did you mean (?P<near>.*)\?", N_("Did you mean %(near)s?")),
        (r"Import it first\.", N_("Import it with the ledger first.")),
        (r"There is nothing at (?P<path>.*)\.", N_("There is no page %(path)s.")),
        (r"The database does not answer\.", N_("The database does not answer.")),
        (
            r"Run `hearthline doctor` to see why\.",
            N_("Run “hearthline doctor” on the server to see why."),
        ),
    )
)


def told(words: Words, sentence: str) -> str:
    """An error's sentence in the reader's language; one that is not known stays as it is."""
    for pattern, message in SENTENCES:
        match = pattern.fullmatch(sentence)
        if match:
            values = {name: _word(words, name, text) for name, text in match.groupdict().items()}
            return words.gettext(message, **values) if message else ""
    return sentence


def _word(words: Words, name: str, text: str) -> str:
    if name in {"state", "action", "kind"} and text in TICKET_WORDS:
        return words.word(text)
    if name == "place_kinds":
        return words.listed(place_kind(words, kind) for kind in text.split(" or "))
    said = {"role": role, "device_kind": device_kind, "place_kind": place_kind}.get(name)
    return text if said is None else said(words, text)


def role(words: Words, code: str) -> str:
    """What a device stands for at its place."""
    return _said(words, ROLES, code)


def device_kind(words: Words, code: str) -> str:
    """What a device measures."""
    return _said(words, DEVICE_KINDS, code)


def place_kind(words: Words, code: str) -> str:
    """A level of the network."""
    return _said(words, PLACE_KINDS, code)


def _said(words: Words, among: Mapping[Any, str], code: str) -> str:
    known = {str(key): message for key, message in among.items()}
    return words.gettext(known[code]) if code in known else code


def refusal(words: Words, reason: str) -> str:
    """Why a message was refused."""
    return _said(words, REFUSALS, reason)


def grade_reason(words: Words, reason: str) -> str:
    """Why a sensor has its grade."""
    return _said(words, GRADE_REASONS, reason)


def grade_measure(words: Words, reason: str, measure: float | None) -> str:
    """The number that goes with a grade's reason, with its unit; nothing where there is none."""
    known = {str(key): value for key, value in GRADE_MEASURES.items()}
    if measure is None or reason not in known:
        return ""
    pattern, digits = known[reason]
    return words.gettext(pattern) % {"value": words.number(measure, digits)}


def balance_reason(words: Words, reason: str) -> str:
    """Why there is no balance."""
    return _said(words, BALANCE_REASONS, reason)
