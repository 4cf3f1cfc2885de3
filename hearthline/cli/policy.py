"""``policy``: the local heating rules that come with the product, and a company's own, checked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from hearthline.cli.output import emit, out
from hearthline.domain.policies import PROFILES, Policy, Profile
from hearthline.errors import NotFound
from hearthline.settings import load

if TYPE_CHECKING:
    from hearthline.domain.policies import OutageStep, RefundStep, ResponseClock


def register(app: App) -> None:
    """Add the commands of this module."""
    group = App(name="policy", help="Local heating rules: standards, refunds, clocks.")
    group.command(list_policies, name="list")
    group.command(show)
    group.command(check)
    app.command(group)


def list_policies(*, json: bool = False) -> None:
    """Every rule at hand with its versions; the one the company works by is marked."""
    settings = load()
    ours = settings.rule()
    found = {**PROFILES, ours.code: ours}
    if json:
        emit({"policies": [_plain(one, in_use=one.code == ours.code) for one in found.values()]})
        return
    for profile in found.values():
        mark = "●" if profile.code == ours.code else " "
        versions = ", ".join(
            f"{one.threshold_c:g} °C from {one.valid_from}" for one in profile.versions
        )
        out.print(f"{mark} {profile.code:<14} {profile.name} {profile.name_zh}: {versions}",
                  markup=False)  # fmt: skip


def show(
    code: Annotated[str | None, Parameter(help="A rule's code; default: the one in use.")] = None,
    *,
    file: Annotated[
        bool, Parameter(name="--file", help="Print it as a policy file to start from.", negative="")
    ] = False,
    json: bool = False,
) -> None:
    """One rule, version by version: standard, ladder, excluded hours, clocks, source."""
    from hearthline.domain.policies.files import write

    ours = load().rule()
    profile = ours if code in {None, ours.code} else PROFILES.get(str(code))
    if profile is None:
        raise NotFound(f"There is no policy {code!r}.", f"Known: {', '.join(PROFILES)}.")
    if json:
        emit(_plain(profile, in_use=profile.code == ours.code))
    elif file:
        out.print(write(profile), markup=False, end="")
    else:
        _tell(profile)


def check(file: Path, *, json: bool = False) -> int:
    """Check a policy file; every problem is told with its line. Exit code 1 if there are any.

    A sound file is taken into use with HEARTHLINE_POLICY_FILE.
    """
    from hearthline.domain.policies.files import PolicyError, read

    try:
        profile = read(file)
    except PolicyError as error:
        if json:
            problems = [one._asdict() for one in error.problems]
            emit({"file": str(file), "sound": False, "problems": problems})
        else:
            for problem in error.problems:
                out.print(f"✘ {problem}", markup=False)
        return 1
    if json:
        emit({"file": str(file), "sound": True, "problems": [], "policy": _plain(profile)})
    else:
        _tell(profile)
        out.print("The file is sound.")
    return 0


def _plain(profile: Profile, **more: Any) -> dict[str, Any]:
    from hearthline.domain.policies.files import plain

    return {
        "code": profile.code,
        "name": profile.name,
        "name_zh": profile.name_zh,
        **more,
        "versions": [plain(policy) for policy in profile.versions],
    }


def _tell(profile: Profile) -> None:
    out.print(f"{profile.code}: {profile.name} {profile.name_zh}", markup=False)
    for policy in profile.versions:
        out.print(f"\nvalid from {policy.valid_from}", markup=False)
        for title, said in _rows(policy):
            out.print(f"  {title:<18} {said}", markup=False)


def _rows(policy: Policy) -> list[tuple[str, str]]:
    """What a version says, a line each; what it leaves open is left out."""
    first, last = policy.season
    ladder = sorted(policy.refunds, key=lambda step: -step.below_c)
    settled = policy.settled_by
    binds = policy.binds_from_c
    rows = [
        ("standard", f"{policy.threshold_c:g} °C"),
        ("upper limit", "" if policy.upper_c is None else f"{policy.upper_c:g} °C"),
        ("season", f"{_day(first)} to {_day(last)}, start-up {policy.startup_days} days"),
        ("cold after", f"{_span(policy.open_after)}, warm after {_span(policy.close_after)}"),
        ("hours left out", _hours(policy.excluded_hours)),
        ("no visits at", _hours(policy.onsite_excluded_hours)),
        ("binds from", "" if binds is None else f"{binds:g} °C outdoors"),
        ("judged by", str(policy.judged_by)),
        ("refunds", "; ".join(map(_step, ladder))),
        ("refunded after", _span(policy.refund_after) if policy.refund_after else ""),
        ("refund of", f"{policy.fee_base} fee, by {policy.area_base}"),
        ("not for", ", ".join(policy.exclusions)),
        ("outages", "; ".join(map(_outage, policy.outages))),
        ("settled by", "" if settled is None else _day(settled)),
        ("clocks", "; ".join(map(_clock, policy.clocks))),
        ("source", policy.source),
        ("", policy.source_zh),
    ]
    return [(title, said) for title, said in rows if said]


def _day(said: tuple[int, int]) -> str:
    return f"{said[0]:02}-{said[1]:02}"


def _outage(step: OutageStep) -> str:
    since = "from" if step.including else "over"
    fault = " by own fault" if step.own_fault else ""
    return f"{since} {_span(step.after)}{fault}: {step.ratio:.0%}"


def _clock(clock: ResponseClock) -> str:
    part = clock.first_day > 1 or clock.last_day is not None
    days = f" (days {clock.first_day} to {clock.last_day or '…'} of the season)" if part else ""
    return f"{clock.matter} {clock.step} {_span(clock.within)}{days}"


def _step(step: RefundStep) -> str:
    return f"{'up to' if step.including else 'below'} {step.below_c:g} °C: {step.ratio:.0%}"


def _hours(stretches: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"{start:02}:00–{end:02}:00" for start, end in stretches)


def _span(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    return f"{minutes / 60:g} h" if minutes >= 60 else f"{minutes:g} min"
