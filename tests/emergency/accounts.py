"""A tenant with emergency accounts, and the steps of a rotation one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.alarming import AlarmingActivities
from activities.emergency import EmergencyActivities
from activities.failures import FailureInterceptor
from activities.signatures import Emergency
from entra_jit.accounts.emergency.steps import EmergencySteps
from entra_jit.app import App
from entra_jit.ledger import emergency
from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.plugin import entra_jit_plugin
from models.messages import (
    EmergencyCredentialRef,
    EmergencyDuty,
    EmergencyRef,
    EmergencyReport,
    EmergencyTenant,
    SignInOutcome,
    TenantId,
)
from models.names import emergency_workflow_id
from tests.actors import TESTER
from tests.emergency.over_http import OverHttp
from tests.stage import Scene, configure, customer_id, stage_clock
from workflows.emergency_accounts import EmergencyAccounts


def steps_of(act: Scene, app: App | None = None) -> EmergencySteps:
    """What works on the accounts, as a worker that has just started has it."""
    return EmergencySteps(app or act.app, OverHttp(act.app.graph, act.services.trusted, stage_clock))


def ref_of(act: Scene, number: int = 1) -> EmergencyRef:
    """The first customer's account."""
    return EmergencyRef(tenant_id=TenantId(customer_id(act.customer)), tenant=act.customer, number=number)


Begin = Callable[[], Awaitable[WorkflowHandle[EmergencyAccounts, EmergencyReport]]]
Step = Callable[[EmergencySteps, EmergencyRef], Awaitable[object]]


async def _credential(steps: EmergencySteps, ref: EmergencyRef) -> EmergencyCredentialRef:
    """The one of this rotation: making it again gives the same."""
    return await steps.make_passkey(ref)


async def _ensure(steps: EmergencySteps, ref: EmergencyRef) -> None:
    await steps.ensure_account(ref, stage_clock())


async def _register(steps: EmergencySteps, ref: EmergencyRef) -> None:
    await steps.register_passkey(await _credential(steps, ref))


async def _complete(steps: EmergencySteps, ref: EmergencyRef) -> None:
    await steps.complete_account(ref)


async def _prove(steps: EmergencySteps, ref: EmergencyRef) -> None:
    await steps.prove_passkey(await _credential(steps, ref))


async def _retire(steps: EmergencySteps, ref: EmergencyRef) -> bool:
    return await steps.retire_others(await _credential(steps, ref))


STEPS: dict[str, Step] = {
    "ensure": _ensure,
    "make": _credential,
    "register": _register,
    "complete": _complete,
    "prove": _prove,
    "retire": _retire,
}
"""In the order of the workflow."""


async def rotate(act: Scene, *, until: int = len(STEPS), app: App | None = None, number: int = 1) -> object:
    """A rotation, cut short after so many steps."""
    steps, outcome = steps_of(act, app), None
    for step in list(STEPS.values())[:until]:
        outcome = await step(steps, ref_of(act, number))
    return outcome


@asynccontextmanager
async def rotations(act: Scene) -> AsyncIterator[Begin]:
    """A worker that signs in without a browser, and seals histories; what begins the work due in the tenant."""
    address = act.services.client.service_client.config.target_host
    codec = SealingCodec(act.app.keyring, seals=True)
    client = await Client.connect(address, plugins=[entra_jit_plugin(codec)])
    ref, queue = ref_of(act), f"{act.settings.task_queue}-emergency"
    does = EmergencyActivities(act.app, OverHttp(act.app.graph, act.services.trusted, stage_clock))
    steps = [getattr(does, name) for name in Emergency.__abstractmethods__]

    async def begin() -> WorkflowHandle[EmergencyAccounts, EmergencyReport]:
        tenant = EmergencyTenant(tenant_id=ref.tenant_id, tenant=ref.tenant)
        return await client.start_workflow(
            EmergencyAccounts.run, tenant, id=emergency_workflow_id(ref.tenant_id), task_queue=queue
        )

    async with Worker(
        client,
        task_queue=queue,
        workflows=[EmergencyAccounts],
        activities=[*steps, AlarmingActivities(act.app).raise_alarm],
        interceptors=[FailureInterceptor()],
    ):
        yield begin


async def made(act: Scene, number: int = 1) -> str:
    """Have the tenant's account made. Gives its name."""
    await configure(act, emergency_accounts=number)
    for one in range(1, number + 1):
        await rotate(act, number=one)
    return account_name(act, number)


def account_name(act: Scene, number: int = 1) -> str:
    """What the account is called."""
    return f"msp-entra-jit-emergency-{number}@{act.customer}.onmicrosoft.com"


async def want_rotation(act: Scene, number: int = 1) -> None:
    """As an operator asks for it."""
    async with act.app.ledger.transaction() as session:
        await emergency.want(session, TESTER, ref_of(act, number), EmergencyDuty.ROTATE, stage_clock())


async def signs_in(act: Scene, number: int = 1) -> bool:
    """Whether the credential that the ledger calls proven opens the account now."""
    return (await steps_of(act).drill(ref_of(act, number))).outcome is SignInOutcome.SIGNED_IN


def user(act: Scene, number: int = 1) -> dict[str, Any]:
    """The account, as only the sandbox sees it."""
    found = act.user(account_name(act, number))
    assert found is not None
    return found


def passkeys(act: Scene, number: int = 1) -> list[str]:
    """The ids of its passkeys in the directory."""
    return [method["id"] for method in user(act, number)["methods"] if method["kind"] == "fido2"]
