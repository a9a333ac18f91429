"""Settling a grant whose own workflow does not, by the proof of the process that closed its account instead.

The receipt says so, and everything else as a workflow's would: also whether the account was looked at for what stays
behind. Terminating a workflow must not avoid that.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.proving import ProvenClosing
from entra_jit.accounts.sweeping import NOTHING_TO_SWEEP, Swept, alarm_of, sweep
from entra_jit.ledger import addenda, baselines, interventions, receipts
from entra_jit.ledger.alarms import Recording
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
from models.messages import Addendum, AddendumKind, Closure, Ending, ObjectId, Receipt
from models.sweep import SweepFinding, merged, stays_behind

PROVEN_LATER = "It is closed and read back."


class Settling:
    """Writes the receipts that workflows do not. Each is written once; the first stands."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger
        self._directories = backend.directories
        self._alarms = backend.alarms
        self._clock = backend.clock

    async def without_account(self, request_id: str, ending: Ending, said: str) -> None:
        """Settle a grant that has never had an account. ``said``: the alarm in its receipt."""
        closure = Closure(ending=ending, settled_at=self._clock(), alarms=(said,))
        async with self._alarms.recording() as record:
            await receipts.settle_lapsed(record.session, request_id, closure)
            await record.clear(AlarmKind.CLOSING_LATE, request_id, said, closure.settled_at)

    async def closed(self, request_id: str, ending: Ending, said: str, closing: ProvenClosing) -> None:
        """Settle a grant by what was read back, and look at its account for what stays behind, where it still exists.

        Raises ``LedgerUnavailableError``. What keeps the sweep from being made is said in the receipt.
        """
        swept = await self._sweep(request_id, closing.account)
        closure = Closure(
            ending=ending,
            settled_at=closing.step.at,
            disabled_at=closing.disabled_at,
            proven_at=closing.step.at,
            standing=closing.standing,
            findings=(*closing.findings, *swept.findings),
            swept=swept.swept,
            unswept=swept.unswept,
            steps=swept.besides(closing.step),
            alarms=(said,),
        )
        # In one transaction: a grant that has its receipt is not read again, so its alarms would stand forever.
        async with self._alarms.recording() as record:
            receipt = await receipts.settle_lapsed(record.session, request_id, closure)
            await record.clear(AlarmKind.CLOSING_LATE, request_id, said, closure.settled_at)
            if receipt:
                await _tell_what_stays_behind(record, receipt, receipt.findings, closure.settled_at)

    async def closed_later(self, request_id: str, by: Actor, closing: ProvenClosing) -> None:
        """Add to the receipt of a grant that ended unproven that ``by`` has closed its account, and what was found.

        Idempotent: the first proof stands. Raises ``LedgerUnavailableError``.
        """
        swept = await self._sweep(request_id, closing.account)
        step = closing.step
        async with self._alarms.recording() as record:
            receipt = await receipts.of_request(record.session, request_id)
            if receipt is None:
                return
            beside = await interventions.of_request(record.session, request_id)
            found = [one.findings for one in beside if one.began_at > receipt.settled_at]
            findings = merged(*found, closing.findings, swept.findings)
            sentence = f"{by.name.capitalize()} has closed {receipt.account_name} and read it back."
            addendum = Addendum(
                kind=AddendumKind.CLOSED_LATER,
                at=step.at,
                sentence=" ".join(said for said in (sentence, swept.unswept) if said),
                findings=findings,
                calls=step.calls,
            )
            if await addenda.add(record.session, request_id, addendum):
                await _tell_what_stays_behind(record, receipt, findings, step.at)
            for kind in (AlarmKind.ABANDONED, AlarmKind.HELD):
                await record.clear(kind, request_id, PROVEN_LATER, step.at)

    async def opened_again(self, request_id: str, account: ObjectId) -> None:
        """Add to the receipt of a grant, and raise an alarm, that its account is open by its mark after it was proven
        closed: an opening took effect long after its lease, or an administrator put account and mark back.

        Idempotent. Nothing where the grant ended without a proof. Raises ``LedgerUnavailableError``.
        """
        at = self._clock()
        async with self._alarms.recording() as record:
            receipt = await receipts.of_request(record.session, request_id)
            if receipt is None or not receipt.proof.is_proven or receipt.object_id not in {None, account}:
                return
            sentence = f"{receipt.account_name} was found enabled by the mark of this grant after it was proven closed."
            await addenda.add(
                record.session, request_id, Addendum(kind=AddendumKind.OPENED_AGAIN, at=at, sentence=sentence)
            )
            await record.raise_alarm(
                Alarm(
                    kind=AlarmKind.OPENED_AGAIN,
                    subject=request_id,
                    sentence=sentence,
                    tenant=receipt.request.tenant,
                    request_id=request_id,
                    raised_at=at,
                )
            )

    async def _sweep(self, request_id: str, account: ObjectId | None) -> Swept:
        if account is None:
            return NOTHING_TO_SWEEP
        async with self._ledger.transaction() as session:
            grant = await baselines.as_opened(session, request_id)
        if grant is None:
            return NOTHING_TO_SWEEP
        return await sweep(self._directories, grant.tenant_id, account, grant.baseline)


async def _tell_what_stays_behind(
    record: Recording, receipt: Receipt, findings: Iterable[SweepFinding], at: datetime
) -> None:
    if sentence := stays_behind(findings):
        await record.raise_alarm(alarm_of(receipt.request, sentence, at))
