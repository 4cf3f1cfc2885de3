"""One root for every error we raise; the class says whose fault it is.

``HearthlineError`` carries a sentence and a remedy that the command line and the API print as
they are. A bug of ours is never one of these: it is an ordinary exception with a traceback.
"""

from __future__ import annotations


class HearthlineError(Exception):
    """Something a person can put right."""

    exit_code = 1
    status = 500

    def __init__(self, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}".strip()


class SettingsError(HearthlineError):
    """A setting is missing or wrong: the operator's to fix."""

    exit_code = 2


class PartAway(HearthlineError):
    """The database, the broker or Grafana does not answer."""

    status = 503


class NotFound(HearthlineError):
    """What was asked for does not exist."""

    status = 404


class Conflict(HearthlineError):
    """The thing changed meanwhile, or the step is not allowed from where it stands."""

    status = 409


class Invalid(HearthlineError):
    """The request or file is understood but wrong."""

    exit_code = 2
    status = 422
