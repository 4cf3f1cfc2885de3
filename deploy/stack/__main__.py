"""Entry of `python3 deploy/stack`: puts `deploy/` on the path and hands over to the CLI."""

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - this very check is for machines with an older one
    sys.exit("Hearthline needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

# The folder of a script comes first on the path and would let our modules shadow the standard
# library's; its parent makes us the package `stack` instead.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from stack.cli import main  # noqa: E402 - needs the path above

if __name__ == "__main__":
    sys.exit(main())
