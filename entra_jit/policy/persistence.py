"""Tells ways back from everyday work in a directory's audit log."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from entra_jit.policy import audit_activities
from models.moments import format_moment
from models.sweep import FindingKind, SweepFinding

MOST_FINDINGS = 50
"""A receipt is read by people: what is beyond is counted."""

MOST_EVIDENCE = 10
"""Entries that a finding about many of them names."""


@dataclass(frozen=True)
class Touched:
    """An object that an entry of the audit names."""

    id: str | None
    kind: str | None = None
    """``User``, ``Role``, ``Group``, ``ServicePrincipal``, ``Application``, …"""
    name: str | None = None
    values: tuple[str, ...] = ()
    """What its changed properties were and became."""


@dataclass(frozen=True)
class Act:
    """One entry of the audit."""

    id: str
    at: datetime
    activity: str
    touched: tuple[Touched, ...]
    succeeded: bool = True
    by_user: str | None = None
    by_principal: str | None = None
    """The service principal that did it; Microsoft's own services have one, too, and no entry tells a client id."""
    by_name: str | None = None
    """The application's name."""


_NO_APPLICATION = frozenset({"User", "Group", "Role", "Device", "AdministrativeUnit"})
"""What may have our client ids among its values without being ours: a user who was assigned to the application."""


@dataclass(frozen=True)
class Ours:
    """What belongs to this deployment in a tenant: client ids, and the objects that stand for them there."""

    client_ids: frozenset[str]
    object_ids: frozenset[str] = frozenset()

    def did(self, act: Act) -> bool:
        """Whether one of our applications did it."""
        return act.by_principal in self.object_ids

    def are_in(self, act: Act) -> bool:
        """Whether one of our applications was touched, whatever the log calls its kind."""
        return any(
            touched.id in self.object_ids
            or (
                touched.kind not in _NO_APPLICATION
                and any(own in value.lower() for value in touched.values for own in self.client_ids)
            )
            for touched in act.touched
        )


@dataclass(frozen=True)
class Reviewed:
    """What an account did, sorted."""

    findings: tuple[SweepFinding, ...]
    done: dict[str, int]
    """How often each activity succeeded, whether it is a finding or not."""
    refused: int


_TAKEN_AT_CLOSING = frozenset({FindingKind.ROLE, FindingKind.MEMBERSHIP, FindingKind.SIGN_IN_METHOD})
"""What the closing takes from the account, and proves to be gone."""


def review(acts: Iterable[Act], account: str, ours: Ours, *, closed: bool) -> Reviewed:
    """Sort what ``account`` did. ``closed``: the directory was read back and says that the account holds nothing."""
    findings: list[tuple[int, SweepFinding]] = []
    """Each with how often its activity had been done before."""
    unknown: dict[str, list[Act]] = defaultdict(list)
    done: Counter[str] = Counter()
    refused = 0
    for act in sorted(acts, key=lambda one: one.at):
        if not act.succeeded:
            refused += 1
            continue
        done[act.activity] += 1
        if finding := judge(act, account, ours, closed=closed):
            findings.append((done[act.activity], finding))
        elif audit_activities.find(act.activity) is None:
            unknown[act.activity].append(act)
    findings += [(0, _unknown(activity, several)) for activity, several in unknown.items()]
    return Reviewed(_first_of(findings), dict(sorted(done.items())), refused)


def judge(act: Act, account: str, ours: Ours, *, closed: bool) -> SweepFinding | None:
    """What one act of ``account`` is as a way to come back; None: mere work, or not known."""
    if ours.are_in(act):
        words = f"changed our own application: {act.activity.strip()} ({_name(act.touched, 0)})"
        return SweepFinding(
            kind=FindingKind.OUR_APPLICATION, sentence=words, at=act.at, alarming=True, evidence=(act.id,)
        )
    row = audit_activities.find(act.activity)
    if row is None or row.kind is None:
        return None
    touched = sorted(act.touched, key=_place)
    accounts = {one.id for one in touched if one.kind == "User" or one.id == account}
    for_itself = account in accounts
    removed = accounts == {account} and closed and row.kind in _TAKEN_AT_CLOSING and not row.stays
    who = "itself" if touched and touched[0].id == account else _name(touched, 0)
    return SweepFinding(
        kind=row.kind,
        sentence=row.words.format(who=who, what=_name(touched, 1)),
        at=act.at,
        removed=removed,
        alarming=not removed and (for_itself or not row.usual),
        evidence=(act.id,),
    )


def _unknown(activity: str, several: Sequence[Act]) -> SweepFinding:
    """One finding however often it was done: what is not known is mostly new at Microsoft's, not done by stealth."""
    times = f", {len(several)} times" if len(several) > 1 else ""
    words = (
        f"did something not known here: {activity.strip()} ({_name(sorted(several[0].touched, key=_place), 0)}){times}"
    )
    return SweepFinding(
        kind=FindingKind.UNKNOWN,
        sentence=words,
        at=several[0].at,
        alarming=True,
        evidence=tuple(act.id for act in several[:MOST_EVIDENCE]),
    )


def foreign_acts(acts: Iterable[Act], account: str, ours: Ours) -> tuple[Act, ...]:
    """What others did to ``account``, oldest first. Some of it may be the doing of Microsoft's own services."""
    return tuple(
        act
        for act in sorted(acts, key=lambda one: one.at)
        if act.succeeded
        and not ours.did(act)
        and act.by_user != account
        and (act.by_user or act.by_principal)
        and any(touched.id == account for touched in act.touched)
    )


def describe_foreign(act: Act) -> str:
    """The act and its author, in a sentence."""
    author = f"the account {act.by_user}" if act.by_user else f"the application {act.by_name or act.by_principal}"
    return f"{act.activity.strip()}, by {author}, at {format_moment(act.at)}"


def _place(touched: Touched) -> int:
    """Who comes before what: Privileged Identity Management names the role first, other services the account."""
    return {"User": 0, "Group": 2, "AdministrativeUnit": 3, "Role": 3, "Request": 4}.get(touched.kind or "", 1)


def _name(touched: Sequence[Touched], place: int) -> str:
    if place >= len(touched):
        return "something"
    return touched[place].name or touched[place].id or "something"


def _first_of(findings: Sequence[tuple[int, SweepFinding]]) -> tuple[SweepFinding, ...]:
    """Not more than people read, in order of time.

    What has to be looked at comes before what need not be, and each activity before another's repetitions: doing one
    thing a hundred times must not hide another.
    """
    ordered = sorted(findings, key=lambda one: (not one[1].alarming, one[0]))[:MOST_FINDINGS]
    return tuple(sorted((one for _, one in ordered), key=lambda finding: (finding.at is None, finding.at)))
