"""Why a tenant refuses a step of opening: the doctor's failed checks, by their codes, in the sentence that people read.

It costs the ordinary grant nothing: the doctor comes when a tenant has refused something, and once more before the next
grant there.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.doctor.recording import examine_and_record
from entra_jit.ledger import examinations, grants
from entra_jit.ledger.admission import Admitted
from models.actor import DOCTOR
from models.checks import CheckState, Finding
from models.errors import EntraJitError, ExitCode
from models.messages import FailureType, GrantRef

PATIENCE = timedelta(seconds=15)
"""How long a refused step waits to be explained. It is refused in any case."""

Outcome = TypeVar("Outcome")
Ref = TypeVar("Ref", bound=GrantRef)


class HasBackend(Protocol):
    """The activities of a class."""

    backend: Backend


Activities = TypeVar("Activities", bound=HasBackend)


class TenantNotReadyError(EntraJitError):
    """A necessary check of the tenant had failed when it was last examined, and fails still. Nothing was opened."""

    failure_type = FailureType.PERMANENT
    exit_code = ExitCode.REFUSED
    http_status = HTTPStatus.BAD_GATEWAY


def explained(
    *refusals: type[EntraJitError],
) -> Callable[
    [Callable[[Activities, Ref], Awaitable[Outcome]]],
    Callable[[Activities, Ref], Coroutine[Any, Any, Outcome]],
]:
    """A step whose ``refusals`` say as well which checks fail in the grant's tenant."""

    def of(
        step: Callable[[Activities, Ref], Awaitable[Outcome]],
    ) -> Callable[[Activities, Ref], Coroutine[Any, Any, Outcome]]:
        @functools.wraps(step)
        async def told(self: Activities, ref: Ref) -> Outcome:
            try:
                return await step(self, ref)
            except refusals as error:
                if failed := await _failed(self.backend, ref):
                    error.explanation = f"{error.explanation} {_told(failed)}"
                raise

        return told

    return of


async def expect_ready(backend: Backend, admitted: Admitted) -> None:
    """Examine the tenant anew where a necessary check had failed, and raise ``TenantNotReadyError`` if it still does.

    What cannot be found out now holds up no grant.
    """
    if admitted.tenant_is_ready:
        return
    tenant = admitted.grant.tenant
    if failed := [one for one in await _failed(backend, tenant) if one.check.is_necessary]:
        raise TenantNotReadyError(f"{tenant} is not ready for grants. {_told(failed)} {failed[0].to_do}".strip())


async def _failed(backend: Backend, where: str | GrantRef) -> Sequence[Finding]:
    """The checks that fail in the tenant, or in the grant's; none where they cannot be found out in time."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async with backend.ledger.transaction() as session:
                name = where if isinstance(where, str) else await grants.tenant_name(session, where.request_id)
                [configured] = await examinations.tenants(session, backend.clock(), [name])
            examination = await examine_and_record(backend, configured, DOCTOR)
    except (EntraJitError, TimeoutError):
        return []
    return [one for one in examination.findings if one.state is CheckState.FAILED]


def _told(failed: Sequence[Finding]) -> str:
    return f"The doctor finds {', '.join(f'{one.check.code} {one.check.title}' for one in failed)}."
