"""Connecting a tenant from a terminal: the administrator's browser is on this machine."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.cli.loopback import Loopback, Reply, Visit, loopback
from entra_jit.operations._connection_proof import UnexpectedAnswerError
from entra_jit.operations.begin_connection import begin_connection
from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.finish_connection import finish_connection
from models.actor import Actor
from models.checks import Examination
from models.connections import BegunConnection, NextPage, TenantConnection
from models.errors import EntraJitError, NotFoundError, RefusedError

CALLBACK = "/connect/callback"
"""All three applications have ``http://localhost/connect/callback`` registered."""

Invite = Callable[[str, BegunConnection], None]
"""Has the operator open an address in a browser of this machine."""


async def connect_in_browser(actor: Actor, app: App, tenant: str, invite: Invite) -> TenantConnection:
    """Connect ``tenant`` with a browser on this machine. Raises as the two operations do, and ``RefusedError`` when
    the time is over."""
    outcome: asyncio.Future[TenantConnection] = asyncio.get_running_loop().create_future()
    begun: BegunConnection | None = None
    # Another page in the same browser must not be able to begin in the operator's name.
    start = f"/connect/{secrets.token_urlsafe(16)}"
    browser = SecretStr(secrets.token_urlsafe(32))

    async def answer(visit: Visit) -> Reply:
        if visit.path == start and begun is not None and not outcome.done():
            return Reply(go_to=begun.address, remember=browser.get_secret_value())
        if visit.path != CALLBACK:
            return Reply("There is nothing here.", status=HTTPStatus.NOT_FOUND)
        return await _take(actor, app, visit, outcome)

    async with loopback(answer) as server:
        begun = await begin_connection(actor, app, tenant, f"{server.origin}{CALLBACK}", browser)
        invite(f"{server.origin}{start}", begun)
        return await _until_done(app, begun, server, outcome)


async def examine(actor: Actor, app: App, connection: TenantConnection) -> Examination | None:
    """What the doctor says of the tenant; None: it is not configured yet."""
    try:
        [found] = await examine_tenant(actor, app, [connection.tenant_id])
    except NotFoundError:
        return None
    return found


async def _take(actor: Actor, app: App, visit: Visit, outcome: asyncio.Future[TenantConnection]) -> Reply:
    try:
        found = await finish_connection(actor, app, SecretStr(visit.cookie), visit.query)
    except UnexpectedAnswerError as error:
        # Any page can send the browser here: that must not end the connection that is under way.
        return Reply(str(error), status=error.http_status)
    except EntraJitError as error:
        outcome.set_exception(error)
        return Reply(str(error), status=error.http_status, is_last=True)
    except Exception as error:  # the terminal tells it; the browser must not wait for it
        outcome.set_exception(error)
        return Reply("This failed; see the terminal.", status=HTTPStatus.INTERNAL_SERVER_ERROR, is_last=True)
    if isinstance(found, NextPage):
        return Reply(go_to=found.address)
    outcome.set_result(found)
    said = f"{found.display_name} is connected, authorized by {found.authorized_by}. You can close this page."
    return Reply(said, is_last=True)


async def _until_done(
    app: App, begun: BegunConnection, server: Loopback, outcome: asyncio.Future[TenantConnection]
) -> TenantConnection:
    try:
        async with asyncio.timeout((begun.expires_at - app.clock()).total_seconds()):
            await server.done.wait()
    except TimeoutError:
        raise RefusedError("No administrator has finished in time. Nothing was connected.") from None
    return outcome.result()
