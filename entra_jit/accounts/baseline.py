"""What an account has besides what it was given: before it is opened, and when it is closed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from entra_jit.accounts.access import KINDS
from entra_jit.accounts.account_closing import MOST_CALLS, Given, Stripped, take_foreign
from entra_jit.accounts.attempts import answered
from entra_jit.accounts.eligibility import take_eligibilities
from entra_jit.graph import Consent, GraphError, NotYetVisibleError, OwnedObject, Tenant, TransientError
from entra_jit.policy.durations import format_duration
from models.messages import AccessItem, ClosingStep, DirectoryCall, ObjectId, Step, Sweep
from models.sweep import Baseline, FindingKind, Possession, SweepFinding

PASSING = (TransientError, NotYetVisibleError)

LOOKING_TIME = timedelta(seconds=30)
"""What cannot be read by then is said to be unread: no looking holds up an opening or a receipt for longer."""
TRIES = 3
TRIED_AGAIN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True)
class Look:
    """What an account has, and the answers in which the directory said so."""

    baseline: Baseline
    calls: tuple[DirectoryCall, ...]


async def take_baseline(
    tenant: Tenant, account: ObjectId, granted: tuple[AccessItem, ...], stripped: Stripped, *, last_try: bool
) -> Look:
    """What the closed account has: planted access is taken away, what it owns or consented to is noted.

    It should have nothing but what was ``granted`` just now. Kinds that are exact before every opening are left to the
    giving. ``stripped`` and ``last_try`` as for ``look_at``.
    """
    given = Given(granted)
    best_effort = [
        answered(take_foreign(kind, given.of(name), tenant, account, stripped))
        for name, kind in KINDS.items()
        if not kind.ALWAYS_EXACT
    ]
    noted, taken = await asyncio.gather(
        answered(look_at(tenant, account, stripped, last_try=last_try)), asyncio.gather(*best_effort)
    )
    if isinstance(noted, GraphError):
        raise noted
    unread = [*_unread(taken, last_try=last_try), *([noted.baseline.unread] if noted.baseline.unread else [])]
    findings = tuple(
        finding.model_copy(update={"sentence": f"Before it was opened: {finding.sentence}"})
        for finding in stripped.findings
    )
    baseline = noted.baseline.model_copy(update={"findings": findings, "unread": " ".join(unread) or None})
    calls = [call for one in taken if not isinstance(one, GraphError) for call in one[1]]
    return Look(baseline, (*noted.calls, *calls)[:MOST_CALLS])


async def with_patience(look: Callable[[int], Awaitable[Look]]) -> Look:
    """The answer of ``look``, which is told how many tries are left.

    Raises ``TimeoutError`` after half a minute. That counts from here, however long this was waited for.
    """
    async with asyncio.timeout(LOOKING_TIME.total_seconds()):
        for tries_left in range(TRIES - 1, 0, -1):
            try:
                return await look(tries_left)
            except PASSING:
                await asyncio.sleep(TRIED_AGAIN_AFTER.total_seconds())
        return await look(0)


def why_not_looked_at(error: Exception) -> str:
    """Why ``with_patience`` has given no answer."""
    return f"it took more than {format_duration(LOOKING_TIME)}" if isinstance(error, TimeoutError) else str(error)


async def look_at(
    tenant: Tenant, account: ObjectId, stripped: Stripped | None = None, *, last_try: bool = False
) -> Look:
    """What the account owns and has consented to. Where Microsoft refuses to tell, the baseline says so.

    What it could activate by itself is taken from it, and is among the findings: ``stripped`` takes it down over all
    tries. What may pass is raised once everything was attempted; on the ``last_try`` the baseline says it too.
    """
    noted = stripped or Stripped()
    owned, consents, taken = await asyncio.gather(
        answered(tenant.owned_objects.owned(account)),
        answered(tenant.owned_objects.consents(account)),
        answered(take_eligibilities(tenant, account, noted)),
    )
    baseline = Baseline(
        possessions=(
            *([] if isinstance(owned, GraphError) else map(_ownership, owned)),
            *([] if isinstance(consents, GraphError) else map(_consent, consents)),
        ),
        unread=" ".join(_unread([owned, consents, taken], last_try=last_try)) or None,
        findings=noted.findings,
    )
    read = [one.evidence for one in (owned, consents) if not isinstance(one, GraphError)]
    return Look(baseline, (*read, *([] if isinstance(taken, GraphError) else taken))[:MOST_CALLS])


def compare(now: Look, before: Baseline | None) -> Sweep:
    """What is there now and was not when the baseline was taken; None: it is not known what was."""
    known = {possession.id for possession in before.possessions} if before else set()
    came = [possession for possession in now.baseline.possessions if possession.id not in known]
    left = tuple(
        SweepFinding(
            kind=possession.kind,
            sentence=f"Left behind: {possession.words}.",
            # An application cannot act in the name of a disabled account; ownership persists.
            alarming=possession.kind is FindingKind.OWNERSHIP,
            evidence=(possession.id,),
        )
        for possession in came
    )
    at = max((call.answered_at for call in now.calls), default=None)
    step = Step(name=ClosingStep.SWEPT, at=at, calls=now.calls) if at else None
    return Sweep(findings=(*left, *now.baseline.findings), unread=now.baseline.unread, step=step)


def _unread(results: Iterable[object], *, last_try: bool) -> list[str]:
    """In Microsoft's words why there are not more. Raises what may pass, unless it is the ``last_try``."""
    failures = [result for result in results if isinstance(result, GraphError)]
    for failure in failures:
        if isinstance(failure, PASSING) and not last_try:
            raise failure
    return [str(failure) for failure in failures]


def _ownership(owned: OwnedObject) -> Possession:
    kind = re.sub(r"(?<!^)([A-Z])", r" \1", owned.kind).lower()
    words = f"it owns the {kind} {owned.display_name or owned.id}"
    return Possession(kind=FindingKind.OWNERSHIP, id=owned.id, words=words)


def _consent(consent: Consent) -> Possession:
    words = f"the application {consent.client} may act in its name ({consent.scope.strip()})"
    return Possession(kind=FindingKind.CONSENT, id=consent.id, words=words)
