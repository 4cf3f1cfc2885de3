"""How words for operators are kept: in both languages, side by side."""

Pair = tuple[str, str]
"""English, Chinese."""
