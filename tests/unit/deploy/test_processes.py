"""Finding and ending our own processes."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from stack import processes

IDLE = "import time; time.sleep(60)"


@pytest.fixture
def idle(tmp_path):
    """A process that does nothing, in a folder of its own."""
    with subprocess.Popen([sys.executable, "-c", IDLE, str(tmp_path)], cwd=tmp_path) as process:
        yield process
        process.kill()


def test_a_process_is_found_by_its_command_line(idle, tmp_path):
    found = processes.find(lambda command: command.endswith(str(tmp_path)))
    assert found is not None
    assert (found.pid, found.parent) == (idle.pid, os.getpid())


def test_a_process_is_found_by_the_folder_it_works_in(idle, tmp_path):
    assert processes.working_in(tmp_path) == [idle.pid]
    assert processes.working_in(tmp_path / "elsewhere") == []


def test_children_are_found(idle):
    assert idle.pid in processes.children(os.getpid())


def test_a_zombie_counts_as_gone_though_its_number_is_taken(idle):
    os.kill(idle.pid, signal.SIGKILL)
    assert processes.until(lambda: idle.pid not in processes.children(os.getpid()), 5)
    assert processes.is_taken(idle.pid)
    idle.wait()
    assert not processes.is_taken(idle.pid)


def test_killing_waits_until_the_process_is_gone(idle, tmp_path):
    processes.kill([idle.pid])
    assert processes.find(lambda command: command.endswith(str(tmp_path))) is None


def test_terminating_asks_first(idle):
    processes.terminate(idle.pid)
    assert idle.wait() == -signal.SIGTERM


def test_terminating_what_will_not_end_kills_it(tmp_path):
    stubborn = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); " + IDLE
    with subprocess.Popen(
        [sys.executable, "-c", stubborn, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        processes.terminate(process.pid, timeout_s=0.2)
        assert process.wait() == -signal.SIGKILL


def test_signalling_a_process_that_is_gone_does_no_harm(idle):
    idle.kill()
    idle.wait()
    processes.send(idle.pid, signal.SIGTERM)


def test_a_line_of_ps_is_read():
    line = "  12   1 Ss   /usr/sbin/mosquitto -c /a b/mosquitto.conf"
    found = processes.parse_ps_line(line)
    assert found == processes.Process(12, 1, "/usr/sbin/mosquitto -c /a b/mosquitto.conf")
    assert processes.parse_ps_line("12 1 Z+ (postgres)") is None


def test_ps_serves_where_there_is_no_proc(monkeypatch, tmp_path):
    listing = " 12 1 S one\n 13 12 Z two\n 14 12 R three four\n"
    done = subprocess.CompletedProcess([], 0, stdout=listing)
    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr(processes.subprocess, "run", lambda *_args, **_kwargs: done)
    assert [process.command for process in processes.living()] == ["one", "three four"]
    assert processes.working_in(Path("/")) == []


def test_a_process_that_turns_into_another_program_is_not_overlooked(monkeypatch, tmp_path):
    """It has no words for a moment: who looks just then must not take a server for dead."""
    for name, parent in (("self", 0), ("14", 1), ("15", processes.KERNEL)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stat").write_text(f"{name} (x) S {parent} 0")
        (tmp_path / name / "cmdline").write_bytes(b"")
    words = tmp_path / "14" / "cmdline"
    monkeypatch.setattr(processes, "PROC", tmp_path)
    monkeypatch.setattr(processes.time, "sleep", lambda _s: words.write_bytes(b"postgres\0-D\0"))
    assert sorted(process.command for process in processes.living()) == ["", "postgres -D"]


def test_waiting_gives_up_in_time():
    assert not processes.until(lambda: False, 0.05, 0.01)
    assert processes.until(lambda: True, 0)


def test_who_listens_on_a_port_is_known_by_the_socket_that_it_holds(idle):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port in (processes.listening(os.getpid()) or set())
        assert port not in (processes.listening(idle.pid) or set())
    assert port not in (processes.listening(os.getpid()) or set())


def test_a_process_does_not_serve_a_port_where_a_stranger_listens(idle):
    ours = processes.Process(idle.pid, os.getpid(), "ours")
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        assert not processes.serves(ours, port, configured=port)
        itself = processes.Process(os.getpid(), 1, "the stranger")
        assert processes.serves(itself, port, configured=None)


def test_where_nobody_tells_the_settings_must_do(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "PROC", tmp_path)
    ours = processes.Process(1, 0, "ours")
    assert processes.listening(1) is None
    assert processes.serves(ours, 54329, configured=54329)
    assert not processes.serves(ours, 54329, configured=54330)
