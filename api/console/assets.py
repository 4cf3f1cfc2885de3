"""The few browser files: our own from ``static/``, libraries from the npm folder.

Libraries are brought by ``make setup`` into ``node_modules`` and never committed; where they are
missing, pages still work and say what to run. ``HEARTHLINE_ASSETS`` names another folder.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
LIBRARIES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "echarts.js": "echarts/dist/echarts.min.js",
}
REMEDY = "make setup"


def folders() -> list[Path]:
    """Where libraries are looked for, in order."""
    named = os.environ.get("HEARTHLINE_ASSETS")
    here = Path(__file__).resolve().parents[2]
    return [*([Path(named)] if named else []), Path("node_modules"), here / "node_modules"]


def library(name: str) -> Path | None:
    """The file of a library, or None where it is not installed."""
    inside = LIBRARIES.get(name)
    if inside is None:
        return None
    return next((path for folder in folders() if (path := folder / inside).is_file()), None)


def missing() -> list[str]:
    """Libraries that are not there."""
    return [name for name in LIBRARIES if library(name) is None]


def own(name: str) -> Path | None:
    """One of our own files, or None; never anything outside the folder."""
    path = (STATIC / name).resolve()
    return path if path.is_relative_to(STATIC) and path.is_file() else None


@lru_cache
def version() -> str:
    """Changes with any of our files, so that browsers may keep them for good."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    for name in LIBRARIES:
        path_of_library = library(name)
        digest.update(str(path_of_library and path_of_library.stat().st_size).encode())
    return digest.hexdigest()[:10]
