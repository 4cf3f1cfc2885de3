"""``python -m tests.fuzz --count 1000000``: damage messages, decode them, say what came of it.

Two processes by default, each with its own stretch of the seed's randomness: the same seed,
count and number of processes give the same messages. Ends with code 1 at the first message for
which something does not hold, and prints it.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from random import Random

from tests.fuzz.corpus import corpus
from tests.fuzz.verdict import Broken, Tally, run

STRETCH = 10_000


def stretch(seed: int, number: int, count: int) -> Tally:
    """One stretch of messages."""
    return run(corpus(), Random(f"{seed}/{number}"), count)


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="messages (1000000)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (1)")
    parser.add_argument("--processes", type=int, default=2, help="that work at once (2)")
    asked = parser.parse_args()
    begun, tally = time.monotonic(), Tally()
    counts = [min(STRETCH, asked.count - at) for at in range(0, asked.count, STRETCH)]
    with ProcessPoolExecutor(asked.processes) as pool:
        jobs = [pool.submit(stretch, asked.seed, n, count) for n, count in enumerate(counts)]
        try:
            for done in as_completed(jobs):
                tally.add(done.result())
                total = tally.messages.total()
                print(f"\r{total:>12,} of {asked.count:,}", end="", file=sys.stderr, flush=True)
        except Broken as broken:
            pool.shutdown(cancel_futures=True)
            print(f"\n{broken}", file=sys.stderr)
            return 1
    print(file=sys.stderr)
    report(tally, time.monotonic() - begun)
    return 0


def report(tally: Tally, seconds: float) -> None:
    """Print what came of the messages."""
    total = tally.messages.total()
    print(f"{total:,} messages in {seconds:.0f} s ({total / seconds:,.0f}/s), nothing broke.")
    formats = ", ".join(f"{name} {count:,}" for name, count in sorted(tally.messages.items()))
    print(f"By format: {formats}.")
    print(
        f"{tally.readings:,} readings kept ({tally.flagged:,} of them flagged), "
        f"{tally.refused:,} refused at the door, {tally.signs:,} signs."
    )
    reasons = ", ".join(f"{name} {count:,}" for name, count in tally.rejections.most_common())
    print(f"Dead letters: {reasons}.")


if __name__ == "__main__":
    sys.exit(main())
