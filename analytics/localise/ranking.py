"""Causes in order of their chances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hearthline.domain.findings import Cause

Ranked = Sequence[tuple[Cause, float]]
"""(cause, probability), best first; together at most 1."""


def normalised(weights: Mapping[Cause, float]) -> list[tuple[Cause, float]]:
    """Weights as probabilities, best first."""
    total = sum(weights.values())
    ranked = [(cause, weight / total) for cause, weight in weights.items() if weight > 0]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))
