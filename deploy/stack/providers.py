"""What every way of bringing up a part can do, and the first and simplest: a configured address."""

from collections.abc import Mapping
from typing import Protocol

from stack.checkout import VARIABLES
from stack.errors import StackError
from stack.model import Endpoint, Part
from stack.probes import (
    parse_database_url,
    parse_mqtt_url,
    why_broker_silent,
    why_postgres_silent,
)


class Provider(Protocol):
    """One way to have a database and a broker."""

    @property
    def name(self) -> str:
        """One word for the record and for `--provider`."""

    @property
    def title(self) -> str:
        """What a person calls it."""

    def why_not(self, part: Part) -> str | None:
        """None where it can bring up this part here, else the reason, without a full stop."""

    def up(self, part: Part, previous_port: int | None) -> Endpoint:
        """Bring the part up, or find it running; StackError where that fails."""

    def is_up(self, part: Part, endpoint: Endpoint) -> bool:
        """Whether the part answers."""

    def down(self, part: Part) -> None:
        """Stop the part and keep its data."""

    def kill(self, part: Part) -> None:
        """End the part as a power cut would."""

    def delete_data(self) -> None:
        """Remove this checkout's data; both parts are stopped."""

    def add_device(self, name: str, password: str) -> None:
        """Let a device in at the broker."""


class Configured:
    """Addresses from the environment: somebody else runs them, we only look whether they answer.

    Addresses that an earlier `up` of this checkout gave out do not count: a shell that has loaded
    `stack.env` means our own stack, not a foreign one.
    """

    name = "configured"
    title = "the address configured in the environment"

    def __init__(self, environment: Mapping[str, str], own: Mapping[Part, str]) -> None:
        self._environment = environment
        self._urls = {
            part: url
            for part, variable in VARIABLES.items()
            if (url := environment.get(variable, "").strip()) and url != own.get(part)
        }

    def why_not(self, part: Part) -> str | None:
        """Only an address that is missing passes the part on; one that is wrong is an error."""
        return None if part in self._urls else f"{VARIABLES[part]} is not set"

    def up(self, part: Part, previous_port: int | None) -> Endpoint:
        """Look whether the address answers."""
        del previous_port
        url = self._urls[part]
        address = (
            parse_database_url(url)
            if part is Part.DATABASE
            else parse_mqtt_url(url, self._environment)
        )
        if isinstance(address, str):
            raise StackError(f"{VARIABLES[part]} is no address: {address}.", "Correct or unset it.")
        ask = why_postgres_silent if part is Part.DATABASE else why_broker_silent
        if reason := ask(address):
            raise StackError(
                f"The {part} at {address.host}:{address.port}, set in {VARIABLES[part]},"
                f" cannot be used: {reason}.",
                "Start it, correct the address, or unset it to have a development one made.",
            )
        return Endpoint(url=url, port=address.port, version="as configured")

    def is_up(self, part: Part, endpoint: Endpoint) -> bool:
        """Whether the recorded address answers, also where the environment has lost it since."""
        self._urls = {**self._urls, part: endpoint.url}
        try:
            self.up(part, None)
        except StackError:
            return False
        return True

    def down(self, part: Part) -> None:
        """Not ours to stop."""

    def kill(self, part: Part) -> None:
        """Refuse: not ours to end."""
        raise StackError(
            f"The {part} was configured by {VARIABLES[part]} and is not ours to end.",
            "Use the means of whoever runs it.",
        )

    def delete_data(self) -> None:
        """Not ours to delete."""

    def add_device(self, name: str, password: str) -> None:
        """Refuse: its users are kept elsewhere."""
        del password
        raise StackError(
            f"The broker was configured by {VARIABLES[Part.BROKER]}; its users are kept there.",
            f"Add {name} with that broker's own means.",
        )
