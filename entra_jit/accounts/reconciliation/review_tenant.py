"""Reading a tenant's audit for the grants that were closed there: what was done, and what of it outlives them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from entra_jit.accounts.account_closing import MOST_CALLS, read_standing
from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import Directories, Purpose
from entra_jit.accounts.finding import MissedSince, read_account
from entra_jit.accounts.interventions import Intervention
from entra_jit.accounts.proving import NotProvenError
from entra_jit.graph import (
    Applications,
    AuditEntry,
    AuditListing,
    GraphError,
    LostPageError,
    NotYetVisibleError,
    PermanentError,
    RetryBudget,
    Tenant,
    UnexpectedResponseError,
    UnreadablePart,
)
from entra_jit.ledger import addenda, reconciliation, reviews
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.reviews import Due
from entra_jit.policy.persistence import Act, Ours, Reviewed, Touched, describe_foreign, foreign_acts, review
from entra_jit.policy.review import AUDIT_IS_KEPT_FOR
from models.actor import REVIEW
from models.alarms import Alarm, AlarmKind
from models.display_text import comparable
from models.messages import Addendum, AddendumKind, DirectoryCall, ObjectId, TenantId, TenantReview
from models.sweep import Done, FindingKind, SweepFinding

AT_ONE_TIME = 10
"""Spans of one tenant in one run: Microsoft lets the audit be asked five times in ten seconds."""

MOST_SENTENCES = 5

MOST_LOOKED_UP = 10
"""Applications that changed one account: who they are is asked of the directory, one by one."""

REVIEWS_BEGIN_WITHIN = timedelta(minutes=8)
"""How long one tenant's reviews may begin and repeat what Microsoft puts off. ``options.REVIEWING`` is for them all."""


@dataclass(frozen=True)
class _HeldAfterwards:
    """What the account holds now, and what was taken from it."""

    is_closed: bool
    """False also where a later grant holds it."""
    taken: tuple[SweepFinding, ...] = ()
    calls: tuple[DirectoryCall, ...] = ()


