"""One step of every dwelling: water → emitter → air and mass, with neighbours and people.

The loop runs over the dwellings of some circuits and is compiled; its formulas are those of
``physics.emitter`` and ``physics.dwelling``, where they stand for single dwellings and are proven.
Dwellings touch others of their own building only, so circuits can be advanced side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.compiled import compiled, inlined, mixed
from simulators.physics.emitter import leaving_excess
from simulators.physics.plant import GROUND_C
from simulators.physics.water import CP

Array = NDArray[np.floating[Any]]
Single = NDArray[np.float32]
Index = NDArray[np.intp]

CONVECTIVE_GAINS = 0.6
SUN_TO_AIR = 0.35


class Branches(NamedTuple):
    """First child of every parent, as in ``hydraulics.Tree``."""

    circuit_buildings: Index
    building_entrances: Index
    entrance_risers: Index
    riser_units: Index


class Homes(NamedTuple):
    """What never changes about dwellings, [units] unless said otherwise.

    ``response`` [7, units] is ``dwelling.response``, ``late`` by how much a household's day
    runs late, ``airing_w`` what a wide open window takes.
    """

    response: Single
    wind_wk: Single
    solar_m2: Single
    gain_w: Single
    airing_w: Single
    late: NDArray[np.uint8]


class Columns(NamedTuple):
    """Party walls, the same for all dwellings of a riser: W/K to above and below, [risers], and
    to the four sides [4, risers], with the distance in dwellings to whoever lives there."""

    slab_wk: Single
    wall_wk: Single
    shift: Index


class Emitters(NamedTuple):
    """Of every circuit: kind (0 radiators, 1 floor), share of last step's emission that is left
    after a step and its mean over the step, convective share."""

    kind: NDArray[np.int8]
    keep: Array
    mean_keep: Array
    convective: Array


class Habits(NamedTuple):
    """What people do now, by how late a household's day runs (``Homes.late``): gains at rest and in
    a burst as shares of the mean, and chances (of 65,536) of a burst and of an open window."""

    rest: Single
    burst: float
    bursts: NDArray[np.int64]
    airs: NDArray[np.int64]
    company: float
    not_aired_below_c: float


class Moment(NamedTuple):
    """The same everywhere during a step. ``slot_state`` and ``day_state`` seed the draws."""

    outdoor_c: float
    wind: float  # infiltration beyond that of the mean wind, share of the windows' conductance
    south_wm2: float
    slot_begins: bool
    day_begins: bool
    slot_state: np.uint64
    day_state: np.uint64


class Touched(NamedTuple):
    """What knobs make of dwellings, [units]: ``emitter.weakness`` of their emitters, conductance
    to outdoors beyond their own in W/K, and the share of usual gains (read as a slot begins)."""

    weakness: Single
    extra_wk: Single
    gains_share: Single


class Inside(NamedTuple):
    """The state of dwellings, [units]; the last three are what people give off on a mean slot of
    this day, and give off and let out of the window during this slot, W."""

    air_c: Single
    mass_c: Single
    emitted_w: Single
    today_w: Single
    gains_w: Single
    airing_w: Single


class Circulation(NamedTuple):
    """Flows in kg/s on every level, the supply of each circuit, and the pipes to buildings."""

    unit: Single
    riser: Array
    entrance: Array
    building: Array
    pump: Array
    supply_c: Array
    pipe_wk: Array


class Outcome(NamedTuple):
    """Where a step writes: dwellings, and water temperatures on every level, °C."""

    air_c: Single
    mass_c: Single
    emitted_w: Single
    unit_return_c: Single
    entrance_return_c: Array
    building_supply_c: Array
    building_return_c: Array
    circuit_return_c: Array


@inlined
def kept(pipe_wk, flow_kgs):
    """Share of its excess over the ground that water keeps along a pipe: e^(−UA/cm), by series."""
    x = pipe_wk / (max(flow_kgs, 1e-6) * CP)
    return 1.0 / (1.0 + x + x * x * (0.5 + x / 6.0))


@compiled
def advance(
    first, last, tree, homes, columns, emitters, habits, tables, moment, touched, now, water, out
):
    """One step of the dwellings of circuits ``first`` to ``last`` (exclusive).

    Arrays are taken out of their tuples first: inside the loop each look into a tuple would cost
    as much as a dwelling's arithmetic. Indices are unsigned, so that none is checked for being
    negative. A building's dwellings go through one short loop after the other: short enough for
    the processor to work on several dwellings at once.
    """
    circuit_buildings, building_entrances, entrance_risers, riser_units = tree
    response, wind_wk, solar_m2, gain_w, airing_full_w, late = homes
    slab_wk, wall_wk, shift = columns
    kinds, keeps, mean_keeps, convectives = emitters
    rest, burst, bursts, airs, company, not_aired_below_c = habits
    power, root = tables
    outdoor_c, wind, south_wm2, slot_begins, day_begins, slot_state, day_state = moment
    weakness, extra_wk, gains_share = touched
    air_c, mass_c, emitted_w, today_w, gains_w, airing_w = now
    unit_kgs, _, entrance_kgs, building_kgs, pump_kgs, supply_c, pipe_wk = water
    (
        air_to,
        mass_to,
        emitted_to,
        unit_return_c,
        entrance_back,
        building_in,
        building_back,
        back_c,
    ) = out
    largest = 0
    for b in range(circuit_buildings[first], circuit_buildings[last]):
        entrance, beyond = building_entrances[b], building_entrances[b + 1]
        count = riser_units[entrance_risers[beyond]] - riser_units[entrance_risers[entrance]]
        largest = max(largest, count)
    given, lost, party = np.empty(largest), np.empty(largest), np.empty(largest)
    into_air, into_mass = np.empty(largest), np.empty(largest)
    for c in range(first, last):
        kind, keep, mean_keep, convective = kinds[c], keeps[c], mean_keeps[c], convectives[c]
        carried = 0.0
        for b in range(circuit_buildings[c], circuit_buildings[c + 1]):
            in_building = building_kgs[b]
            supply = GROUND_C + (supply_c[c] - GROUND_C) * kept(pipe_wk[b], in_building)
            riser = entrance_risers[building_entrances[b]]
            beyond = entrance_risers[building_entrances[b + 1]]
            begin, end = np.uintp(riser_units[riser]), np.uintp(riser_units[beyond])
            if slot_begins:
                for u in range(begin, end):
                    here = late[u]
                    if day_begins:
                        fuller = company * company_of(mixed(day_state, u))
                        today_w[u] = gain_w[u] * (1.0 + fuller)
                    share, opened = lived(
                        mixed(slot_state, u), rest[here], burst, bursts[here], airs[here]
                    )
                    gains_w[u] = today_w[u] * share * gains_share[u]
                    airing_w[u] = airing_full_w[u] * opened * (air_c[u] > not_aired_below_c)
            for u in range(begin, end):  # the water's way through the emitters
                excess = max(supply - air_c[u], 0.0)
                weak = weakness[u] / max(unit_kgs[u], np.float32(1e-9))
                left = leaving_excess(excess, weak, kind, power, root)
                unit_return_c[u] = supply - excess + left
            for u in range(begin, end):  # what the emitters pass on
                heat = unit_kgs[u] * CP * (supply - unit_return_c[u])
                ahead = emitted_w[u] - heat
                emitted_to[u] = heat + ahead * keep
                given[u - begin] = heat + ahead * mean_keep
            for r in range(riser, beyond):  # what neighbours give
                bottom, top = np.uintp(riser_units[r]), np.uintp(riser_units[r + 1])
                slab = slab_wk[r]
                for u in range(bottom, top):
                    mass = mass_c[u]
                    comes = 0.0
                    for side in range(4):
                        other = mass_c[u + np.uintp(shift[side, r])]
                        comes += wall_wk[side, r] * (other - mass)
                    if u > bottom:
                        comes += slab * (mass_c[u - np.uintp(1)] - mass)
                    if u + np.uintp(1) < top:
                        comes += slab * (mass_c[u + np.uintp(1)] - mass)
                    party[u - begin] = comes
            for u in range(begin, end):  # infiltration, windows
                extra = extra_wk[u] + wind_wk[u] * wind
                lost[u - begin] = extra * (air_c[u] - outdoor_c) + airing_w[u]
            for u in range(begin, end):
                i = u - begin
                gains, sun = gains_w[u], solar_m2[u] * south_wm2
                into_air[i] = convective * given[i] + CONVECTIVE_GAINS * gains + SUN_TO_AIR * sun
                rest_w = (1.0 - convective) * given[i] + (1.0 - CONVECTIVE_GAINS) * gains
                into_mass[i] = rest_w + (1.0 - SUN_TO_AIR) * sun + party[i]
            for u in range(begin, end):
                i = u - begin
                air_w, mass_w = into_air[i] - lost[i], into_mass[i]
                air_end = outdoor_c + response[4, u] * air_w + response[5, u] * mass_w
                mass_end = outdoor_c + response[5, u] * air_w + response[6, u] * mass_w
                air_off, mass_off = air_c[u] - air_end, mass_c[u] - mass_end
                air_to[u] = air_end + response[0, u] * air_off + response[1, u] * mass_off
                mass_to[u] = mass_end + response[2, u] * air_off + response[3, u] * mass_off
            joined_b = 0.0
            for e in range(building_entrances[b], building_entrances[b + 1]):
                joined_e = 0.0
                bottom = np.uintp(riser_units[entrance_risers[e]])
                for u in range(bottom, np.uintp(riser_units[entrance_risers[e + 1]])):
                    joined_e += unit_kgs[u] * unit_return_c[u]
                idle = entrance_kgs[e] <= 1e-9
                entrance_back[e] = supply if idle else joined_e / entrance_kgs[e]
                joined_b += joined_e
            back = supply if in_building <= 1e-9 else joined_b / in_building
            building_in[b], building_back[b] = supply, back
            cooled = kept(0.5 * pipe_wk[b], in_building)
            carried += in_building * (GROUND_C + (back - GROUND_C) * cooled)
        back_c[c] = supply_c[c] if pump_kgs[c] <= 1e-9 else carried / pump_kgs[c]


@inlined
def lived(bits, rest, burst, chance, airing):
    """Share of its mean gain that a household gives off in a slot, and how wide it opens up.

    ``bits`` are 64 random ones: a burst, an open window and its width come from 16 each.
    """
    low = np.uint64(0xFFFF)
    share = rest + burst * (np.int64(bits & low) < chance)
    opened = np.int64((bits >> np.uint64(16)) & low) < airing
    return share, opened * (0.4 + 1.2 / 65536.0 * np.int64(bits >> np.uint64(48)))


@inlined
def company_of(bits):
    """How many are at home on a day, from −1 (fewer) to 1 (more)."""
    return np.int64(bits >> np.uint64(48)) / 32768.0 - 1.0
