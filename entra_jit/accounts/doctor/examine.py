"""One examination of one tenant: sign in, then every check, each for itself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from entra_jit.accounts.attempts import answered, describe_error, gather_bounded
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.accounts.doctor import (
    access,
    accounts,
    applications,
    canary,
    credentials,
    emergency,
    passes,
    sign_in,
    transport,
)
from entra_jit.accounts.doctor.examined import (
    Examination,
    ExaminedTenant,
    OurApplication,
    failed,
    ok,
    unknown,
)
from entra_jit.graph import GraphError, PermanentError, Tenant, TransientError
from entra_jit.ledger.examinations import ConfiguredTenant
from models.checks import Check, Finding

EXAMINATIONS: tuple[Examination, ...] = (
    *applications.EXAMINATIONS,
    *credentials.EXAMINATIONS,
    *transport.EXAMINATIONS,
    *access.EXAMINATIONS,
    *accounts.EXAMINATIONS,
    *passes.EXAMINATIONS,
    *sign_in.EXAMINATIONS,
    *canary.EXAMINATIONS,
    *emergency.EXAMINATIONS,
)
CHECKS_AT_ONCE = 4
"""Few: workers that close accounts share their connections to Microsoft with the doctor."""

_ORDER = {check: place for place, check in enumerate(Check)}


async def examine(backend: Backend, configured: ConfiguredTenant) -> tuple[Finding, ...]:
    """Every check of the tenant, in order. Reads only; never raises for what a tenant or Microsoft refuses.

    Raises ``LedgerUnavailableError``.
    """
    tenant, first = await sign_in_to(backend, configured)
    if tenant is None:
        others = [unknown(check, "Not tried: no sign-in.") for check in Check if check is not Check.SIGN_IN]
        return (first, *others)
    findings = await gather_bounded(CHECKS_AT_ONCE, partial(_run, tenant), EXAMINATIONS)
    return tuple(sorted([first, *itertools.chain(*findings)], key=lambda one: _ORDER[one.check]))


async def sign_in_to(backend: Backend, configured: ConfiguredTenant) -> tuple[ExaminedTenant | None, Finding]:
    """The tenant as our applications see it, and what has come of signing in. None: one of them could not.

    Raises ``LedgerUnavailableError``.
    """
    try:
        purposes = {purpose: await backend.directories.of(configured.terms.id, purpose) for purpose in Purpose}
    except NotConnectedError as error:
        return None, failed(Check.SIGN_IN, describe_error(error))
    served: dict[str, list[Purpose]] = {}
    for purpose, tenant in purposes.items():
        served.setdefault(tenant.connection.client_id, []).append(purpose)
    tried = await asyncio.gather(*(_application(each, purposes[each[0]]) for each in served.values()))
    refused = [one for one in tried if isinstance(one, _Refused)]
    if refused:
        judge = unknown if all(isinstance(one.error, TransientError) for one in refused) else failed
        read = " ".join(f"{one.name}: {one.error.explanation}" for one in refused)
        return None, judge(Check.SIGN_IN, read, refused[0].error.advice)
    ours = tuple(one for one in tried if isinstance(one, OurApplication))
    read = f"Signed in: {', '.join(one.name for one in ours)}."
    ends = {own.client_id: own.expires_at for own in backend.own_applications.values() if own.expires_at}
    return ExaminedTenant(configured, ours, backend.clock(), ends), ok(Check.SIGN_IN, read)


@dataclass(frozen=True)
class _Refused:
    """One of our applications that cannot sign in."""

    name: str
    error: GraphError


async def _application(purposes: Sequence[Purpose], tenant: Tenant) -> OurApplication | _Refused:
    granted = await answered(tenant.granted(anew=True))
    if isinstance(granted, GraphError):
        return _Refused(" and ".join(purposes), granted)
    return OurApplication(tuple(purpose.value for purpose in purposes), tenant, granted)


async def _run(tenant: ExaminedTenant, examination: Examination) -> Sequence[Finding]:
    try:
        return await examination.run(tenant)
    except GraphError as error:
        advice = error.advice if isinstance(error, PermanentError) else ""
        return [unknown(check, error.explanation, advice) for check in examination.checks]
