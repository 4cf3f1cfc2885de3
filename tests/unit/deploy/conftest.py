"""Puts `deploy/` on the path: the stack is a program beside our packages, not one of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "deploy"))