class Reviewing:
    """Reviews tenants, one at a time."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger
        self._keyring = backend.keyring
        self._directories = backend.directories
        self._alarms = backend.alarms
        self._clock = backend.clock
        self._backend = backend

    async def review(self, tenant_id: TenantId, name: str) -> TenantReview:
        """Write the addenda that are due. Idempotent; what fails is told, and tried again next time."""
        done: list[Due] = []
        failed: list[str] = []
        try:
            async with self._ledger.transaction() as session:
                waiting = await reviews.due(session, tenant_id, self._clock(), AT_ONE_TIME)
            readable = [one for one in waiting if not self._is_forgotten(one)]
            for one in [one for one in waiting if one not in readable]:
                await self._write(await self._unread(one), one)
            if readable:
                failed += await self._read(tenant_id, readable, done)
            if done:
                await self._alarms.clear(AlarmKind.PERMISSION_LOST, _subject(name), "It can be read.", self._clock())
        except Exception as error:
            failed.append(describe_error(error))
            if isinstance(error, PermanentError) and error.needs is not None:
                with suppress(LedgerUnavailableError):
                    await self._cannot_read(name, error)
        return TenantReview(tenant=name, reviewed=len(done), failed="; ".join(failed) or None)

    async def _read(self, tenant_id: TenantId, waiting: list[Due], done: list[Due]) -> list[str]:
        """Review one after the other, as far as Microsoft lets us. Gives what was wrong with single ones."""
        # Microsoft lets audit and sign-in methods be asked for five times in ten seconds.
        patience = RetryBudget(self._clock() + REVIEWS_BEGIN_WITHIN, self._clock)
        tenant = await self._directories.of(tenant_id, Purpose.REVOKE)
        ours = await patience.ask(partial(_ours, self._directories, tenant_id))
        failed: list[str] = []
        for one in waiting:
            if self._clock() > patience.until:
                break  # the rest is for the next run
            try:
                await self._write(await self._review(tenant, ours, one, patience), one)
                done.append(one)
            except (
                LostPageError,
                NotYetVisibleError,
                UnexpectedResponseError,
            ) as error:  # about this grant alone: the others need not wait for it
                failed.append(str(error))
        return failed

    def _is_forgotten(self, due: Due) -> bool:
        return due.receipt.object_id is None or due.closed_at < self._clock() - AUDIT_IS_KEPT_FOR

    async def _unread(self, due: Due) -> Addendum:
        """Report that the review will not be made."""
        account = due.receipt.account_name
        known = due.receipt.object_id is not None
        why = "the directory has forgotten it by now" if known else "the account is not known"
        sentence = f"The audit was not read: {why}."
        if known:
            await self._raise(AlarmKind.PERSISTENCE, due, f"What {account} did was never reviewed: {why}.")
        return Addendum(kind=due.span.kind, at=self._clock(), sentence=sentence)

    async def _review(self, tenant: Tenant, ours: Ours, due: Due, patience: RetryBudget) -> Addendum:
        account = due.receipt.object_id
        assert account is not None  # noqa: S101  # it is not forgotten
        since, until = due.span.window(due.opened_at, due.closed_at, due.next_opened_at)
        # One after the other: few calls at once are allowed here, and no grant waits for them.
        own = await tenant.audit_logs.done_by(account, since, until, patience)
        others = await tenant.audit_logs.done_to(account, since, until, patience)
        held = await patience.ask(lambda: self._close_again(tenant, account))
        reviewed = review(map(_act, own), account, ours, closed=_was_closed_after(due, held))
        foreign = await _strangers(tenant, foreign_acts(map(_act, others), account, ours), patience)
        unread = [_unread_part(part) for part in (*own.unreadable, *others.unreadable)]
        findings = (*reviewed.findings, *held.taken, *unread, *_floods(own, others))
        await self._alarm(due, findings, foreign)
        return Addendum(
            kind=due.span.kind,
            at=self._clock(),
            sentence=_sentence(reviewed, findings, foreign),
            findings=findings,
            done=tuple(Done(activity=activity, times=times) for activity, times in reviewed.done.items()),
            calls=(own.evidence, others.evidence, *held.calls),
        )

    async def _close_again(self, tenant: Tenant, account: ObjectId) -> _HeldAfterwards:
        """Take away what the account holds although no grant is live for it. Nothing that is not registered is touched.

        The reconciler does so for roles and groups within minutes; it does not look for sign-in methods.
        """
        async with self._ledger.transaction() as session:
            tenant_id = TenantId(tenant.connection.tenant_id)
            register = await reconciliation.register(session, self._keyring, tenant_id, self._clock())
            missed = MissedSince(await reconciliation.missed_since(session, tenant_id, account))
        if not any(row.object_id == account and row.live is None for row in register.accounts):
            return _HeldAfterwards(is_closed=False)
        tenant = await self._directories.to_close(tenant_id)
        user = await read_account(tenant, account, missed, self._clock)
        if user is None or (await read_standing(tenant, user)).standing.is_closed:
            return _HeldAfterwards(is_closed=True)
        intervention = Intervention(self._backend, REVIEW, "it held something when the audit was read")
        try:
            closing = await intervention.close_found(tenant, user)
        except NotProvenError:
            return _HeldAfterwards(
                is_closed=False, taken=intervention.findings, calls=tuple(intervention.calls[:MOST_CALLS])
            )
        return _HeldAfterwards(is_closed=True, taken=closing.findings, calls=closing.step.calls)

    async def _alarm(self, due: Due, findings: tuple[SweepFinding, ...], foreign: tuple[str, ...]) -> None:
        account, tenant = due.receipt.account_name, due.receipt.request.tenant
        if said := [finding.sentence for finding in findings if finding.alarming]:
            sentence = f"{account}, by {tenant}'s own audit, {_some('; it ', said)}."
            await self._raise(AlarmKind.PERSISTENCE, due, sentence)
        if foreign:
            await self._raise(
                AlarmKind.FOREIGN_CHANGE, due, f"{account} was changed by others: {_some('; ', foreign)}."
            )

    async def _raise(self, kind: AlarmKind, due: Due, sentence: str) -> None:
        """About the grant, or, for a foreign change, about its account."""
        request = due.receipt.request
        foreign = kind is AlarmKind.FOREIGN_CHANGE
        await self._alarms.raise_alarm(
            Alarm(
                kind=kind,
                subject=(due.receipt.account_name if foreign else None) or request.request_id,
                sentence=sentence,
                tenant=request.tenant,
                request_id=request.request_id,
                raised_at=self._clock(),
            )
        )

    async def _write(self, addendum: Addendum, due: Due) -> None:
        async with self._ledger.transaction() as session:
            await addenda.add(session, due.receipt.request.request_id, addendum)

    async def _cannot_read(self, name: str, error: PermanentError) -> None:
        sentence = f"What technicians did in {name} is not reviewed, and its receipts get no addenda: {error}"
        await self._alarms.raise_alarm(
            Alarm(
                kind=AlarmKind.PERMISSION_LOST,
                subject=_subject(name),
                sentence=sentence,
                tenant=name,
                raised_at=self._clock(),
            )
        )


def _unread_part(part: UnreadablePart) -> SweepFinding:
    sentence = (
        f"did or met something between {part.since:%H:%M:%S} and {part.until:%H:%M:%SZ} that cannot be read: "
        f"Microsoft's answer breaks off (request-id {part.request_id})"
    )
    return SweepFinding(kind=FindingKind.ACCOUNT, sentence=sentence, at=part.since, alarming=True)


def _floods(own: AuditListing, others: AuditListing) -> list[SweepFinding]:
    """Of which of the two only the newest part was read: an older one may hide there."""
    told = {
        f"did so much that only the last {len(own)} acts were reviewed": own,
        f"was changed so often that only the last {len(others)} changes were reviewed": others,
    }
    return [
        SweepFinding(kind=FindingKind.ACCOUNT, sentence=sentence, alarming=True)
        for sentence, read in told.items()
        if not read.is_whole
    ]


def _was_closed_after(due: Due, held: _HeldAfterwards) -> bool:
    """Whether the directory was asked after the span, and said that the account held nothing."""
    standing = due.receipt.standing
    if due.span.kind is AddendumKind.AUDIT_REVIEW and standing is not None:
        return standing.is_closed
    return held.is_closed


async def _ours(directories: Directories, tenant_id: TenantId) -> Ours:
    """Our applications, and what stands for them in the tenant.

    Raises ``GraphError`` where a service principal cannot be found out: no entry names our applications otherwise, and
    each act of ours would look like a stranger's.
    """
    tenants = [await directories.of(tenant_id, purpose) for purpose in Purpose]
    looking = tenants[-1].applications
    objects: set[str] = set()
    for tenant in tenants:
        objects.add(await _principal_of(tenant, looking))
        with suppress(PermanentError):  # what is done to it is known by its client id as well
            if registration := await looking.registration(tenant.connection.client_id):
                objects.add(registration.id)
    return Ours(frozenset(tenant.connection.client_id.lower() for tenant in tenants), frozenset(objects))


async def _principal_of(tenant: Tenant, looking: Applications) -> ObjectId:
    """By the application's own token, and where that does not tell it by the directory."""
    with suppress(GraphError):
        granted = await tenant.granted()
        if granted is not None and granted.principal is not None:
            return granted.principal
    return (await looking.principal(tenant.connection.client_id)).id


