"""Accounts that are registered and gone from their directory: watched until they come back or are purged for good."""

from __future__ import annotations

from activities.account_closing import ReadBack
from activities.settling import Settling
from activities.workplace import Workplace
from graph import Tenant
from ledger import accounts, addenda, alarms
from ledger.reconciliation import Registered
from models.alarms import Alarm, AlarmKind
from models.messages import (
    Addendum,
    AddendumKind,
    ClosingStep,
    Ending,
    GrantState,
    Standing,
    Step,
    TenantId,
)
from policy.reconciliation import IN_THE_BIN_FOR, Missing, judge_missing

GONE = Ending(state=GrantState.EXPIRED, by="the reconciler", reason="its workflow and its account are gone")


class MissingAccounts:
    """Looks for one tenant's missing accounts in its bin."""

    def __init__(self, workplace: Workplace) -> None:
        self._ledger = workplace.ledger
        self._clock = workplace.clock
        self._settling = Settling(workplace)

    async def look(
        self, tenant: Tenant, tenant_id: TenantId, name: str, missing: tuple[Registered, ...]
    ) -> list[Alarm]:
        """An alarm for each that has vanished. What was purged is forgotten: the technician's next one is a new object.

        One that is restored from the bin is found by the next listing, and closed like any other.
        """
        if not missing:
            return []
        async with self._ledger.transaction() as session:
            since = {a.subject: a.raised_at for a in await alarms.standing(session, [AlarmKind.VANISHED], name)}
        found = []
        for row in missing:
            assert row.object_id is not None  # noqa: S101  # without its id it cannot be missed
            now = self._clock()
            in_bin = await tenant.deleted_items.find(row.object_id)
            verdict = judge_missing(
                in_the_bin=in_bin is not None,
                registered_at=row.registered_at,
                missed_since=since.get(row.account_name),
                at=now,
            )
            if verdict is Missing.PURGED:
                await self._forget(tenant_id, row)
            elif verdict is Missing.VANISHED:
                await self._settle(row)
                deleted = in_bin.deleted_at if in_bin else None
                where = (
                    f"deleted on {deleted:%Y-%m-%d}, to be restored until {deleted + IN_THE_BIN_FOR:%Y-%m-%d}"
                    if deleted
                    else "and in no bin"
                )
                sentence = f"{row.account_name} is gone from the directory, {where}. We have not deleted it."
                found.append(
                    Alarm(
                        kind=AlarmKind.VANISHED, subject=row.account_name, sentence=sentence, tenant=name, raised_at=now
                    )
                )
        return found

    async def _settle(self, row: Registered) -> None:
        """Release the lock of a grant whose workflow is gone, and whose account is gone, too."""
        if row.live is None or not row.live.is_lapsed:
            return
        now = self._clock()
        step = Step(name=ClosingStep.READ_BACK, at=now, note="gone from the directory")
        read_back = ReadBack(None, step, Standing(exists=False, enabled=False, vanished=True))
        said = f"{row.account_name} is gone from the directory: nothing is left to read back."
        await self._settling.closed(row.live.request_id, GONE, said, read_back)

    async def _forget(self, tenant_id: TenantId, row: Registered) -> None:
        sentence = f"The directory has purged {row.account_name}: it can never be signed in to again."
        addendum = Addendum(kind=AddendumKind.PURGED, at=self._clock(), sentence=sentence)
        async with self._ledger.transaction() as session:
            await accounts.forget_object(session, tenant_id, row.technician_id)
            for request_id in row.unproven:
                await addenda.add(session, request_id, addendum)
