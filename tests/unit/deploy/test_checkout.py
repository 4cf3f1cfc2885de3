"""What a checkout keeps, and that two checkouts never share an instance."""

import json
import stat
from pathlib import Path

from stack.checkout import Checkout, cache_folder, environment_lines, instance_name
from stack.model import Chosen, Endpoint, Part

DATABASE = Endpoint("postgresql://hearthline:x@127.0.0.1:1/hearthline", 1, "PostgreSQL 17")
BROKER = Endpoint("mqtt://hearthline:y@127.0.0.1:2", 2, "mosquitto", "mqtt://simulator:z@h:2")
CHOSEN = {
    Part.DATABASE: Chosen(Part.DATABASE, "local", "why", DATABASE),
    Part.BROKER: Chosen(Part.BROKER, "debian", "why not", BROKER),
}


def test_checkouts_of_the_same_name_in_different_places_are_different_instances():
    names = {instance_name(Path(place) / "hearthline") for place in ("/a", "/b", "/a/b")}
    assert len(names) == 3
    assert all(name.startswith("hearthline-") for name in names)


def test_an_instance_name_is_fit_for_folders_and_containers_whatever_the_checkout_is_called():
    name = instance_name(Path("/home/供热 Team/Mein Projekt (2)"))
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert instance_name(Path("/供热")).startswith("checkout-")


def test_what_was_kept_is_found_again(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.keep(CHOSEN)
    assert Checkout(tmp_path).chosen() == CHOSEN


def test_both_files_are_for_their_owner_only(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.keep(CHOSEN)
    for name in ("stack.env", "stack.json"):
        assert stat.S_IMODE((checkout.folder / name).stat().st_mode) == 0o600


def test_the_environment_file_has_every_address():
    assert environment_lines(CHOSEN).splitlines() == [
        "HEARTHLINE_DATABASE_URL=postgresql://hearthline:x@127.0.0.1:1/hearthline",
        "HEARTHLINE_MQTT_URL=mqtt://hearthline:y@127.0.0.1:2",
        "HEARTHLINE_SIMULATOR_MQTT_URL=mqtt://simulator:z@h:2",
    ]


def test_a_checkout_without_a_stack_has_chosen_nothing(tmp_path):
    assert Checkout(tmp_path).chosen() == {}


def test_a_damaged_record_counts_as_none(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.folder.mkdir()
    for damage in ("", "{", "[]", '{"parts": {"database": {}}}', '{"parts": {"cellar": {}}}'):
        (checkout.folder / "stack.json").write_text(damage)
        assert checkout.chosen() == {}


def test_forgetting_removes_both_files(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.keep(CHOSEN)
    checkout.forget()
    assert list(checkout.folder.iterdir()) == []


def test_no_half_written_file_stays_behind(tmp_path):
    checkout = Checkout(tmp_path)
    checkout.keep(CHOSEN)
    checkout.keep(CHOSEN)
    assert sorted(file.name for file in checkout.folder.iterdir()) == ["stack.env", "stack.json"]
    assert json.loads((checkout.folder / "stack.json").read_text())["instance"]


def test_the_cache_is_where_the_environment_says():
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/hearthline")
    assert cache_folder({}).parts[-2:] == (".cache", "hearthline")
