"""The file system that a native part runs in: this machine's own, or a Debian root under it.

Paths are kept as seen from outside; `inside` gives them as a program running there sees them.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError


@dataclass(frozen=True)
class Account:
    """An unprivileged user of that file system."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Host:
    """Where programs are found and how they are started there."""

    root: Path

    def inside(self, path: Path) -> str:
        """A path under the root as programs in it see it."""
        return str(Path("/") / path.relative_to(self.root))

    def outside(self, path: str) -> Path:
        """The way to a path that programs in the root would name so."""
        return self.root / path.lstrip("/")

    def account(self, name: str) -> Account | None:
        """The user to run as: a named one where we are root, else ourselves (None)."""
        if os.geteuid() != 0:
            return None
        for line in (self.root / "etc" / "passwd").read_text(encoding="utf-8").splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return Account(int(fields[2]), int(fields[3]))
        raise StackError(
            f"There is no user {name!r} in {self.root}/etc/passwd to run as.",
            f"Create it (adduser --system --group {name}), or run the stack as an ordinary user.",
        )

    def command(self, argv: Sequence[str], account: Account | None) -> list[str]:
        """The command line that starts `argv` in this root as that user."""
        if account is None and self.root == Path("/"):
            return list(argv)
        user = [f"--userspec={account.uid}:{account.gid}", "--groups="] if account else []
        return ["chroot", *user, str(self.root), *argv]

    def run(
        self,
        argv: Sequence[str],
        account: Account | None,
        *,
        environment: Mapping[str, str] | None = None,
        text_in: str | None = None,
        timeout_s: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program there to its end, its output captured together."""
        return subprocess.run(
            self.command(argv, account),
            env=clean_environment(environment),
            input=text_in,
            stdin=subprocess.DEVNULL if text_in is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
            cwd="/",
        )

    def start(self, argv: Sequence[str], account: Account | None, log: Path) -> int:
        """Start a program that outlives us, its output appended to `log`; gives its number."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command(argv, account),
                env=clean_environment(None),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
            ).pid

    def own(self, path: Path, account: Account | None, mode: int) -> None:
        """Give a file or folder to the user that programs run as, with this mode."""
        path.chmod(mode)
        if account is not None:
            os.chown(path, account.uid, account.gid)


def clean_environment(extra: Mapping[str, str] | None) -> dict[str, str]:
    """A small, predictable environment: nobody's PG* settings or locale leak in."""
    path = (
        os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    )
    return {"PATH": path, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **(extra or {})}
