"""Which provider brings up a part, and what is said about those passed over."""

from dataclasses import dataclass, field

import pytest
from stack import choice
from stack.errors import StackError, UsageError
from stack.model import Endpoint, Part


@dataclass
class Twin:
    """A provider that only answers whether it could."""

    name: str
    reasons: dict[Part, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"the {self.name} way"

    def why_not(self, part: Part) -> str | None:
        return self.reasons.get(part)

    def up(self, part: Part, previous_port: int | None) -> Endpoint:
        raise NotImplementedError

    def is_up(self, part: Part, endpoint: Endpoint) -> bool:
        raise NotImplementedError

    def down(self, part: Part) -> None:
        raise NotImplementedError

    def kill(self, part: Part) -> None:
        raise NotImplementedError

    def delete_data(self) -> None:
        raise NotImplementedError

    def add_device(self, name: str, password: str) -> None:
        raise NotImplementedError


def able(name: str) -> Twin:
    return Twin(name)


def unable(name: str, reason: str) -> Twin:
    return Twin(name, dict.fromkeys(Part, reason))


def test_the_first_able_provider_is_chosen_and_those_before_it_leave_their_reasons():
    providers = [unable("configured", "not set"), unable("compose", "no engine"), able("local")]
    chosen = choice.choose(providers, Part.DATABASE)
    assert chosen.provider.name == "local"
    assert chosen.why == "the local way (configured: not set; compose: no engine)"


def test_database_and_broker_are_chosen_apart():
    local = Twin("local", {Part.BROKER: "no mosquitto"})
    providers = [local, able("debian")]
    assert choice.choose(providers, Part.DATABASE).provider.name == "local"
    assert choice.choose(providers, Part.BROKER).provider.name == "debian"


def test_the_provider_with_the_data_of_last_time_goes_before_better_ones():
    providers = [unable("configured", "not set"), able("compose"), able("debian")]
    chosen = choice.choose(providers, Part.DATABASE, previous="debian")
    assert chosen.provider.name == "debian"
    assert "holds this checkout's data" in chosen.why


def test_a_configured_address_goes_before_the_data_of_last_time():
    chosen = choice.choose([able("configured"), able("debian")], Part.BROKER, previous="debian")
    assert chosen.provider.name == "configured"


def test_last_times_provider_that_is_gone_gives_way():
    providers = [able("compose"), unable("debian", "it needs root")]
    chosen = choice.choose(providers, Part.BROKER, previous="debian")
    assert chosen.provider.name == "compose"
    assert "debian: it needs root" in chosen.why


def test_where_none_can_one_paragraph_tells_what_was_tried_and_what_to_do():
    providers = [unable("compose", "no engine"), unable("debian", "it needs root")]
    with pytest.raises(StackError) as caught:
        choice.choose(providers, Part.DATABASE)
    told = caught.value.report()
    assert "the compose way: no engine; the debian way: it needs root" in told
    assert "HEARTHLINE_DATABASE_URL" in told
    assert "\n" not in told
    assert caught.value.exit_code == 1


def test_asking_for_a_provider_by_name_leaves_only_that_one():
    assert [one.name for one in choice.only([able("compose"), able("local")], "local")] == ["local"]


def test_asking_for_an_unknown_provider_is_wrong_usage_and_names_the_known_ones():
    with pytest.raises(UsageError, match="there are compose, local") as caught:
        choice.only([able("compose"), able("local")], "podman")
    assert caught.value.exit_code == 2
