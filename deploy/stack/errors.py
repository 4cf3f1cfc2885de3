"""What can go wrong, told as a sentence with its remedy.

Whose fault it is shows in the type: `UsageError` is the caller's (exit code 2), `StackError` the
machine's (exit code 1).
"""

from pathlib import Path

LOG_LINES = 12


class StackError(Exception):
    """The development stack could not do what was asked."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "", log: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        self.log = log
        super().__init__(problem)

    def report(self) -> str:
        """Problem, remedy and last log lines, ready to be printed."""
        lines = [" ".join(part for part in (self.problem, self.remedy) if part)]
        if self.log:
            lines += ["Last lines of the log:", *("  " + line for line in self.log.splitlines())]
        return "\n".join(lines)


class UsageError(StackError):
    """The command line asks for something that does not exist."""

    exit_code = 2


def tail(path: Path, lines: int = LOG_LINES) -> str:
    """The last lines of a log file; empty where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
