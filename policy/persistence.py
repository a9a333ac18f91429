"""What in a directory's audit would let somebody come back, and what was merely work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.sweep import FindingKind, SweepFinding

MOST_FINDINGS = 50
"""A receipt is read by people: what is beyond is counted."""


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
    """The service principal that did it; None also for Microsoft's own services."""
    by_client: str | None = None
    """The client id of the application that did it, where Microsoft tells it."""


@dataclass(frozen=True)
class Ours:
    """What belongs to this deployment in a tenant: client ids, and the objects that stand for them there."""

    client_ids: frozenset[str]
    object_ids: frozenset[str] = frozenset()

    def did(self, act: Act) -> bool:
        """Whether one of our applications did it."""
        return act.by_client in self.client_ids or act.by_principal in self.object_ids

    def are_in(self, act: Act) -> bool:
        """Whether one of our applications was touched."""
        return any(
            touched.id in self.object_ids or any(own in value for value in touched.values for own in self.client_ids)
            for touched in act.touched
            if touched.kind in {"ServicePrincipal", "Application", None}
        )


@dataclass(frozen=True)
class Reviewed:
    """What an account did, sorted."""

    findings: tuple[SweepFinding, ...]
    done: dict[str, int]
    """How often each activity succeeded, whether it is a finding or not."""
    refused: int


@dataclass(frozen=True)
class _Row:
    kind: FindingKind
    says: str
    """A regular expression on the activity's whole name, in lower case with plain hyphens."""
    words: str
    """``{who}`` is the first thing touched, ``{what}`` the second."""
    usual: bool = False
    """Work brings it along day by day, done to others: listed, not alarmed."""
    stays: bool = False
    """The closing does not take it, also where it was done to the account itself."""


_ROWS = (
    # Whoever is eligible for a role takes it when they like, and no list of assignments shows it.
    _Row(FindingKind.ROLE, r"add eligible member to role.*", "made {who} eligible for {what}", stays=True),
    # It may begin tomorrow, and be in no list before; then the reconciler takes it, or the closing of the next grant.
    _Row(FindingKind.ROLE, r"add member to role in pim .*", "scheduled {what} for {who}", stays=True),
    _Row(FindingKind.ROLE, r"add (scoped )?member to role.*|add role assignment.*", "gave {what} to {who}"),
    _Row(FindingKind.ROLE, r"(add|update) role definition", "changed what the role {who} allows"),
    _Row(FindingKind.POLICY, r"update role setting.*|.*pim.*(policy|setting).*", "changed how roles are given: {who}"),
    _Row(FindingKind.MEMBERSHIP, r"add member to group", "put {who} into the group {what}", usual=True),
    _Row(
        FindingKind.SIGN_IN_METHOD,
        r"(user|admin) (registered|updated|changed) .*security info|add (fido2|passkey|windows hello).*",
        "registered a sign-in method for {who}",
    ),
    _Row(
        FindingKind.CREDENTIAL,
        r"update application - certificates and secrets management|(add|update) .*credentials?( .*)?",
        "changed the credentials of {who}",
    ),
    _Row(FindingKind.OWNERSHIP, r"add owner to .*", "made {who} an owner of {what}"),
    _Row(
        FindingKind.CONSENT,
        r"consent to application|add (oauth2permissiongrant|delegated permission grant)|add app role assignment.*",
        "gave permissions to {who}",
    ),
    _Row(FindingKind.APPLICATION, r"add (application|service principal)", "brought in the application {who}"),
    _Row(
        FindingKind.POLICY,
        r"(add|update|delete) (conditional access policy|named location|policy)",
        "changed the policy {who}",
    ),
    _Row(
        FindingKind.POLICY,
        r"authentication methods policy .*|update authorization policy|.*security defaults.*"
        r"|(disable strong authentication|update per-user multifactor authentication state)",
        "changed how people sign in: {who}",
    ),
    _Row(
        FindingKind.TRUST,
        r"set domain authentication|set federation settings on domain|(add (un)?verified|verify|update) domain"
        r"|.*(partner|cross-tenant).*",
        "changed whom the tenant trusts: {who}",
    ),
    _Row(FindingKind.ACCOUNT, r"add user|invite external user", "made the account {who}", usual=True),
    _Row(FindingKind.ACCOUNT, r"restore user", "brought back the deleted account {who}"),
)
_TAKEN_AT_CLOSING = frozenset({FindingKind.ROLE, FindingKind.MEMBERSHIP, FindingKind.SIGN_IN_METHOD})
"""What the closing takes from the account, and proves to be gone."""


def review(acts: Iterable[Act], account: str, ours: Ours, *, closed: bool) -> Reviewed:
    """Sort what ``account`` did. ``closed``: the directory was read back and says that the account holds nothing."""
    findings: list[SweepFinding] = []
    done: Counter[str] = Counter()
    refused = 0
    for act in sorted(acts, key=lambda one: one.at):
        if not act.succeeded:
            refused += 1
            continue
        done[act.activity] += 1
        if finding := judge(act, account, ours, closed=closed):
            findings.append(finding)
    return Reviewed(_first_of(findings), dict(sorted(done.items())), refused)


def judge(act: Act, account: str, ours: Ours, *, closed: bool) -> SweepFinding | None:
    """What one act of ``account`` is as a way to come back; None: mere work."""
    if ours.are_in(act):
        words = f"changed our own application: {act.activity} ({_name(act.touched, 0)})"
        return SweepFinding(
            kind=FindingKind.OUR_APPLICATION, sentence=words, at=act.at, alarming=True, evidence=(act.id,)
        )
    name = act.activity.lower().replace("\N{EN DASH}", "-")
    row = next((row for row in _ROWS if re.fullmatch(row.says, name)), None)
    if row is None:
        return None
    for_itself = bool(act.touched) and act.touched[0].id == account
    removed = for_itself and closed and row.kind in _TAKEN_AT_CLOSING and not row.stays
    who = "itself" if for_itself else _name(act.touched, 0)
    return SweepFinding(
        kind=row.kind,
        sentence=row.words.format(who=who, what=_name(act.touched, 1)),
        at=act.at,
        removed=removed,
        alarming=not removed and (for_itself or not row.usual),
        evidence=(act.id,),
    )


def foreign_changes(acts: Iterable[Act], account: str, ours: Ours) -> tuple[str, ...]:
    """What others did to ``account``, one sentence each.

    Microsoft's own services, which have no service principal in the tenant, do not count: they follow what we do.
    """
    return tuple(
        f"{act.activity}, by {_author(act)}, at {act.at:%Y-%m-%d %H:%M:%SZ}"
        for act in sorted(acts, key=lambda one: one.at)
        if act.succeeded
        and not ours.did(act)
        and act.by_user != account
        and (act.by_user or act.by_principal)
        and any(touched.id == account for touched in act.touched)
    )


def _author(act: Act) -> str:
    return f"the account {act.by_user}" if act.by_user else f"the application {act.by_client or act.by_principal}"


def _name(touched: Sequence[Touched], place: int) -> str:
    if place >= len(touched):
        return "something"
    return touched[place].name or touched[place].id or "something"


def _first_of(findings: Sequence[SweepFinding]) -> tuple[SweepFinding, ...]:
    """What has to be looked at comes before what need not be, in order of time; not more than people read."""
    ordered = sorted(findings, key=lambda finding: not finding.alarming)[:MOST_FINDINGS]
    return tuple(sorted(ordered, key=lambda finding: (finding.at is None, finding.at)))
