"""The temperature scale: blue below the standard, orange above, safe for colour-blind readers.

Eleven steps relative to the threshold, each a CSS class ``t-5`` … ``t5``; the colours themselves
and a text colour of sufficient contrast live in the style sheet.
"""

from __future__ import annotations

from bisect import bisect_right

# Upper ends of the steps in K above the threshold; beyond the last one is the warmest step.
ENDS = (-6.0, -4.0, -2.5, -1.0, 0.0, 1.0, 2.0, 3.0, 4.5, 6.0)
STEPS = tuple(range(-5, 6))


def step(temperature_c: float, threshold_c: float) -> int:
    """The step of a temperature, −5 (coldest) to 5; negative exactly when below the threshold."""
    return STEPS[bisect_right(ENDS, temperature_c - threshold_c)]


def legend(threshold_c: float) -> list[tuple[int, float | None, float | None]]:
    """(step, from °C, to °C) of every step; open ends are None."""
    edges = [None, *(threshold_c + end for end in ENDS), None]
    return [(step, edges[i], edges[i + 1]) for i, step in enumerate(STEPS)]
