"""Medians of many rows at once: ``np.nanmedian`` goes row by row through masked arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def median(values: Floats, axis: int) -> Floats:
    """The median of the known values along an axis; NaN where none is known.

    Args:
        values: any shape.
        axis: the one that goes away.
    """
    count = (~np.isnan(values)).sum(axis=axis, keepdims=True)
    if not values.shape[axis]:
        return np.full(np.squeeze(count, axis).shape, np.nan)
    ordered = np.sort(values, axis=axis)  # NaN comes last
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0), axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis)
    # of an empty stretch both are NaN; of an odd one both are the same
    middle: Floats = np.squeeze(0.5 * (low + high), axis)
    return middle
