"""A new activity or operation that forgets emergency accounts is found here, before it closes one.

Each that exists is pointed at an emergency account, by its object id, its name and its holder, as by an operator's
mistake or by a writer to Temporal. The account must be the same afterwards, whatever came of the call.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, get_type_hints

from temporalio.testing import ActivityEnvironment

from activities.signatures import Emergency
from models.actor import RECONCILER
from models.alarms import Alarm, AlarmKind
from models.marks import EMERGENCY_NAMES, emergency_id
from models.messages import (
    AccessRequest,
    AccountToClose,
    Ending,
    Errand,
    Extension,
    Grant,
    GrantRef,
    GrantState,
    ObjectId,
    Renewal,
    Settlement,
    SignedAccessRequest,
    SignedErrand,
    SignedExtension,
    SignedRenewal,
    Standing,
    TechnicianId,
    TenantId,
    TenantToReconcile,
    ToExtend,
    ToGive,
    ToPark,
    ToRenew,
    ToUnpark,
    WantedRetry,
)
from tests.actors import TESTER
from tests.emergency.accounts import made, ref_of, user
from tests.operations.test_every_operation_is_judged import ARGUMENTS, OPERATIONS
from tests.stage import Scene, stage_clock, technician_id
from worker import activities_of

AT_MOST_SECONDS = 3.0
"""What waits for more, waits for something that does not come. It is given up, and no failure."""

ITS_OWN = {"rotate_emergency_account", "drill_emergency_account"}
"""Operations that have its workflow begin."""

LAST = ("apply_configuration", "save_configuration", "save_change", "disconnect_tenant")
"""They end what the others need."""


def grants(act: Scene, name: str, request_id: str) -> list[Grant]:
    """The account as the grant of its own holder, and of a technician."""
    return [
        Grant(
            request_id=request_id,
            tenant_id=TenantId(ref_of(act).tenant_id),
            tenant=act.customer,
            technician_id=TechnicianId(whose),
            technician="alex",
            account_name=name,
            access=(),
            duration=timedelta(hours=1),
            window_ends_at=stage_clock() + timedelta(hours=1),
        )
        for whose in (emergency_id(1), technician_id("alex"))
    ]


def forged(act: Scene, name: str, request_id: str) -> dict[Any, list[Any]]:
    """By the type of an activity's argument: what would have it work on the account."""
    now = stage_clock()
    object_id = ObjectId(user(act)["id"])
    tenant = TenantToReconcile(id=ref_of(act).tenant_id, name=act.customer)
    ref = GrantRef(request_id=request_id, attempt=1)
    request = AccessRequest(
        request_id=request_id,
        tenant=act.customer,
        technician=EMERGENCY_NAMES[emergency_id(1)],
        reason="a mistake",
        asked_at=now,
    )
    signed = SignedAccessRequest(request=request, assertion=act.app.sign(TESTER, request))
    extension = Extension(request_id=request_id, expires_at=now + timedelta(hours=2), reason="a mistake")
    renewal = Renewal(request_id=request_id)
    errand = Errand(
        id="forged",
        operation="forget_emergency_account",
        arguments={"tenant": act.customer, "number": 1},
    )
    all_grants = grants(act, name, request_id)
    return {
        SignedAccessRequest: [signed],
        GrantRef: [ref],
        ToGive: [ToGive(request_id=request_id, attempt=1, is_new=True)],
        ToPark: [ToPark(request_id=request_id, because="a mistake")],
        ToUnpark: [ToUnpark(ref=ref, retry=WantedRetry(by=TESTER))],
        ToRenew: [
            ToRenew(ref=ref, signed=SignedRenewal(renewal=renewal, assertion=act.app.sign(TESTER, renewal))),
        ],
        ToExtend: [
            ToExtend(ref=ref, signed=SignedExtension(extension=extension, assertion=act.app.sign(TESTER, extension))),
        ],
        AccountToClose: [
            AccountToClose(grant=grant, object_id=found) for grant in all_grants for found in (object_id, None)
        ],
        Settlement: [
            Settlement(
                request_id=request_id,
                ending=Ending(state=GrantState.EXPIRED, by=RECONCILER),
                settled_at=now,
                standing=Standing(exists=True, enabled=False),
                signed=signed,
            )
        ],
        SignedErrand: [SignedErrand(errand=errand, assertion=act.app.sign(TESTER, errand))],
        Alarm: [
            Alarm(kind=AlarmKind.STILL_OPEN, subject=name, sentence="forged", tenant=act.customer, raised_at=now),
        ],
        TenantToReconcile: [tenant],
        list[TenantToReconcile]: [[tenant]],
        str | None: [act.customer, None],
        str: [act.customer, request_id],
    }


async def _try(call: Callable[[], Any]) -> None:
    """Whatever comes of it."""
    with suppress(Exception):
        async with asyncio.timeout(AT_MOST_SECONDS):
            called = call()
            await (anext(called) if isinstance(called, AsyncIterator) else called)


def others(act: Scene) -> Iterable[Callable[..., Any]]:
    """Every activity but those of its own workflow."""
    return (one for one in activities_of(act.app) if one.__name__ not in Emergency.__abstractmethods__)


async def test_no_activity_but_its_own(real_time: Scene) -> None:
    name = await made(real_time)
    request_id = await real_time.ask(EMERGENCY_NAMES[emergency_id(1)])
    assert (await real_time.receipt(request_id)).ending.state is GrantState.DENIED
    arguments = forged(real_time, name, request_id)
    before = user(real_time)
    for activity in others(real_time):
        [kind] = [hint for what, hint in get_type_hints(activity).items() if what != "return"]
        for argument in arguments[kind]:
            await _try(partial(ActivityEnvironment().run, activity, argument))
            assert user(real_time) == before, activity.__name__


async def test_no_operation_but_its_own(real_time: Scene) -> None:
    name = await made(real_time)
    before = user(real_time)
    aimed = ARGUMENTS | {
        "confirmation": real_time.customer,
        "name": EMERGENCY_NAMES[emergency_id(1)],
        "person_id": emergency_id(1),
        "subject": name,
        "technician": EMERGENCY_NAMES[emergency_id(1)],
        "tenant": real_time.customer,
        "tenants": [real_time.customer],
    }
    for called in sorted(OPERATIONS, key=lambda one: (LAST.index(one) + 1 if one in LAST else 0, one)):
        if called in ITS_OWN:
            continue
        parameters = inspect.signature(OPERATIONS[called]).parameters.values()
        needed = {one.name for one in parameters if one.default is one.empty} | {"tenant"}
        values = {one.name: aimed[one.name] for one in parameters if one.name in needed - {"actor", "app"}}
        await _try(partial(OPERATIONS[called], actor=TESTER, app=real_time.app, **values))
        assert user(real_time) == before, called
