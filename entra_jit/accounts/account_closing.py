"""Closing one account of a directory: what is done to it, and what the directory then says of it.

Every part is idempotent, and each is attempted even if another fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from entra_jit.accounts.attempts import attempt_all
from entra_jit.crypto.marks import OPEN_UNTIL_ATTRIBUTE
from entra_jit.crypto.passwords import new_password
from entra_jit.graph import ConflictError, MasteredElsewhereError, Tenant, TransientError, User, assignment_id
from entra_jit.policy.persistence import MOST_FINDINGS
from entra_jit.policy.roles import role_name
from models.messages import AccountToClose, DirectoryCall, ObjectId, PassId, Role, Standing
from models.sweep import FindingKind, SweepFinding

MOST_CALLS = 100
"""Kept of one step, besides ``MOST_FINDINGS``: who joins thousands of groups must not make an answer that is too large
for Temporal."""


@dataclass
class Stripped:
    """What was taken from an account, over all the tries that it took."""

    removed: set[str] = field(default_factory=set)
    """The ids of roles and pass that were there to be removed, those of unanswered removals included."""
    found: dict[str, SweepFinding] = field(default_factory=dict)
    """By id, what the account had that was not of its grant; the first of very many."""
    beyond: set[str] = field(default_factory=set)
    """The ids of the others."""
    stays: dict[str, SweepFinding] = field(default_factory=dict)
    """By id, what could not be taken. It is not noted: the next try finds it again, or finds it gone."""

    @classmethod
    def noted(cls, details: Sequence[Any]) -> Stripped:
        """What an earlier try has noted in its heartbeats."""
        removed, found = [*details, [], []][:2]
        findings = [SweepFinding.model_validate(one) for one in found]
        return cls({str(one) for one in removed}, {finding.evidence[0]: finding for finding in findings})

    def to_note(self) -> tuple[list[str], list[Mapping[str, Any]]]:
        """As ``noted`` reads it."""
        return sorted(self.removed), [finding.model_dump(mode="json") for finding in self.found.values()]

    def note(self, kind: FindingKind, id: str, sentence: str, at: datetime) -> None:
        """Something that goes now. It counts as removed: without the proof that it is gone there is no receipt."""
        if id not in self.found and len(self.found) >= MOST_FINDINGS:
            self.beyond.add(id)
            return
        self.found.setdefault(id, SweepFinding(kind=kind, sentence=sentence, at=at, removed=True, evidence=(id,)))

    @property
    def findings(self) -> tuple[SweepFinding, ...]:
        """What was not of the grant."""
        taken = [finding for id, finding in self.found.items() if id not in self.stays]
        found = (*self.stays.values(), *taken)
        more = len(self.beyond - set(self.stays))
        if not more:
            return found
        several = f"There were {more} more things like these, which were taken away too."
        return (*found, SweepFinding(kind=FindingKind.ACCOUNT, sentence=several, removed=True))


@dataclass(frozen=True)
class Given:
    """What a grant has given, and may be held without being listed yet."""

    roles: tuple[Role, ...] = ()
    access_pass: PassId | None = None
    known_at: datetime | None = None
    """When every replica has heard of it; None: it has. Before, only what was seen to be removed is proven gone."""

    @classmethod
    def to(cls, account: AccountToClose, known_after: timedelta) -> Given:
        """What the grant has given to the account. ``known_after``: how long replicas may not have heard of it."""
        known_at = account.roles_given_at + known_after if account.roles_given_at else None
        return cls(account.grant.roles, account.pass_id, known_at)

    def ids(self, user: ObjectId) -> set[str]:
        """By which each can be removed all the same."""
        return self.assignments(user) | ({self.access_pass} if self.access_pass else set())

    def assignments(self, user: ObjectId) -> set[str]:
        """The ids of the assignments by which ``user`` holds the roles."""
        return {assignment_id(role.id, user) for role in self.roles}


NOTHING = Given()


async def strip(
    tenant: Tenant, user: ObjectId, given: Given = NOTHING, stripped: Stripped | None = None
) -> list[DirectoryCall]:
    """Password, sessions, sign-in methods, roles and memberships, all at the same time. Gives Microsoft's answers.

    ``stripped`` takes down what was there.
    """
    noted = stripped or Stripped()
    done = await attempt_all(
        [
            _one(tenant.users.set_password(user, new_password(), force_change=True)),
            _one(tenant.users.revoke_sessions(user)),
            _delete_methods(tenant, user, given, noted),
            _remove_roles(tenant, user, given, noted),
            remove_memberships(tenant, user, noted),
        ]
    )
    return [call for calls in done for call in calls]


async def disable_and_strip(
    tenant: Tenant, user: ObjectId, given: Given = NOTHING, stripped: Stripped | None = None
) -> list[DirectoryCall]:
    """Everything that closes an account, at the same time. Gives Microsoft's answers, the disabling's first.

    ``stripped`` as for ``strip``.
    """
    disabling, stripping = await attempt_all([_one(tenant.users.disable(user)), strip(tenant, user, given, stripped)])
    return disabling + stripping


@dataclass(frozen=True)
class ReadBack:
    """What the directory said of an account, and the calls in which it said so."""

    standing: Standing
    calls: tuple[DirectoryCall, ...]

    @property
    def at(self) -> datetime:
        """When it gave the last of these answers."""
        return max(call.answered_at for call in self.calls)


async def read_standing(tenant: Tenant, user: User) -> ReadBack:
    """What ``user`` holds besides what its own entry says."""
    roles, methods, memberships = await asyncio.gather(
        tenant.roles.assignments_of(user.id), tenant.sign_in_methods.list(user.id), tenant.users.memberships(user.id)
    )
    standing = Standing(
        exists=True,
        enabled=user.account_enabled,
        roles=tuple(sorted(assignment.role for assignment in roles)),
        memberships=tuple(sorted(group.id for group in memberships.groups if not group.is_dynamic)),
        sign_in_methods=tuple(sorted(method.kind for method in methods if not method.is_password)),
    )
    return ReadBack(standing, (user.evidence, roles.evidence, methods.evidence, memberships.evidence))


@dataclass(frozen=True)
class ClearedMark:
    """The open-until mark is gone, or why it is not."""

    calls: tuple[DirectoryCall, ...] = ()
    note: str | None = None


async def clear_mark(tenant: Tenant, user: User) -> ClearedMark:
    """Clear the open-until mark of an account that was read back closed. A mark that Exchange masters stays."""
    if not user.extension_attributes.get(OPEN_UNTIL_ATTRIBUTE):
        return ClearedMark()
    try:
        return ClearedMark((await tenant.users.set_attributes(user.id, {OPEN_UNTIL_ATTRIBUTE: None}),))
    except MasteredElsewhereError as error:
        return ClearedMark(note=without_mark(error))


def without_mark(error: MasteredElsewhereError) -> str:
    """What a step says of a mark that Microsoft refused to change."""
    return f"The open-until mark was not changed in the directory: {error.message}"


async def _one(call: Awaitable[DirectoryCall]) -> list[DirectoryCall]:
    """The answer of one removal; none where the thing was gone already."""
    try:
        return [await call]
    except ConflictError:
        return []


async def _each(removals: Sequence[Awaitable[DirectoryCall]]) -> list[DirectoryCall]:
    return [call for calls in await attempt_all(_one(removal) for removal in removals) for call in calls]


async def _delete_methods(tenant: Tenant, user: ObjectId, given: Given, stripped: Stripped) -> list[DirectoryCall]:
    methods = await tenant.sign_in_methods.list(user)
    registered = [method for method in methods if not method.is_password]
    for method in registered:
        if not method.is_access_pass:
            sentence = f"A sign-in method was registered: {method.kind}."
            stripped.note(FindingKind.SIGN_IN_METHOD, method.id, sentence, methods.evidence.answered_at)
    unseen = None if given.access_pass in stripped.removed else given.access_pass
    deletions = [tenant.sign_in_methods.delete(method, of=user) for method in registered if method.id != unseen]
    if unseen is not None:
        # The listing lags behind the making.
        deletions.append(_noted(tenant.access_passes.delete(unseen, of=user), unseen, stripped.removed))
    return await _each(deletions)


async def _remove_roles(tenant: Tenant, user: ObjectId, given: Given, stripped: Stripped) -> list[DirectoryCall]:
    # The listing lags behind the assigning; the ids of the granted roles can be computed without it.
    expected = given.assignments(user)
    assignments = await tenant.roles.assignments_of(user)
    for held in assignments:
        if held.id not in expected:
            where = "" if held.scope == "/" else f", over {held.scope}"
            sentence = f"It held the role {role_name(held.role)}{where}."
            stripped.note(FindingKind.ROLE, held.id, sentence, assignments.evidence.answered_at)
    listed = {held.id for held in assignments}
    return await _each(
        [_noted(tenant.roles.unassign(held), held, stripped.removed) for held in sorted(listed | expected)]
    )


async def _noted(removal: Awaitable[DirectoryCall], what: str, removed: set[str]) -> DirectoryCall:
    """Note what was there to be removed."""
    try:
        call = await removal
    except TransientError as error:
        if error.outcome_unknown:
            removed.add(what)
        raise
    removed.add(what)
    return call


async def remove_memberships(tenant: Tenant, user: ObjectId, stripped: Stripped) -> list[DirectoryCall]:
    """Take the account out of its groups, but for those whose members follow a rule."""
    memberships = await tenant.users.memberships(user)
    joined = [group for group in memberships.groups if not group.is_dynamic]
    for group in joined:
        sentence = f"It was a member of the group {group.display_name or group.id}."
        stripped.note(FindingKind.MEMBERSHIP, group.id, sentence, memberships.evidence.answered_at)
    return await _each([tenant.groups.remove_member(user, group=group.id) for group in joined])
