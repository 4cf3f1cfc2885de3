"""The sources above all districts: what meters say of them, and what the districts found cold.

What is known of each district's rooms is known to the district; of a source one needs the signs
that all meters give together, who is cold and since when, and whether districts are cold in
general.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from analytics import evidence
from analytics.explain.meters import proven_by_meters, recovering
from analytics.explain.rooms import COMMON_SHARE, PRIORS
from analytics.explain.telling import finding
from analytics.history import policy_at
from analytics.overall import Overall
from analytics.owed import heeded
from analytics.signs import Signal
from analytics.snapshot import ColdDwelling, Snapshot
from hearthline.domain.findings import Cause, Finding
from hearthline.domain.network import Network
from hearthline.domain.places import PlaceKind
from hearthline.domain.policies import Policy, Profile
from tickets.merging import OpenIncident


@dataclass(frozen=True, slots=True)
class ColdSpell:
    """One dwelling's episode: who, how cold, and until when (None: it goes on)."""

    code: str
    cold: ColdDwelling
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether the dwelling was called cold at an instant."""
        return self.cold.opened_at <= at and (self.until is None or at < self.until)


@dataclass(frozen=True)
class Trunk:
    """What the sources are judged by; ``measured`` are the dwellings with a trusted sensor."""

    network: Network
    profile: Profile
    overall: Overall
    measured: Collection[str] = ()
    spells: Sequence[ColdSpell] = ()
    _levels: Mapping[str, float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Only who is measured counts up here, not how warm: districts have told that.
        object.__setattr__(self, "_levels", dict.fromkeys(self.measured, float("nan")))

    def policy(self, at: datetime) -> Policy:
        """The version of the rule that binds at an instant."""
        return policy_at(self.profile, at)

    def beginnings(self, since: datetime, until: datetime) -> list[datetime]:
        """When signs of the sources began, after ``since`` and up to ``until``."""
        return sorted({s.since for s in self._signals if since < s.since <= until})

    def snapshot(self, at: datetime) -> Snapshot:
        """What could be seen from above at an instant."""
        return Snapshot(
            at=at,
            network=self.network,
            threshold_c=self.policy(at).threshold_c,
            level_c=self._levels,
            cold={spell.code: spell.cold for spell in self.spells if spell.holds(at)},
            signals=[signal for signal in self._signals if signal.holds(at)],
            ended=[s for s in self._signals if s.until is not None and s.until <= at],
        )

    @cached_property
    def _signals(self) -> list[Signal]:
        """The sources' signs while heat is due."""
        return heeded(self.overall.signals, self.profile)

    def proven(self, at: datetime) -> list[Finding]:
        """What meters prove of the sources, whoever may be cold."""
        return proven_by_meters(self.snapshot(at), frozenset())

    def findings(self, at: datetime) -> list[Finding]:
        """What meters say of the sources, and who is cold by it, or has not recovered from it."""
        if not self._signals:
            return []
        seen = self.snapshot(at)
        found = proven_by_meters(seen, frozenset(seen.cold))
        left = frozenset(seen.cold).difference(*(one.cold for one in found))
        return found + recovering(seen, left)

    def findings_at_end(self, at: datetime, incidents: Sequence[OpenIncident]) -> list[Finding]:
        """``findings``, and sources most of whose districts are cold for no reason of their own."""
        found = self.findings(at)
        told = {one.place for one in found}
        for root in self.network.roots():
            if root not in told:
                found += self._general(at, root, incidents)
        return found

    def _general(self, at: datetime, root: str, incidents: Sequence[OpenIncident]) -> list[Finding]:
        path_of = self.network.path_of
        districts = [d for d in self.network.districts() if path_of[d].startswith(path_of[root])]
        cold = {
            incident.place: incident.cold
            for incident in incidents
            if incident.cause is Cause.UNDETERMINED
            and incident.place in districts
            and incident.recovered_at is None
            and incident.cold
        }
        if len(cold) < 2 or len(cold) < COMMON_SHARE * len(districts):
            return []
        seen = self.snapshot(at)
        members = frozenset().union(*cold.values()).intersection(seen.cold)
        if not members:
            return []
        pieces = [evidence.share(seen, root), evidence.deepest(seen, members)]
        pieces.append(evidence.meter_word(seen, root))
        ranked = [(Cause.UNDETERMINED, 0.4), *PRIORS[PlaceKind.SOURCE]]
        return [finding(seen, root, ranked, members, pieces)]
