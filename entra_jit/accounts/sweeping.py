"""Looking at a closed account for what stays behind. It holds up no receipt: what fails is said there instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from entra_jit.accounts.account_closing import Stripped
from entra_jit.accounts.baseline import compare, look_at, why_not_looked_at, with_patience
from entra_jit.accounts.directories import Directories
from models.alarms import Alarm, AlarmKind
from models.messages import AccessRequest, ObjectId, Step, TenantId
from models.sweep import Baseline, SweepFinding


@dataclass(frozen=True)
class Swept:
    """As receipts tell it."""

    findings: tuple[SweepFinding, ...] = ()
    swept: bool = False
    unswept: str | None = None
    step: Step | None = None

    def besides(self, *steps: Step) -> tuple[Step, ...]:
        """``steps``, and the sweep as one."""
        return (*steps, self.step) if self.step else steps


NOTHING_TO_SWEEP = Swept()


async def sweep(
    directories: Directories,
    tenant_id: TenantId,
    account: ObjectId,
    baseline: Baseline | None,
    stripped: Stripped | None = None,
) -> Swept:
    """What has come to the account since ``baseline``; None: it is not known what it had. Never raises.

    ``stripped`` takes down what is taken from it.
    """
    noted = stripped or Stripped()
    try:
        tenant = await directories.to_close(tenant_id)
        look = await with_patience(lambda left: look_at(tenant, account, noted, last_try=not left))
    except Exception as error:
        return Swept(unswept=f"The sweep could not be made: {why_not_looked_at(error)}")
    found = compare(look, baseline)
    return Swept(found.findings, swept=True, unswept=" ".join(found.unknown(baseline)) or None, step=found.step)


def alarm_of(request: AccessRequest, left_behind: str, at: datetime) -> Alarm:
    """What stays behind after the grant of ``request`` needs attention."""
    return Alarm(
        kind=AlarmKind.PERSISTENCE,
        subject=request.request_id,
        sentence=left_behind,
        tenant=request.tenant,
        request_id=request.request_id,
        raised_at=at,
    )
