"""Building the Debian root: what is asked for, and what is never touched."""

import io
import os
from pathlib import Path

import pytest
from stack import debian
from stack.debian import DebianRoot, build_command, clear_away, mounts_under
from stack.errors import StackError
from stack.progress import Progress

MOUNTS = """\
22 1 0:5 / / rw - ext4 /dev/sda rw
23 22 0:6 / /cache/building-1/proc rw - proc proc rw
24 22 0:7 / /cache/building-1/dev/shm rw - tmpfs tmpfs rw
25 22 0:7 / /cache/building-10/dev rw - tmpfs tmpfs rw
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A root that is not there yet, on a machine where building one is allowed."""
    monkeypatch.setattr(debian, "own_mounts", list)
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    return DebianRoot(tmp_path / "cache", Progress(io.StringIO()))


def test_mounts_below_a_folder_come_deepest_first():
    below = mounts_under(Path("/cache/building-1"), MOUNTS)
    assert below == ["/cache/building-1/dev/shm", "/cache/building-1/proc"]


def test_the_builder_is_asked_for_both_servers_and_makes_no_cluster():
    argv = build_command(Path("/cache/building-1"))
    assert argv[0] == "mmdebstrap"
    assert "--include=postgresql-17-timescaledb,mosquitto" in argv
    assert any("create_main_cluster = false" in word for word in argv)
    assert argv[-2:] == ["trixie", "/cache/building-1"]


def test_it_needs_root(root, monkeypatch):
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    assert root.why_not() == "it needs root"


def test_it_needs_linux(root, monkeypatch):
    monkeypatch.setattr(debian.platform, "system", lambda: "Darwin")
    assert root.why_not() == "this is not Linux"


def test_it_needs_a_debian_like_machine(root, monkeypatch):
    monkeypatch.setattr(debian.shutil, "which", lambda name: "/x" if name == "chroot" else None)
    assert "no Debian-like machine" in str(root.why_not())


def test_a_root_appears_whole_or_not_at_all(root, monkeypatch):
    def half_a_build(argv: list[str], purpose: str) -> None:
        Path(argv[-1]).mkdir()
        raise StackError(f"Could not {purpose}.")

    monkeypatch.setattr(root, "_install_builder", lambda: None)
    monkeypatch.setattr(root, "_run", half_a_build)
    with pytest.raises(StackError):
        root.ensure()
    assert not root.path.exists()
    assert not list(root.cache.glob("building-*"))


def test_leftovers_of_a_build_that_was_killed_are_cleared(root, monkeypatch):
    (root.cache / "building-1" / "etc").mkdir(parents=True)
    monkeypatch.setattr(root, "_install_builder", lambda: None)
    monkeypatch.setattr(root, "_run", lambda argv, _purpose: Path(argv[-1]).mkdir())
    root.ensure()
    assert root.path.is_dir()
    assert not list(root.cache.glob("building-*"))


def test_a_root_that_is_there_is_not_built_again(root, monkeypatch):
    root.path.mkdir(parents=True)
    monkeypatch.setattr(root, "_build", lambda: pytest.fail("built again"))
    root.ensure()


def test_a_failing_step_shows_its_last_words_and_the_remedy(root):
    root.cache.mkdir()
    with pytest.raises(StackError) as caught:
        root._run(["sh", "-c", "echo no such package; exit 3"], "install mmdebstrap")
    told = caught.value.report()
    assert "Could not install mmdebstrap: sh ended with code 3." in told
    assert "Check that Debian's packages can be reached" in told
    assert "no such package" in told


def test_a_folder_with_mounts_left_in_it_is_never_removed(tmp_path, monkeypatch):
    folder = tmp_path / "building-1"
    folder.mkdir()
    monkeypatch.setattr(debian, "mounts_under", lambda *_: [f"{folder}/dev/shm"])
    monkeypatch.setattr(debian.subprocess, "run", lambda *_args, **_kwargs: None)
    with pytest.raises(StackError, match="left mounts"):
        clear_away(folder)
    assert folder.is_dir()


def test_the_root_is_named_by_suite_machine_and_recipe(root):
    assert root.path.name == f"debian-trixie-{os.uname().machine}-{debian.RECIPE}"
