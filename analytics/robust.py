"""Medians and sums of many rows at once: numpy's own go row by row, or cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NORMAL = 1.4826  # a normal standard deviation over the median absolute deviation


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


def summed(values: NDArray[Any], group: NDArray[np.int64], count: int) -> Floats:
    """The sum of the rows of each of ``count`` groups, (count, columns), in the rows' order.

    Args:
        values: (rows, columns).
        group: (rows,) the number of each row's group; what has no rows sums to nought.
        count: how many groups there are.
    """
    total = np.zeros((count, values.shape[1]))
    if not len(group):
        return total
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    total[ordered[first]] = np.add.reduceat(values[order], first, axis=0, dtype=np.float64)
    return total
