"""Closing one account of a directory: what is done to it, and what the directory then says of it.

Every part is idempotent, and each is attempted even if another fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from entra_jit.accounts.access import KINDS, Held, Holdings, Kind
from entra_jit.accounts.attempts import attempt_all
from entra_jit.crypto.marks import OPEN_UNTIL_ATTRIBUTE
from entra_jit.crypto.passwords import new_password
from entra_jit.graph import (
    ConflictError,
    DefaultMethodError,
    GraphError,
    MasteredElsewhereError,
    PermanentError,
    SignInMethod,
    Tenant,
    TransientError,
    User,
)
from entra_jit.policy.persistence import MOST_FINDINGS
from models.errors import ReadBackDisagreesError
from models.messages import AccessItem, AccessKind, AccountToClose, DirectoryCall, ObjectId, PassId, Standing
from models.sweep import FindingKind, SweepFinding

MOST_CALLS = 100
"""Kept of one step, besides ``MOST_FINDINGS``: who joins thousands of groups must not make an answer that is too large
for Temporal."""


@dataclass
class Stripped:
    """What was taken from an account, over all the tries that it took."""

    removed: set[str] = field(default_factory=set)
    """The ids of access and pass that were there to be removed, those of unanswered removals included."""
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

    def note_undone(self, kind: FindingKind, id: str, sentence: str) -> None:
        """What cannot be done as things are in the tenant, and needs attention."""
        self.found.setdefault(id, SweepFinding(kind=kind, sentence=sentence, alarming=True, evidence=(id,)))

    def note_foreign(self, kind: Kind, holdings: Holdings, granted: tuple[AccessItem, ...]) -> list[Held]:
        """Note what the account holds of a kind and was not granted. Gives it."""
        foreign = holdings.foreign_to(granted)
        for held in foreign:
            self.note(kind.FINDING, held.id, held.sentence, holdings.evidence.answered_at)
        self.stays |= {finding.evidence[0]: finding for finding in holdings.cannot_be_taken}
        return foreign

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

    access: tuple[AccessItem, ...] = ()
    access_pass: PassId | None = None
    known_at: datetime | None = None
    """When every replica has heard of it; None: it has. Before, only what was seen to be removed is proven gone."""

    @classmethod
    def to(cls, account: AccountToClose, known_after: timedelta) -> Given:
        """What the grant has given to the account. ``known_after``: how long replicas may not have heard of it."""
        known_at = account.access_given_at + known_after if account.access_given_at else None
        return cls(account.grant.access, account.pass_id, known_at)

    def of(self, kind: AccessKind) -> tuple[AccessItem, ...]:
        """The items of one kind."""
        return tuple(item for item in self.access if item.kind is kind)

    def ids(self, user: ObjectId) -> set[str]:
        """By which each can be removed all the same."""
        ids = {id for name, kind in KINDS.items() for id in kind.expected_ids(self.of(name), user)}
        return ids | ({self.access_pass} if self.access_pass else set())


NOTHING = Given()


async def strip(
    tenant: Tenant, user: ObjectId, given: Given = NOTHING, stripped: Stripped | None = None
) -> list[DirectoryCall]:
    """Password, sessions, sign-in methods and access of every kind, all at the same time. Gives Microsoft's answers.

    ``stripped`` takes down what was there.
    """
    noted = stripped or Stripped()
    done = await attempt_all(
        [
            _scramble(tenant, user, noted),
            _one(tenant.users.revoke_sessions(user)),
            _delete_methods(tenant, user, given, noted),
            *(_take_all(kind, given.of(name), tenant, user, noted) for name, kind in KINDS.items()),
        ]
    )
    return [call for calls in done for call in calls]


async def _scramble(tenant: Tenant, user: ObjectId, stripped: Stripped) -> list[DirectoryCall]:
    """Set a password that no one knows. What Microsoft will never let anyone do is noted, and not waited for."""
    try:
        return await _one(tenant.users.set_password(user, new_password(), force_change=True))
    except PermanentError as refusal:
        domain = await _federated_domain(tenant, user)
        if domain is None:
            raise
        stripped.note_undone(
            FindingKind.TRUST,
            "password",
            f"Its password could not be set: the domain {domain} was federated, and Microsoft lets only the identity "
            f"provider of that domain sign the account in. {refusal.message or ''}".rstrip(),
        )
        return []


async def _federated_domain(tenant: Tenant, user: ObjectId) -> str | None:
    """The domain of the account, where it is federated; None: it is not, or cannot be read."""
    try:
        account, organization = await asyncio.gather(tenant.users.get(user), tenant.organization.get())
    except GraphError:
        return None
    domain = account.user_principal_name.rpartition("@")[2].lower()
    return domain if domain in organization.federated_domains else None


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
    methods, kinds = await asyncio.gather(
        tenant.sign_in_methods.list(user.id),
        asyncio.gather(*(kind.list_held(tenant, user.id) for kind in KINDS.values())),
    )
    standing = Standing(
        exists=True,
        enabled=user.account_enabled,
        access=tuple(held.item for holdings in kinds for held in holdings.held),
        sign_in_methods=tuple(sorted(method.kind for method in methods if not method.is_password)),
    )
    return ReadBack(standing, (user.evidence, methods.evidence, *(holdings.evidence for holdings in kinds)))


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
    # The listing lags behind the making.
    unlisted = (
        [] if unseen is None else [_noted(tenant.access_passes.delete(unseen, of=user), unseen, stripped.removed)]
    )
    listed = [method for method in registered if method.id != unseen]
    deleted, others = await attempt_all([delete_methods(tenant, listed, user), _each(unlisted)])
    return deleted + others


async def delete_methods(tenant: Tenant, methods: Sequence[SignInMethod], user: ObjectId) -> list[DirectoryCall]:
    """Delete sign-in methods at the same time, and the default one again once the others are gone.

    Gives Microsoft's answers. Which one is the default only the refusal tells. Raises ``DefaultMethodError`` for one
    that is refused although it is the last, and ``ReadBackDisagreesError`` where the others were deleted just now.
    """
    refused: list[SignInMethod] = []

    async def delete(method: SignInMethod) -> list[DirectoryCall]:
        try:
            return await _one(tenant.sign_in_methods.delete(method, of=user))
        except DefaultMethodError:
            refused.append(method)
            return []

    deleted = await attempt_all(delete(method) for method in methods)
    try:
        again = await _each([tenant.sign_in_methods.delete(method, of=user) for method in refused])
    except DefaultMethodError as error:
        if len(refused) == len(methods):
            raise
        # The replica that refuses may not know yet that the others are gone.
        raise ReadBackDisagreesError(str(error)) from None
    return [*chain(*deleted), *again]


async def _take_all(
    kind: Kind, granted: tuple[AccessItem, ...], tenant: Tenant, user: ObjectId, stripped: Stripped
) -> list[DirectoryCall]:
    """Take whatever the account holds of a kind. What was ``granted`` is no finding."""
    holdings = await kind.list_held(tenant, user)
    stripped.note_foreign(kind, holdings, granted)
    listed = {held.id for held in holdings.held}
    # The listing lags behind the giving; what was granted can be taken without it.
    unlisted = kind.expected_ids(granted, user) - listed
    taken = await attempt_all(
        [
            _each([_noted(kind.take(tenant, id, user), id, stripped.removed) for id in sorted(listed)]),
            *(_unless_refused(_noted(kind.take(tenant, id, user), id, stripped.removed)) for id in sorted(unlisted)),
        ]
    )
    return [call for calls in taken for call in calls]


async def _unless_refused(removal: Awaitable[DirectoryCall]) -> list[DirectoryCall]:
    """The answer of the removal of something that is not listed; none where it is not there, or not to be removed.

    Microsoft refuses to change the members of a group that has become dynamic, also for who was never in it. What is
    there all the same is listed soon, and what was not noted as removed is waited for until then.
    """
    try:
        return await _one(removal)
    except PermanentError:
        return []


async def take_foreign(
    kind: Kind, granted: tuple[AccessItem, ...], tenant: Tenant, user: ObjectId, stripped: Stripped
) -> tuple[Holdings, list[DirectoryCall]]:
    """Take what the account holds of a kind and was not ``granted``. Gives what it held, and Microsoft's answers."""
    holdings = await kind.list_held(tenant, user)
    foreign = stripped.note_foreign(kind, holdings, granted)
    return holdings, await _each([kind.take(tenant, held.id, user) for held in foreign])


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
