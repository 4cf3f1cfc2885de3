"""Paths of places as their index compares them: byte by byte."""

from __future__ import annotations


def beyond(path: str) -> str:
    """The first path after those at or below one: a path ends with a slash."""
    return path[:-1] + chr(ord("/") + 1)
