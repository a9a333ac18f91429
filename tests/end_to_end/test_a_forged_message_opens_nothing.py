"""A message in the Temporal namespace can close an account. It cannot open one, widen access, or free a grant's place.

Access to Temporal is wide: a person who may press Cancel in its UI may also start workflows and send signals. So each
message that opens access must be signed by this deployment, for this request and for the workflow that it arrives in.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from secrets import token_bytes, token_hex
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from entra_jit.crypto.assertions import assert_actor
from entra_jit.crypto.keyring import Keyring
from entra_jit.ledger import requests
from models.actor import Actor, ActorKind, Via
from models.messages import (
    AccessRequest,
    AccountToClose,
    Ending,
    Extension,
    Grant,
    GrantRef,
    GrantState,
    GrantStatus,
    ObjectId,
    Renewal,
    Settlement,
    SignedAccessRequest,
    SignedExtension,
    SignedRenewal,
    Standing,
    TechnicianId,
    TenantId,
    ToExtend,
    ToPark,
    ToRenew,
    ToUnpark,
    WantedRetry,
)
from models.names import workflow_id
from tests.actors import operator
from tests.end_to_end.grant_calls import CLOSING_WRITES, OPENING_WRITES
from tests.patience import PATIENCE_SECONDS
from tests.stage import Scene, Services, customer_id, scene, technician_id
from workflows.access_grant import AccessGrant

STRANGERS_KEYS = Keyring.parse("test-1:" + b64encode(token_bytes(32)).decode())
"""Another deployment's, under a key id that ours has, too."""


