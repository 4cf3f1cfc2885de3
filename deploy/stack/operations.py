"""What the commands do, on one checkout: up, status, stop, and a part's start, kill, restart.

Each takes the checkout's lock, so two of them never work against each other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from stack import choice, locks
from stack.checkout import Checkout, cache_folder
from stack.compose import Compose
from stack.credentials import new_password
from stack.errors import StackError
from stack.model import Chosen, Part, State
from stack.native import DebianTrixie, Local
from stack.progress import Progress
from stack.providers import Configured, Provider


class Stack:
    """The development stack of one checkout."""

    def __init__(
        self, checkout: Checkout, environment: Mapping[str, str], progress: Progress
    ) -> None:
        self.checkout = checkout
        self.progress = progress
        own = {
            part: one.endpoint.url
            for part, one in checkout.chosen().items()
            if one.provider != Configured.name
        }
        self.providers: list[Provider] = [
            Configured(environment, own),
            Compose(checkout, cache_folder(environment), progress),
            Local(checkout, environment, progress),
            DebianTrixie(checkout, environment, progress),
        ]

    def up(self, wanted: str | None = None, parts: tuple[Part, ...] = tuple(Part)) -> None:
        """Bring up these parts, by one provider or by choice, and keep what was chosen."""
        providers = choice.only(self.providers, wanted)
        with self._locked():
            chosen = self.checkout.chosen()
            for part in parts:
                last = chosen.get(part)
                picked = choice.choose(providers, part, last.provider if last else None)
                same = last is not None and last.provider == picked.provider.name
                endpoint = picked.provider.up(part, last.endpoint.port if last and same else None)
                why = last.why if last and same else picked.why
                chosen[part] = Chosen(part, picked.provider.name, why, endpoint)
                self.checkout.keep(chosen)

    def states(self) -> dict[Part, State]:
        """How the parts are doing."""
        chosen = self.checkout.chosen()
        return {
            part: State.RUNNING
            if part in chosen and self._of(chosen[part]).is_up(part, chosen[part].endpoint)
            else State.STOPPED
            for part in Part
        }

    def stop(self, *, delete_data: bool = False) -> None:
        """Stop whatever any provider still runs for this checkout; data stays unless asked."""
        with self._locked():
            for provider in self._ours():
                for part in Part:
                    provider.down(part)
                if delete_data:
                    provider.delete_data()
            if delete_data:
                self.checkout.forget()

    def down(self, part: Part) -> None:
        """Stop one part."""
        with self._locked():
            self._chosen_provider(part).down(part)

    def kill(self, part: Part) -> None:
        """End one part as a power cut would."""
        with self._locked():
            self._chosen_provider(part).kill(part)

    def start(self, part: Part) -> None:
        """Start one part by the provider that has its data."""
        self.up(self._chosen_provider(part).name, (part,))

    def add_device(self, name: str) -> str:
        """Give a device its own log-in at the broker; gives its password, kept nowhere else."""
        password = new_password()
        with self._locked():
            self._chosen_provider(Part.BROKER).add_device(name, password)
        return password

    def _ours(self) -> list[Provider]:
        """Providers that may run something of ours; Docker is asked only if it ever did."""
        return [
            provider
            for provider in self.providers
            if not isinstance(provider, Configured)
            and not (isinstance(provider, Compose) and not provider.home.exists())
        ]

    def _chosen_provider(self, part: Part) -> Provider:
        chosen = self.checkout.chosen()
        if part not in chosen:
            raise StackError(
                f"No {part} has been brought up in this checkout.",
                "Run `python3 deploy/stack up` first.",
            )
        return self._of(chosen[part])

    def _of(self, chosen: Chosen) -> Provider:
        return choice.only(self.providers, chosen.provider)[0]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self.checkout.folder / "stack.lock"
        with locks.held(lock, self.progress, "another command on this checkout's stack"):
            yield
