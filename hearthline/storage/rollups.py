"""Hourly rollups of our own, on every edition: dirty buckets in, whole hours out.

**What an hour says.** Each reading stands until the next one of its device, at most 1.5 expected
intervals, so a series of one reading an hour covers its hours fully and a silent sensor soon
covers nothing. The last reading before an hour carries into it by the same rule. ``covered_min``
is for how many minutes of the hour a reading stands, means are weighted by these minutes (sensors
that report on change would bias a plain mean), and ``n`` counts the readings measured within the
hour: 0 where only an earlier one carries in. The rollup of an hour that is not over counts on its
last reading to stand; a later one corrects it.

**What does not count.** A reading whose quality is unusable (``domain.readings.UNUSABLE``) is as if
it had never come: it has no part in means and counts, and neither covers time nor ends the reading
before it. Where only a quantity beside is impossible, the quantities beside are left out.

**Whose interval.** The ledger's, never the learnt one: whoever stores a reading marks hours by the
interval that the rollup goes by, and a compliance figure must not change because a habit was learnt
anew. What was learnt serves liveness alone (``storage.liveness``), which says where they differ.

**What is dirty.** Whoever stores a reading marks every hour in which it may stand, so one hour's
rollup depends on nothing that would not mark it. An hour that comes out as it was dirties no day.

**Nothing marked is lost.** Whoever stores a reading locks or inserts the marks in the transaction
that brings the reading; whoever rolls up deletes the marks in one statement and reads readings in
the next, under READ COMMITTED. Then either the reading's transaction had ended before the mark was
taken, and the reading is seen, or it waits for us and inserts the mark anew. For the same reason
several workers share the work: a mark that one has taken is skipped by the others, and so no hour
is computed twice at the same time. Whoever consumes ``dirty_day`` must keep the same order: delete
first, read afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from hearthline.domain.readings import UNUSABLE, Quality
from hearthline.storage.database import Connection
from hearthline.storage.queries import family
from hearthline.storage.readings import HOLD_AT_MOST, HOLD_FACTOR

BITE = 4_000
"""Buckets per transaction: ingest waits for a mark that is being rolled up, so bites are small."""

COUNT_EXACTLY = 100_000
"""Up to here the queue is counted; beyond it an estimate tells as much."""

_HOUR = timedelta(hours=1)


def roll_up(connection: Connection, limit: int = BITE) -> int:
    """Roll up as many dirty buckets in one transaction; how many there were, 0 when done."""
    sql = family("rollups")
    with connection.transaction():
        taken = connection.execute(sql["take"], {"limit": limit}).fetchall()
        if taken:
            connection.execute(sql["make_room"])
        by_kind: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
        for row in taken:
            by_kind[row["kind"]].append((row["device_id"], row["hour"]))
        for kind, buckets in sorted(by_kind.items()):
            device_ids, hours = zip(*buckets, strict=True)
            connection.execute(
                sql[f"roll_{kind}"],
                {
                    "device_ids": list(device_ids),
                    "hours": list(hours),
                    "hold_factor": HOLD_FACTOR,
                    "hold_most": HOLD_AT_MOST,
                    "since": min(hours) - HOLD_AT_MOST,
                    "until": max(hours) + _HOUR,
                    "unusable": int(UNUSABLE),
                    "doubtful": int(Quality.BESIDE_OUT_OF_RANGE),
                },
                prepare=False,  # a generic plan cannot know how little of the time is looked at
            )
    return len(taken)


def roll_up_all(connection: Connection, limit: int = BITE) -> int:
    """Roll up until nothing is left that another worker does not have in hand; how many."""
    total = 0
    while done := roll_up(connection, limit):
        total += done
    return total


def depth(connection: Connection) -> int:
    """How many buckets wait to be rolled up; an estimate where they are very many."""
    (row,) = connection.execute(family("rollups")["depth"], {"exact": COUNT_EXACTLY}).fetchall()
    return int(row["count"])
