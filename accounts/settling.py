"""Settling a grant whose own workflow does not, by what whoever closed its account instead has proven.

The receipt says so, and everything else as a workflow's would: also whether the account was looked at for what stays
behind. Whoever may terminate a workflow must not get out of that by doing so.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.account_closing import ReadBack
from accounts.attempts import in_words
from accounts.directories import Purpose
from accounts.stock import compare, possessions_of
from accounts.workplace import Workplace
from ledger import grants, receipts
from models.alarms import Alarm, AlarmKind
from models.messages import Closure, Ending, ObjectId, Receipt
from models.sweep import SweepFinding, stays_behind, unknown


@dataclass(frozen=True)
class _Swept:
    """As receipts tell it."""

    findings: tuple[SweepFinding, ...] = ()
    swept: bool = False
    unswept: str | None = None


NOTHING_TO_SWEEP = _Swept()


class Settling:
    """Writes the receipts that workflows do not. Each is written once; the first stands."""

    def __init__(self, workplace: Workplace) -> None:
        self._ledger = workplace.ledger
        self._directories = workplace.directories
        self._alarms = workplace.alarms
        self._clock = workplace.clock

    async def without_account(self, request_id: str, ending: Ending, said: str) -> None:
        """Settle a grant that has never had an account. ``said``: the alarm in its receipt."""
        closure = Closure(ending=ending, closed_at=self._clock(), alarms=(said,))
        async with self._ledger.transaction() as session:
            await receipts.settle_lapsed(session, request_id, closure)

    async def closed(self, request_id: str, ending: Ending, said: str, read_back: ReadBack) -> None:
        """Settle a grant by what was read back, and look at its account for what stays behind, where it still exists.

        Raises ``LedgerUnavailableError``. What keeps the sweep from being made is said in the receipt.
        """
        swept = await self._sweep(request_id, read_back.account) if read_back.account else NOTHING_TO_SWEEP
        closure = Closure(
            ending=ending,
            closed_at=read_back.step.at,
            disabled_at=read_back.disabled_at,
            proven_at=read_back.step.at,
            standing=read_back.standing,
            findings=(*read_back.findings, *swept.findings),
            swept=swept.swept,
            unswept=swept.unswept,
            steps=(read_back.step,),
            alarms=(said,),
        )
        # In one transaction: nobody would come back for the alarms of a grant that has its receipt.
        async with self._alarms.recording() as record:
            receipt = await receipts.settle_lapsed(record.session, request_id, closure)
            await record.clear(AlarmKind.CLOSING_LATE, request_id, said, closure.closed_at)
            if receipt and (left := _left_behind(receipt)):
                await record.raise_alarm(left)

    async def _sweep(self, request_id: str, account: ObjectId) -> _Swept:
        async with self._ledger.transaction() as session:
            grant = await grants.as_opened(session, request_id)
        if grant is None:
            return NOTHING_TO_SWEEP
        try:
            tenant = await self._directories.of(grant.tenant_id, Purpose.REVOKE)
            sweep = compare(await possessions_of(tenant, account, last_try=True), grant.stock)
        except Exception as error:
            return _Swept(unswept=f"The sweep could not be made: {in_words(error)}")
        return _Swept(sweep.findings, swept=True, unswept=" ".join(unknown(grant.stock, sweep)) or None)


def _left_behind(receipt: Receipt) -> Alarm | None:
    sentence = stays_behind(receipt.findings)
    if sentence is None:
        return None
    return Alarm(
        kind=AlarmKind.PERSISTENCE,
        subject=receipt.request.request_id,
        sentence=sentence,
        tenant=receipt.request.tenant,
        request_id=receipt.request.request_id,
        raised_at=receipt.closed_at,
    )
