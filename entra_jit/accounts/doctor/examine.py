"""One examination of one tenant: sign in, then every check, each for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from entra_jit.accounts.attempts import answered, describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import NotConnectedError, Purpose
from entra_jit.accounts.doctor import access, accounts, applications, credentials, passes, sign_in, transport
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
)
_ORDER = {check: place for place, check in enumerate(Check)}


async def examine(backend: Backend, configured: ConfiguredTenant) -> tuple[Finding, ...]:
    """Every check of the tenant, in order. Reads only; never raises for what a tenant or Microsoft refuses.

    Raises ``LedgerUnavailableError``.
    """
    try:
        purposes = {purpose: await backend.directories.of(configured.terms.id, purpose) for purpose in Purpose}
    except NotConnectedError as error:
        return _not_tried(failed(Check.SIGN_IN, describe_error(error)))
    found, first = await _sign_in(purposes)
    if not found:
        return _not_tried(first)
    examined = ExaminedTenant(configured, found, backend.clock())
    findings = await asyncio.gather(*(_run(examination, examined) for examination in EXAMINATIONS))
    return _in_order([first, *(finding for each in findings for finding in each)])


async def _sign_in(purposes: dict[Purpose, Tenant]) -> tuple[tuple[OurApplication, ...], Finding]:
    """Our applications, each once, and what has come of signing in; no applications: nothing else can be tried."""
    by_client: dict[str, list[Purpose]] = {}
    for purpose, tenant in purposes.items():
        by_client.setdefault(tenant.connection.client_id, []).append(purpose)
    tenants = [purposes[served[0]] for served in by_client.values()]
    answers = await asyncio.gather(*(answered(tenant.granted()) for tenant in tenants))
    names = [" and ".join(served) for served in by_client.values()]
    errors = {name: one for name, one in zip(names, answers, strict=True) if isinstance(one, GraphError)}
    if errors:
        name, error = next(iter(errors.items()))
        judge = unknown if all(isinstance(one, TransientError) for one in errors.values()) else failed
        return (), judge(Check.SIGN_IN, f"{name}: {error.explanation}", error.advice)
    found = tuple(
        OurApplication(tuple(purpose.value for purpose in served), tenant, None if isinstance(one, GraphError) else one)
        for served, tenant, one in zip(by_client.values(), tenants, answers, strict=True)
    )
    return found, ok(Check.SIGN_IN, f"Signed in: {', '.join(names)}.")


async def _run(examination: Examination, tenant: ExaminedTenant) -> Sequence[Finding]:
    try:
        return await examination.run(tenant)
    except GraphError as error:
        advice = error.advice if isinstance(error, PermanentError) else ""
        return [unknown(check, error.explanation, advice) for check in examination.checks]


def _not_tried(first: Finding) -> tuple[Finding, ...]:
    """Nothing but the sign-in was examined."""
    others = [check for check in Check if check is not Check.SIGN_IN]
    return _in_order([first, *(unknown(check, "Not tried: no sign-in.") for check in others)])


def _in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: _ORDER[one.check]))
