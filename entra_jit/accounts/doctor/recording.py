"""Keeping what an examination found, and raising an alarm for what has become worse."""

from __future__ import annotations

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.doctor.examine import examine
from entra_jit.ledger import alarms, examinations
from entra_jit.ledger.examinations import ConfiguredTenant
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
from models.checks import Check, Examination, Finding

TOLD_BY_THE_RECONCILER = frozenset({Check.SIGN_IN})
"""What the reconciler raises an alarm of its own for, within minutes."""


async def examine_and_record(backend: Backend, configured: ConfiguredTenant, actor: Actor) -> Examination:
    """Examine the tenant, keep the result, and alarm what is worse than before. Raises ``LedgerUnavailableError``."""
    tenant_id, name = configured.terms.id, configured.terms.name
    findings = await examine(backend, configured)
    examination = Examination(tenant=name, examined_at=backend.clock(), findings=findings)
    async with backend.alarms.recording() as record:
        changes = await examinations.record(record.session, tenant_id, examination, actor)
        for finding in changes.worse:
            if finding.check not in TOLD_BY_THE_RECONCILER:
                await record.raise_alarm(_alarm(name, finding, examination))
        good = {_subject(name, finding) for finding in changes.good}
        for standing in await alarms.standing(record.session, (AlarmKind.CHECK_WORSE,), name):
            if standing.subject in good:
                await record.clear(standing.kind, standing.subject, "The check is good again.", examination.examined_at)
    return examination


def _subject(tenant: str, finding: Finding) -> str:
    return f"{tenant} {finding.check.code}"


def _alarm(tenant: str, finding: Finding, examination: Examination) -> Alarm:
    return Alarm(
        kind=AlarmKind.CHECK_WORSE,
        subject=_subject(tenant, finding),
        sentence=f"{finding.check.title}: {finding.read} {finding.to_do}".strip(),
        tenant=tenant,
        raised_at=examination.examined_at,
    )
