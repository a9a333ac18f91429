"""What an account has besides roles and methods: before it is opened, and when it is closed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from accounts.account_closing import Stripped, remove_memberships
from accounts.eligibility import take_eligibilities
from graph import Consent, GraphError, NotYetVisible, OwnedObject, Tenant, TryLater
from models.messages import ClosingStep, DirectoryCall, ObjectId, Step, Sweep
from models.sweep import FindingKind, Possession, Stock, SweepFinding

Result = TypeVar("Result")

_PASSING = (TryLater, NotYetVisible)


@dataclass(frozen=True)
class Look:
    """What an account has, and the answers in which the directory said so."""

    stock: Stock
    calls: tuple[DirectoryCall, ...]


async def take_stock(tenant: Tenant, account: ObjectId, *, last_try: bool) -> Look:
    """What the closed account has: groups that it was put into are left, what it owns or consented to is noted.

    It should have nothing. On the ``last_try`` nothing is raised: what could not be done is said in the stock.
    """
    stripped = Stripped()
    left, noted = await asyncio.gather(
        _as_told(remove_memberships(tenant, account, stripped), last_try=last_try),
        look_at(tenant, account, last_try=last_try),
    )
    unread = " ".join(said for said in (left if isinstance(left, str) else None, noted.stock.unread) if said)
    findings = tuple(
        finding.model_copy(update={"sentence": f"Before it was opened: {finding.sentence}"})
        for finding in (*stripped.findings, *noted.stock.findings)
    )
    stock = noted.stock.model_copy(update={"findings": findings, "unread": unread or None})
    return Look(stock, (*noted.calls, *(() if isinstance(left, str) else left)))


async def look_at(tenant: Tenant, account: ObjectId, *, last_try: bool = False) -> Look:
    """What the account owns and has consented to. Where Microsoft refuses to tell, the stock says so.

    What it could activate by itself is taken from it, and is among the findings.
    """
    owned, consents, taken = await asyncio.gather(
        _as_told(tenant.possessions.owned(account), last_try=last_try),
        _as_told(tenant.possessions.consents(account), last_try=last_try),
        _as_told(take_eligibilities(tenant, account), last_try=last_try),
    )
    stock = Stock(
        possessions=(
            *([] if isinstance(owned, str) else map(_ownership, owned)),
            *([] if isinstance(consents, str) else map(_consent, consents)),
        ),
        findings=() if isinstance(taken, str) else taken.findings,
        unread=" ".join(said for said in (owned, consents, taken) if isinstance(said, str)) or None,
    )
    read = [one.evidence for one in (owned, consents) if not isinstance(one, str)]
    return Look(stock, (*read, *(() if isinstance(taken, str) else taken.calls)))


def compare(now: Look, before: Stock | None) -> Sweep:
    """What is there now and was not when the stock was taken; None: it is not known what was."""
    known = {possession.id for possession in before.possessions} if before else set()
    came = [possession for possession in now.stock.possessions if possession.id not in known]
    left = tuple(
        SweepFinding(
            kind=possession.kind,
            sentence=f"Left behind: {possession.words}.",
            # An application that acts in the name of a disabled account acts for nobody; an owner's power sleeps on.
            alarming=possession.kind is FindingKind.OWNERSHIP,
            evidence=(possession.id,),
        )
        for possession in came
    )
    at = max((call.answered_at for call in now.calls), default=None)
    step = Step(name=ClosingStep.SWEPT, at=at, calls=now.calls) if at else None
    return Sweep(findings=(*left, *now.stock.findings), unread=now.stock.unread, step=step)


async def _as_told(work: Awaitable[Result], *, last_try: bool) -> Result | str:
    """The result, or in Microsoft's words why there is none. Raises what may pass, unless it is the ``last_try``."""
    try:
        return await work
    except _PASSING as error:
        if not last_try:
            raise
        return str(error)
    except GraphError as error:
        return str(error)


def _ownership(owned: OwnedObject) -> Possession:
    kind = re.sub(r"(?<!^)([A-Z])", r" \1", owned.kind).lower()
    words = f"it owns the {kind} {owned.display_name or owned.id}"
    return Possession(kind=FindingKind.OWNERSHIP, id=owned.id, words=words)


def _consent(consent: Consent) -> Possession:
    words = f"the application {consent.client} may act in its name ({consent.scope.strip()})"
    return Possession(kind=FindingKind.CONSENT, id=consent.id, words=words)
