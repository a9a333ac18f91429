"""The reviews of a closed grant: as they would be after some time, and what they add to its receipt."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from entra_jit.accounts.reconciliation.review_tenant import Reviewing
from entra_jit.operations.show_receipt import show_receipt
from models.messages import Addendum, AddendumKind, TenantId, TenantReview
from tests.actors import TESTER
from tests.stage import Scene, customer_id, stage_clock, variant

HALF_AN_HOUR = timedelta(minutes=31)
TWO_HOURS = timedelta(hours=2, minutes=1)


async def reviewed(act: Scene, later: timedelta) -> TenantReview:
    """Review this scene's customer, as it would be after so much time."""
    app = variant(act.app, clock=lambda: stage_clock() + later)
    return await Reviewing(app).review(TenantId(customer_id(act.customer)), act.customer)


async def addendum(act: Scene, request_id: str, kind: AddendumKind = AddendumKind.AUDIT_REVIEW) -> Addendum | None:
    """The grant's addendum of this kind, if it has one."""
    addenda = (await show_receipt(TESTER, act.app, request_id)).addenda
    return next((one for one in addenda if one.kind is kind), None)


async def ended(act: Scene, *requests: str) -> None:
    """End the grants, and wait for their receipts."""
    for request_id in requests:
        await act.workflow(request_id).signal("end")
    await asyncio.gather(*(act.receipt(request_id) for request_id in requests))
