"""An intruder in the portal has its environment and a copy of the ledger: they must not have the customers.

A portal that holds the deployment's keys is one bug away from every tenant's credential.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from temporalio.api.common.v1 import Payload
from temporalio.client import Client

from entra_jit.app import App
from entra_jit.crypto.narrow_keyring import KeyNotHeldError, PortalKeyring
from entra_jit.ledger import credentials
from entra_jit.ledger.configuration import connection_secrets
from entra_jit.operations._live_workflows import update_live
from entra_jit.temporal.plugin import entra_jit_plugin
from models.actor import Actor, ActorKind, Via
from models.errors import RefusedError
from models.messages import (
    AccessRequest,
    Extension,
    GrantState,
    SignedAccessRequest,
    SignedExtension,
    TenantId,
)
from models.names import ACCESS_GRANT, EXTEND, REQUEST_ACCESS, workflow_id
from tests.actors import TESTER
from tests.end_to_end.test_a_sealed_history_says_nothing import contents
from tests.patience import PATIENCE_SECONDS
from tests.stage import Scene, Services, customer_id, scene, technician_id

ALEX = Actor(kind=ActorKind.PERSON, id=technician_id("alex"), name="alex", via=Via.PORTAL)


async def client_of(act: Scene, app: App) -> Client:
    """A client that seals what it sends, with what this app holds."""
    return await Client.connect(
        act.services.client.service_client.config.target_host, plugins=[entra_jit_plugin(app.codec)]
    )


@asynccontextmanager
async def portal_of(act: Scene) -> AsyncIterator[App]:
    """The portal's process: as ``make up`` starts it, without the deployment's keys."""
    given = {"keys": None, "portal_keys": PortalKeyring.derived(act.app.keyring)}
    async with App(type(act.settings).model_validate(act.settings.model_dump() | given)) as portal:
        portal.client = await client_of(act, portal)
        yield portal


@pytest.fixture
async def act(services: Services) -> AsyncIterator[Scene]:
    async with scene(services, customers=1, skips_time=False, worker=False) as sealing:
        sealing.app.settings = sealing.settings = sealing.settings.model_copy(update={"seal_history": True})
        sealing.app.client = sealing.worker_client = await client_of(sealing, sealing.app)
        await sealing.start_worker()
        yield sealing


def payloads_of(part: object) -> list[Payload]:
    """Every payload of a history, as its JSON has them."""
    if isinstance(part, list):
        return [payload for one in part for payload in payloads_of(one)]
    if not isinstance(part, dict):
        return []
    if isinstance(part.get("data"), str) and isinstance(part.get("metadata"), dict):
        return [ParseDict(part, Payload())]
    return payloads_of(list(part.values()))


async def ask(portal: App, act: Scene, technician: str, **changes: Any) -> str:
    """Ask for ``technician``'s access as alex, signed by the portal; the id of the workflow that decides it."""
    request = AccessRequest(
        request_id=f"{technician}-{act.settings.task_queue}-{len(changes)}",
        tenant=act.customer,
        technician=technician,
        reason="an unmistakable reason",
        duration=timedelta(hours=1),
        asked_at=datetime.now(UTC),
        **changes,
    )
    signed = SignedAccessRequest(request=request, assertion=portal.sign(ALEX, request))
    client = await portal.temporal()
    await client.start_workflow(
        ACCESS_GRANT,
        id=workflow_id(request.request_id),
        task_queue=act.settings.task_queue,
        start_signal=REQUEST_ACCESS,
        start_signal_args=[signed],
    )
    return request.request_id


async def test_it_serves_technicians_without_the_deployments_keys(act: Scene) -> None:
    async with portal_of(act) as portal:
        request_id = await ask(portal, act, "alex")
        status = await act.until(request_id, GrantState.OPEN)
        assert status.expires_at is not None
        longer = Extension(
            request_id=request_id, expires_at=status.expires_at + timedelta(hours=1), reason="a test of the portal"
        )
        signed = SignedExtension(extension=longer, assertion=portal.sign(ALEX, longer))
        await update_live(portal, request_id, EXTEND, signed, update_id="longer")
        assert (await act.status(request_id)).expires_at == longer.expires_at
        too_long = longer.model_copy(update={"expires_at": longer.expires_at + timedelta(days=9)})
        signed = SignedExtension(extension=too_long, assertion=portal.sign(ALEX, too_long))
        with pytest.raises(RefusedError, match="only workers can read why"):
            await update_live(portal, request_id, EXTEND, signed, update_id="too-long")
        async with portal.ledger.transaction() as session:
            shown = await credentials.reveal(session, portal.keyring, request_id, ALEX, portal.clock())
        assert act.signs_in(act.account(), **{shown.kind.value: shown.secret.get_secret_value()})
        await (await portal.workflow_of(request_id)).signal("end")
        assert (await act.receipt(request_id)).requested_by == ALEX


async def test_it_opens_no_tenant_and_no_history_and_speaks_for_no_operator(act: Scene) -> None:
    async with portal_of(act) as portal:
        request_id = await ask(portal, act, "alex")
        await act.until(request_id, GrantState.OPEN)
        async with portal.ledger.transaction() as session:
            with pytest.raises(KeyNotHeldError, match="tenant credential"):
                await connection_secrets(session, portal.keyring, TenantId(customer_id(act.customer)))
        with pytest.raises(KeyNotHeldError, match="assertion"):
            portal.sign(TESTER, Extension(request_id=request_id, expires_at=datetime.now(UTC), reason="mine"))
        events = (await (await portal.workflow_of(request_id)).fetch_history()).to_json_dict()["events"]
        assert b"an unmistakable reason" not in contents(events)
        sealed = [payload for event in events for payload in payloads_of(event)]
        assert sealed
        assert await portal.codec.decode(sealed) == sealed
        assert b"an unmistakable reason" in b"".join(one.data for one in await act.app.codec.decode(sealed))


async def test_it_cannot_ask_for_others(act: Scene) -> None:
    """Only for the person who signed in: else the portal's key would open every technician's access in every tenant."""
    async with portal_of(act) as portal:
        robins = await ask(portal, act, "robin")
        replay_of_nothing = await ask(portal, act, "robin", replay_of="no-such-request")
        for request_id in (robins, replay_of_nothing):
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert (await (await act.app.workflow_of(request_id)).result()).state is GrantState.DENIED
        assert act.sql("SELECT count(*) FROM grants") == [(0,)]
        assert not act.journal(writes=True)

        request_id = await act.ask("robin")
        expires_at = (await act.until(request_id, GrantState.OPEN)).expires_at
        assert expires_at is not None
        longer = Extension(request_id=request_id, expires_at=expires_at + timedelta(hours=1), reason="not mine")
        signed = SignedExtension(extension=longer, assertion=portal.sign(ALEX, longer))
        with pytest.raises(RefusedError):
            await update_live(portal, request_id, EXTEND, signed, update_id="not-mine")
        assert (await act.status(request_id)).expires_at == expires_at
