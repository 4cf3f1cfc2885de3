"""What a stranger seems to be, for the shelf on which its messages wait.

The guess itself is ``ingest.formats.guess``; here it is put into the words and columns of
``storage.strangers``. A guess never fails: a stranger of whom nothing can be said is told so.
"""

from __future__ import annotations

import structlog

from hearthline.storage.strangers import Guess, GuessOf, Held
from ingest.formats import Registry
from ingest.formats.guess import guess

log = structlog.get_logger("ingest")


def describer(formats: Registry) -> GuessOf:
    """A function that guesses what a uid is from one of its messages."""

    def describe(uid: str, held: Held) -> Guess | None:
        try:
            return _describe(uid, held, formats)
        except Exception as error:
            log.warning("cannot guess what a stranger is", uid=uid, reason=str(error))
            return None

    return describe


def _describe(uid: str, held: Held, formats: Registry) -> Guess:
    found = guess(held.topic, held.payload, held.received_at, formats, uid)
    return Guess(
        found.kind,
        found.role,
        found.label,
        found.gateway,
        {
            "confidence": found.confidence,
            "reasons": [{"en": reason.en, "zh": reason.zh} for reason in found.reasons],
            "sample": dict(found.sample),
            "profile": found.profile,
            "flow_pipe": found.flow_pipe,
        },
    )
