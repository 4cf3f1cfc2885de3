"""Words for what the domain names only by code or in English, as messages of the catalogue."""

from __future__ import annotations

import re

from analytics.balance import BalanceReason
from analytics.trust import TrustReason
from api.console.words import Words
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
}

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
    return text


def refusal(words: Words, reason: str) -> str:
    """Why a message was refused."""
    known = {str(key): message for key, message in REFUSALS.items()}
    return words.gettext(known[reason]) if reason in known else reason


def grade_reason(words: Words, reason: str) -> str:
    """Why a sensor has its grade."""
    known = {str(key): message for key, message in GRADE_REASONS.items()}
    return words.gettext(known[reason]) if reason in known else reason


def balance_reason(words: Words, reason: str) -> str:
    """Why there is no balance."""
    known = {str(key): message for key, message in BALANCE_REASONS.items()}
    return words.gettext(known[reason]) if reason in known else reason
