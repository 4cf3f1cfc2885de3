"""The complaint desk: life-cycle, clocks, merging, recovery.

``lifecycle`` and ``merging`` are pure rules; ``desk`` is the shell that writes what they decide,
each act in one transaction with its event and its outbox row.
"""