async def _strangers(tenant: Tenant, acts: tuple[Act, ...], patience: RetryBudget) -> tuple[str, ...]:
    """The acts that were not done by Microsoft's own services, which follow what we do, one sentence each."""
    principals = {act.by_principal for act in acts if act.by_principal and not act.by_user}
    services: set[str] = set()
    for principal in sorted(principals)[:MOST_LOOKED_UP]:
        with suppress(PermanentError):  # then it is told as a stranger
            found = await patience.ask(partial(tenant.applications.by_principal, ObjectId(principal)))
            services |= {principal} if found and found.is_microsofts else set()
    return tuple(describe_foreign(act) for act in acts if act.by_user or act.by_principal not in services)


def _act(entry: AuditEntry) -> Act:
    by = entry.initiated_by
    user, app = (by.user, by.app) if by else (None, None)
    return Act(
        id=entry.id,
        at=entry.at,
        activity=entry.activity,
        # What timed out may have been done all the same, and Microsoft may add a word.
        succeeded=comparable(entry.result or "") != "failure",
        by_user=user.id if user else None,
        by_principal=app.service_principal_id if app else None,
        by_name=app.display_name if app else None,
        touched=tuple(
            Touched(
                id=target.id,
                kind=target.type,
                name=target.user_principal_name or target.display_name,
                values=tuple(
                    value
                    for changed in target.modified_properties or ()
                    for value in (changed.old_value, changed.new_value)
                    if value
                ),
            )
            for target in entry.target_resources or ()
        ),
    )


def _sentence(reviewed: Reviewed, findings: tuple[SweepFinding, ...], foreign: tuple[str, ...]) -> str:
    total = sum(reviewed.done.values())
    acts = f"{total} acts" if total != 1 else "1 act"
    alarming = sum(finding.alarming for finding in findings)
    parts = [
        f"{acts} in the directory's audit",
        f"{reviewed.refused} that failed" if reviewed.refused else "",
        f"{alarming} to be looked at" if alarming else "none that outlives the grant" if total else "",
        f"{len(foreign)} by others on the account" if foreign else "",
    ]
    return ", ".join(part for part in parts if part) + "."


def _some(joint: str, sentences: list[str] | tuple[str, ...]) -> str:
    beyond = len(sentences) - MOST_SENTENCES
    return joint.join(sentences[:MOST_SENTENCES]) + (f"; and {beyond} more" if beyond > 0 else "")


def _subject(name: str) -> str:
    return f"{name}: audit log"
