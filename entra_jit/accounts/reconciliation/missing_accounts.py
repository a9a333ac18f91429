"""Accounts that are registered and gone from their directory: watched until they come back or are purged for good."""

from __future__ import annotations

from datetime import datetime

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.finding import judge_absence
from entra_jit.accounts.proving import ProvenClosing
from entra_jit.accounts.settling import Settling
from entra_jit.graph import DeletedUser, Tenant
from entra_jit.ledger import accounts, addenda, reconciliation
from entra_jit.ledger.reconciliation import Registered
from entra_jit.policy.missing import IN_THE_BIN_FOR, Missing
from models.actor import RECONCILER
from models.alarms import Alarm, AlarmKind
from models.marks import AccountKind
from models.messages import (
    Addendum,
    AddendumKind,
    ClosingStep,
    Ending,
    GrantState,
    ObjectId,
    Standing,
    Step,
    TenantId,
)

GONE = Ending(state=GrantState.EXPIRED, by=RECONCILER, reason="its workflow and its account are gone")


class MissingAccounts:
    """Watches what is missing from tenants."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger
        self._alarms = backend.alarms
        self._clock = backend.clock
        self._settling = Settling(backend)

    async def watch(
        self, tenant: Tenant, tenant_id: TenantId, name: str, missing: tuple[Registered, ...]
    ) -> list[Alarm]:
        """An alarm for each that has vanished. What was purged is forgotten: the technician's next one is a new object.
        An emergency account is not: none takes its place by itself.

        One that is restored from the bin is found by the next listing, and closed like any other.
        """
        async with self._ledger.transaction() as session:
            missed = await reconciliation.note_missing(
                session, tenant_id, [_id_of(row) for row in missing], self._clock()
            )
        watched = [await self._watch(tenant, tenant_id, row, missed[_id_of(row)]) for row in missing]
        return [
            Alarm(
                kind=AlarmKind.VANISHED,
                subject=row.account_name,
                sentence=sentence,
                tenant=name,
                raised_at=self._clock(),
            )
            for row, sentence in zip(missing, watched, strict=True)
            if sentence is not None
        ]

    async def _watch(self, tenant: Tenant, tenant_id: TenantId, row: Registered, missed_since: datetime) -> str | None:
        """What is to be told of one account; None: nothing, or nothing any more."""
        object_id = _id_of(row)
        absence = await judge_absence(tenant, object_id, missed_since, self._clock())
        if absence.verdict is Missing.DOUBTED:
            return None
        await self._settle(row)
        is_held = row.kind is AccountKind.EMERGENCY or (row.live is not None and not row.live.is_lapsed)
        if absence.verdict is Missing.PURGED and not is_held:
            await self._forget(tenant_id, row, object_id)
            return None
        where = _where(absence.in_bin)
        return f"{row.account_name} is gone from the directory, {where}. We have not deleted it."

    async def _settle(self, row: Registered) -> None:
        """Release the lock of a grant whose workflow is gone, and whose account is gone, too."""
        if row.live is None or not row.live.is_lapsed:
            return
        now = self._clock()
        step = Step(name=ClosingStep.READ_BACK, at=now, note="gone from the directory")
        closing = ProvenClosing(None, step, Standing.gone(vanished=True))
        said = f"{row.account_name} is gone from the directory: nothing is left to read back."
        await self._settling.closed(row.live.request_id, GONE, said, closing)

    async def _forget(self, tenant_id: TenantId, row: Registered, object_id: ObjectId) -> None:
        sentence = f"The directory has purged {row.account_name}: it can never be signed in to again."
        addendum = Addendum(kind=AddendumKind.PURGED, at=self._clock(), sentence=sentence)
        async with self._alarms.recording() as record:
            await accounts.forget_object(record.session, tenant_id, row.technician_id, object_id)
            for request_id in row.unproven:
                await addenda.add(record.session, request_id, addendum)
                await record.clear(AlarmKind.ABANDONED, request_id, sentence, addendum.at)


def _id_of(row: Registered) -> ObjectId:
    assert row.object_id is not None  # noqa: S101  # without its id it cannot be missed
    return row.object_id


def _where(in_bin: DeletedUser | None) -> str:
    if in_bin is None or in_bin.deleted_at is None:
        return "and in no bin"
    until = in_bin.deleted_at + IN_THE_BIN_FOR
    return f"deleted on {in_bin.deleted_at:%Y-%m-%d}, to be restored until {until:%Y-%m-%d}"
