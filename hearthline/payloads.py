"""Messages of devices as people can read them; binary ones as hexadecimal."""

from __future__ import annotations

import json

LINE = 32  # bytes of a hexadecimal line


def readable(payload: bytes) -> str:
    """A payload as text where it is text, else as hexadecimal."""
    text = _text(payload)
    return payload.hex(" ") if text is None else text


def pretty(payload: bytes) -> str:
    """A payload over several lines: JSON indented, text as it is, anything else hexadecimal."""
    text = _text(payload)
    if text is None:
        return "\n".join(
            payload[start : start + LINE].hex(" ") for start in range(0, len(payload), LINE)
        )
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    return shown.encode("utf-8", "replace").decode()  # JSON may escape half a character


def _text(payload: bytes) -> str | None:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() or "".join(text.split()).isprintable() else None
