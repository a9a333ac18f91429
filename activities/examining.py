"""The doctor as Temporal has it done: a tenant at a time."""

from __future__ import annotations

from temporalio import activity

from activities.signatures import Examining
from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.doctor.recording import examine_and_record
from entra_jit.ledger import examinations
from entra_jit.ledger.database import LedgerUnavailableError
from models.actor import DOCTOR
from models.checks import CheckState, Examination
from models.errors import EntraJitError
from models.messages import TenantVerdict


class ExaminingActivities(Examining):
    """See ``activities.signatures.Examining``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @activity.defn
    async def list_tenants_in_turn(self, only: str | None) -> list[str]:
        """From the ledger."""
        async with self._backend.ledger.transaction() as session:
            found = await examinations.in_turn(session)
        return [name for name in found if only in (None, name)]

    @activity.defn
    async def examine_tenant(self, tenant: str) -> TenantVerdict:
        """A ledger that is away fails the activity, which is done again."""
        try:
            async with self._backend.ledger.transaction() as session:
                [configured] = await examinations.tenants(session, [tenant])
            return _verdict(await examine_and_record(self._backend, configured, DOCTOR))
        except LedgerUnavailableError:
            raise
        except EntraJitError as error:
            return TenantVerdict(tenant=tenant, unexamined=describe_error(error))


def _verdict(examination: Examination) -> TenantVerdict:
    def codes(state: CheckState) -> tuple[str, ...]:
        return tuple(one.check.code for one in examination.findings if one.state is state)

    return TenantVerdict(tenant=examination.tenant, failed=codes(CheckState.FAILED), warned=codes(CheckState.WARNING))
