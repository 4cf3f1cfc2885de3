"""Builds and keeps the Debian 13 root that TimescaleDB and mosquitto run from.

One root serves every checkout of a user. It is built aside under a lock and moved into place by
one rename, so an interrupted build is never taken for a good one. It is built in a mount
namespace of its own: what the builder mounts vanishes with it, however it ends, and clearing up
a half-built root can never reach into the machine's own /proc or /dev.
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from stack import locks, processes
from stack.errors import StackError, tail
from stack.progress import Progress

RECIPE = 1  # raise it when packages or steps change: a new root is then built beside the old one
SUITE = "trixie"
PACKAGES = ("postgresql-17-timescaledb", "mosquitto")
BUILDER_PACKAGES = ("mmdebstrap", "debian-archive-keyring")
WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
LOCK_WAIT = "DPkg::Lock::Timeout=120"  # another apt may be at work
REPORT_EVERY_S = 10.0
BUILD_TIMEOUT_S = 1800.0
BUILDERS_TIMEOUT_S = 20.0


def build_command(target: Path) -> list[str]:
    """The builder's command line. No cluster is made in the root: each instance makes its own."""
    no_cluster = (
        'mkdir -p "$1/etc/postgresql-common"'
        ' && echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"'
    )
    return [
        "mmdebstrap",
        "--variant=apt",
        f"--include={','.join(PACKAGES)}",
        f"--essential-hook={no_cluster}",
        "--dpkgopt=force-confold",
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in WITHOUT),
        SUITE,
        str(target),
    ]


def mounts_under(folder: Path, mountinfo: str) -> list[str]:
    """Mount points at or below a folder, the deepest first."""
    points = (line.split()[4] for line in mountinfo.splitlines())
    below = [point for point in points if Path(point).is_relative_to(folder)]
    return sorted(below, key=len, reverse=True)


class DebianRoot:
    """The shared root: whether it can be had here, and having it."""

    def __init__(self, cache: Path, progress: Progress) -> None:
        self.cache = cache
        self.progress = progress
        self.path = cache / f"debian-{SUITE}-{platform.machine()}-{RECIPE}"
        self.log = cache / "debian-build.log"

    def why_not(self) -> str | None:
        """None where the root is there or can be built, else what is in the way."""
        if platform.system() != "Linux":
            return "this is not Linux"
        if os.geteuid() != 0:
            return "it needs root"
        if not shutil.which("chroot"):
            return "there is no chroot command"
        if self.path.is_dir() or shutil.which("mmdebstrap") or shutil.which("apt-get"):
            return None
        return "neither mmdebstrap nor apt-get is there, so this is no Debian-like machine"

    def ensure(self) -> None:
        """Build the root unless it is there."""
        if self.path.is_dir():
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        with locks.held(self.cache / "debian.lock", self.progress, "another build of the root"):
            if not self.path.is_dir():
                self._build()

    def _build(self) -> None:
        for leftover in self.cache.glob("building-*"):
            clear_away(leftover)
        self.log.write_text("")
        self._install_builder()
        target = self.cache / f"building-{os.getpid()}"
        self.progress.say(f"building a Debian 13 root in {self.path} (once, about 40 s)")
        try:
            self._run([*own_mounts(), *build_command(target)], "build the Debian 13 root")
            target.rename(self.path)
        finally:
            clear_away(target)
        self.progress.say("the Debian 13 root is ready")

    def _install_builder(self) -> None:
        if shutil.which("mmdebstrap"):
            return
        self.progress.say(f"installing {' and '.join(BUILDER_PACKAGES)}")
        self._run(["apt-get", "-q", "update"], "update the package lists")
        argv = [
            "apt-get",
            "-qy",
            "-o",
            LOCK_WAIT,
            "--no-install-recommends",
            "install",
            *BUILDER_PACKAGES,
        ]
        self._run(argv, f"install {BUILDER_PACKAGES[0]}")

    def _run(self, argv: list[str], purpose: str) -> None:
        """Run one step, its words going to the log, a sign of life on the way."""
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        began_s = self.progress.elapsed_s
        with self.log.open("ab") as out:
            step = subprocess.Popen(
                argv, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
            try:
                while not processes.until(lambda: step.poll() is not None, REPORT_EVERY_S, 0.2):
                    self.progress.say(f"  … {tail(self.log, 1).strip() or purpose}")
                    if self.progress.elapsed_s - began_s > BUILD_TIMEOUT_S:
                        break
            finally:
                if step.poll() is None:
                    step.terminate()
                    step.wait()
        if step.returncode:
            raise StackError(
                f"Could not {purpose}: {argv[0]} ended with code {step.returncode}.",
                f"Check that Debian's packages can be reached; the whole log is {self.log}.",
                tail(self.log),
            )


def own_mounts() -> list[str]:
    """A prefix that gives a command mounts of its own, where this machine allows it."""
    prefix = ["unshare", "--mount", "--propagation", "private"]
    try:
        allowed = (
            subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return []
    return prefix if allowed else []


def end_builders(folder: Path) -> list[int]:
    """Kill what still builds a root whose build was killed; gives what was found."""
    builders = processes.concerned_with(folder)
    processes.kill(builders)
    return builders


def clear_away(folder: Path) -> None:
    """Remove a half-built root, after ending what still builds it and taking down its mounts."""
    if not folder.exists():
        return
    processes.until(lambda: not end_builders(folder), BUILDERS_TIMEOUT_S)
    for point in mounts_under(folder, Path("/proc/self/mountinfo").read_text()):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    if mounts_under(folder, Path("/proc/self/mountinfo").read_text()):
        raise StackError(
            f"A broken-off build left mounts in {folder}.",
            "Take them down with umount, remove the folder, and run the command again.",
        )
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
