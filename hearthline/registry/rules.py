"""The rules that hold between rows, as two lists: each takes the book and yields what is wrong."""

from __future__ import annotations

from hearthline.registry import device_rules as devices
from hearthline.registry import tree_rules as tree
from hearthline.registry.book import Rule

STRUCTURE: tuple[Rule, ...] = (
    tree.needed_cells,
    tree.duplicate_codes,
    tree.units_apart,
    tree.kinds_kept,
)
"""Rules on which the others build."""

RULES: tuple[Rule, ...] = (
    tree.parents,
    tree.loops,
    tree.levels,
    tree.entrances,
    tree.dwellings_exist,
    tree.one_contact,
    tree.periods_forward,
    tree.status_dated,
    tree.statuses_apart,
    devices.devices_hang,
    devices.pipes_said,
    devices.roles_fit,
    devices.devices_agree,
    devices.bindings_apart,
)
"""What must hold, in the order in which it is told."""
