"""Certified readings in a window of hours: what to subtract from each sensor, and since when.

Grades are judged from what sensors said; corrections apply to what is concluded about rooms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from analytics.trust.model import HOUR, Floats
from hearthline.domain.certified import Certified


def corrections(
    devices: Sequence[int], readings: Sequence[Certified], start: datetime, hours: int
) -> Floats:
    """K to subtract from each sensor's hourly means, (sensors, hours); 0 where nothing is on file.

    The last certified reading at or before an hour's end holds.

    Args:
        devices: ids of the sensors, in the order of the rows.
        readings: certified readings; those of other devices are passed over.
        start: the window's first hour.
        hours: its number of hours.
    """
    offset = np.zeros((len(devices), hours))
    row_of = {device: row for row, device in enumerate(devices)}
    for reading in sorted(readings, key=lambda r: r.time):
        row = row_of.get(reading.device_id)
        if row is not None:
            first = max(0, int((reading.time - start) // HOUR))
            offset[row, first:] = reading.offset_k
    return offset


def certified_hours(
    devices: Sequence[int], readings: Sequence[Certified], start: datetime
) -> Floats:
    """Hours from the window's start to each sensor's last certified reading, NaN for none.

    What ``Surroundings.certified_hour`` wants.
    """
    hours = np.full(len(devices), np.nan)
    row_of = {device: row for row, device in enumerate(devices)}
    for reading in sorted(readings, key=lambda r: r.time):
        row = row_of.get(reading.device_id)
        if row is not None:
            hours[row] = (reading.time - start) / HOUR
    return hours