@workflow.defn(sandboxed=False)
class Burglar:
    """A workflow of somebody who has found out what our activities are called."""

    @workflow.run
    async def run(self, activity: str, argument: Any, task_queue: str) -> Any:
        """Have one of our workers do ``activity``, once."""
        return await workflow.execute_activity(
            activity,
            argument,
            task_queue=task_queue,
            start_to_close_timeout=timedelta(seconds=PATIENCE_SECONDS),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


def request(customer: str, request_id: str, asked_at: datetime | None = None) -> AccessRequest:
    return AccessRequest(
        request_id=request_id,
        tenant=customer,
        technician="alex",
        reason="a test",
        duration=timedelta(hours=1),
        asked_at=asked_at or datetime.now(UTC),
    )


def signed_by(keyring: Keyring, asked: AccessRequest, at: datetime | None = None) -> SignedAccessRequest:
    return SignedAccessRequest(
        request=asked, assertion=assert_actor(keyring, operator("kim"), asked, at or datetime.now(UTC))
    )


def altered(genuine: SignedAccessRequest, **changes: object) -> SignedAccessRequest:
    """What was signed, changed afterwards."""
    return genuine.model_copy(update={"request": genuine.request.model_copy(update=changes)})


async def start(
    stage: Scene, signed: SignedAccessRequest, *, under: str | None = None
) -> WorkflowHandle[AccessGrant, GrantStatus]:
    """Start a grant's workflow as anybody with access to the namespace could, also under another request's id."""
    return await stage.services.client.start_workflow(
        AccessGrant.run,
        id=workflow_id(under or signed.request.request_id),
        task_queue=stage.settings.task_queue,
        start_signal="request_access",
        start_signal_args=[signed],
    )


async def test_what_this_deployment_did_not_sign_is_denied_and_leaves_no_trace(services: Services) -> None:
    async with scene(services, customers=2, skips_time=False) as stage:
        keyring, [here, elsewhere] = stage.app.keyring, stage.customers

        def genuine(request_id: str) -> SignedAccessRequest:
            return signed_by(keyring, request(here, f"{request_id}-{stage.settings.task_queue}"))

        asked_in_anothers_name = genuine("actor")
        actor = asked_in_anothers_name.assertion.model_copy(update={"actor": operator("the owner")})
        long_ago = datetime.now(UTC) - timedelta(hours=1, seconds=5)
        forgeries = [
            signed_by(STRANGERS_KEYS, request(here, f"stranger-{stage.settings.task_queue}")),
            altered(genuine("tenant"), tenant=elsewhere),
            altered(genuine("technician"), technician="robin"),
            altered(genuine("hours"), duration=timedelta(hours=12)),
            altered(genuine("id"), request_id=f"other-id-{stage.settings.task_queue}"),
            asked_in_anothers_name.model_copy(update={"assertion": actor}),
            # Signed yesterday, asked just now: the time of asking is signed as well.
            altered(
                signed_by(keyring, request(here, f"renewed-{stage.settings.task_queue}", long_ago)),
                asked_at=datetime.now(UTC),
            ),
        ]
        workflows = [await start(stage, forgery) for forgery in forgeries]

        statuses = await asyncio.gather(*(forged.result() for forged in workflows))

        assert {status.state for status in statuses} == {GrantState.DENIED}
        for table in ("requests", "grants", "receipts", "managed_accounts"):
            assert stage.sql(f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608
        assert not stage.journal(here)
        assert not stage.journal(elsewhere)

        # Signed by us, but long ago: whoever kept it cannot use it now. That it came is recorded.
        late = await start(stage, signed_by(keyring, request(here, f"late-{stage.settings.task_queue}"), long_ago))
        assert (await late.result()).state is GrantState.DENIED

        # Nor what the ledger heard in time, and never decided.
        undecided = request(here, f"undecided-{stage.settings.task_queue}", long_ago)
        async with stage.app.ledger.transaction() as session:
            await requests.record(session, undecided, operator("kim"))
        refused = await (await start(stage, signed_by(keyring, undecided, long_ago))).result()
        assert refused.state is GrantState.DENIED
        assert "too old to be decided" in refused.sentence
        assert stage.sql("SELECT count(*) FROM grants") == [(0,)]
        assert not stage.journal(here)


@pytest.mark.parametrize("phase", [GrantState.PREPARING, GrantState.OPEN])
async def test_a_copied_request_neither_opens_a_second_time_nor_settles_the_first(
    real_time: Scene, phase: GrantState
) -> None:
    """The lock would be free while the account is open: a second grant's account could be closed by the first one."""
    stuck = real_time.fault(**OPENING_WRITES["assign a role"], status=503) if phase is GrantState.PREPARING else None
    signed = signed_by(real_time.app.keyring, request(real_time.customer, f"live-{real_time.settings.task_queue}"))
    original = await start(real_time, signed)
    request_id = signed.request.request_id
    await real_time.until(request_id, phase)
    if stuck:
        await real_time.reached(stuck)  # its account is made

    copy = await start(real_time, signed, under=f"copy-of-{request_id}")
    async with asyncio.timeout(PATIENCE_SECONDS):  # one that settles something is refused by the ledger, for ever
        denied = await copy.result()

    assert denied.state is GrantState.DENIED
    assert (await copy.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert await settled_by_a_burglar(real_time, signed) is None
    assert real_time.sql("SELECT settled_at, ending FROM grants") == [(None, None)]
    assert (await real_time.status(request_id)).state is phase
    real_time.mend()
    await original.signal("end")
    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    real_time.assert_closed()

    # And once it is over, nobody can have it opened again by asking our workers directly.
    before = real_time.journal(writes=True)
    with pytest.raises(WorkflowFailureError):
        await burgled(real_time, "open", GrantRef(request_id=request_id, attempt=1))
    assert real_time.journal(writes=True) == before


async def test_nobody_lifts_the_fence_of_a_closing_grant_by_parking_and_retrying_it(real_time: Scene) -> None:
    """Parked and taken up again, a grant that was ended could be opened anew between its last read-back and its end."""
    request_id = await real_time.ask(hours=4)
    await real_time.until(request_id, GrantState.OPEN)
    real_time.fault(**CLOSING_WRITES["remove a role"], status=503)
    await real_time.workflow(request_id).signal("end")
    await real_time.until(request_id, GrantState.CLOSING)
    fenced = real_time.sql("SELECT closing_at, parked_at, attempt FROM grants")

    for activity, argument in (
        ("park", ToPark(request_id=request_id, because="to be taken up again")),
        ("unpark", ToUnpark(ref=GrantRef(request_id=request_id, attempt=1), retry=WantedRetry(by=operator("kim")))),
    ):
        with pytest.raises(WorkflowFailureError):
            await burgled(real_time, activity, argument)

    assert real_time.sql("SELECT closing_at, parked_at, attempt FROM grants") == fenced
    real_time.mend()
    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    real_time.assert_closed()


@pytest.mark.parametrize("ledger", ["there", "away"])
async def test_nobody_has_a_customers_own_account_closed_by_sending_its_id(real_time: Scene, ledger: str) -> None:
    """Closing needs no signature. What was sent counted as the register: it took any administrator of any customer."""
    request_id = await real_time.ask(hours=4)
    status = await real_time.until(request_id, GrantState.OPEN)
    admin = real_time.user(f"first.admin@{real_time.customer}.onmicrosoft.com")
    assert admin is not None
    genuine = Grant(
        request_id=request_id,
        tenant_id=TenantId(customer_id(real_time.customer)),
        tenant=real_time.customer,
        technician_id=TechnicianId(technician_id("alex")),
        technician="alex",
        account_name=real_time.account(),
        access=status.access,
        duration=timedelta(hours=4),
        window_ends_at=datetime.now(UTC),
    )
    made_up = genuine.model_copy(update={"request_id": "made-up", "account_name": admin["user_principal_name"]})
    if ledger == "away":
        real_time.sql("ALTER TABLE grants RENAME TO mislaid")
    before = real_time.everything()

    for grant in (genuine, made_up):
        forged = AccountToClose(grant=grant, object_id=ObjectId(admin["id"]))
        with pytest.raises(WorkflowFailureError):
            await burgled(real_time, "close", forged)

    assert real_time.everything() == before
    if ledger == "away":
        real_time.sql("ALTER TABLE mislaid RENAME TO grants")


async def settled_by_a_burglar(stage: Scene, signed: SignedAccessRequest) -> Any:
    """What comes of a settlement that says "closed and proven" and is sent from outside of the grant's workflow."""
    now = datetime.now(UTC)
    settlement = Settlement(
        signed=signed,
        ending=Ending(state=GrantState.ENDED, by=operator("a burglar")),
        settled_at=now,
        disabled_at=now,
        proven_at=now,
        standing=Standing(exists=True, enabled=False),
    )
    return await burgled(stage, "settle", settlement)


async def burgled(stage: Scene, activity: str, argument: object) -> Any:
    queue = f"burglar-{token_hex(4)}"
    async with Worker(stage.services.client, task_queue=queue, workflows=[Burglar]):
        return await stage.services.client.execute_workflow(
            Burglar.run, args=[activity, argument, stage.settings.task_queue], id=queue, task_queue=queue
        )


async def test_a_forged_extension_moves_nothing(real_time: Scene) -> None:
    keyring = real_time.app.keyring
    request_id = await real_time.ask(hours=1)
    status = await real_time.until(request_id, GrantState.OPEN)
    assert status.expires_at is not None
    before = real_time.user()

    def extension(by: timedelta, of: str = request_id) -> Extension:
        assert status.expires_at is not None
        return Extension(request_id=of, expires_at=status.expires_at + by, reason="a test")

    honest = extension(timedelta(hours=1))
    now = datetime.now(UTC)
    assertion = assert_actor(keyring, operator("kim"), honest, now)
    yesterday = assert_actor(keyring, operator("kim"), honest, now - timedelta(days=1))
    another = extension(timedelta(hours=1), of="another")
    forgeries = [
        SignedExtension(extension=honest, assertion=assert_actor(STRANGERS_KEYS, operator("kim"), honest, now)),
        SignedExtension(extension=extension(timedelta(hours=2)), assertion=assertion),
        SignedExtension(extension=honest, assertion=yesterday),
        SignedExtension(extension=another, assertion=assert_actor(keyring, operator("kim"), another, now)),
        SignedExtension(extension=honest, assertion=assert_actor(keyring, operator("kim"), another, now)),
    ]
    for forgery in forgeries:
        with pytest.raises(WorkflowUpdateFailedError):
            await real_time.workflow(request_id).execute_update("extend", forgery)
    renewal, others_renewal = Renewal(request_id=request_id), Renewal(request_id="another")
    robin = Actor(kind=ActorKind.PERSON, id=technician_id("robin"), name="robin", via=Via.PORTAL)
    renewals = [
        SignedRenewal(renewal=renewal, assertion=assert_actor(STRANGERS_KEYS, operator("kim"), renewal, now)),
        SignedRenewal(renewal=renewal, assertion=assert_actor(keyring, robin, renewal, now)),
    ]
    for forged in renewals:
        with pytest.raises(WorkflowUpdateFailedError):
            await real_time.workflow(request_id).execute_update("renew", forged)
    # Signed by us, for a grant of theirs, and handed to an activity with the id of this one.
    ref = GrantRef(request_id=request_id, attempt=1)
    for activity, argument in (
        ("extend_grant", ToExtend(ref=ref, signed=forgeries[3])),
        (
            "renew_credential",
            ToRenew(
                ref=ref,
                signed=SignedRenewal(
                    renewal=others_renewal, assertion=assert_actor(keyring, operator("kim"), others_renewal, now)
                ),
            ),
        ),
    ):
        with pytest.raises(WorkflowFailureError):
            await burgled(real_time, activity, argument)

    assert (await real_time.status(request_id)).expires_at == status.expires_at
    assert (await real_time.workflow(request_id).query(AccessGrant.status)).expires_at == status.expires_at
    assert real_time.user() == before
