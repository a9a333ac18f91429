"""The whole stack until Ctrl-C: where everything is, and what becomes of grants while it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from entra_jit.app import App
from entra_jit.cli.views.formatting import line, shown, with_state
from entra_jit.identity.operator import operator_here
from entra_jit.local_stack.addresses import StackAddresses
from entra_jit.local_stack.stack import LocalStack
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.list_grants import list_grants
from entra_jit.operations.list_open import list_open
from entra_jit.policy.durations import format_duration
from entra_jit.settings import adopt_environment, load_settings
from models.errors import EntraJitError
from models.messages import GrantState, GrantStatus

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "msp.yaml"
MOST_GRANTS = 1000
CATCHING_UP_SECONDS = 15
LEAVING_SECONDS = 5


async def keep_up(console: Console, stack: LocalStack) -> None:
    """Run the stack until Ctrl-C, with the example configuration where there is none yet."""
    console.print("Starting PostgreSQL, Temporal, the simulated tenants, worker, closer and portal ...")
    began = datetime.now(UTC)
    await stack.serve(lambda addresses: _up(console, addresses, began))
    console.print("Stopped.")


@asynccontextmanager
async def deployment_at(addresses: StackAddresses) -> AsyncIterator[App]:
    """What the command line works with, for the stack at these addresses."""
    adopt_environment(addresses.environment())
    async with App(load_settings()) as app:
        yield app


@asynccontextmanager
async def _up(console: Console, addresses: StackAddresses, began: datetime) -> AsyncIterator[None]:
    """The addresses come last: a request that follows them at once must not be denied for want of a configuration."""
    try:
        async with deployment_at(addresses) as app:
            await _configure_once(console, app)
            await _tell_what_was_missed(console, app, began)
        _show_addresses(console, addresses)
        yield
    except asyncio.CancelledError:
        await _tell_what_stays_open(console, addresses)
        raise


async def _configure_once(console: Console, app: App) -> None:
    if not await app.is_configured():
        await apply_configuration(operator_here(), app, EXAMPLE)
        console.print(f"The ledger was empty: applied {EXAMPLE.parent.name}/{EXAMPLE.name}.")


async def _tell_what_was_missed(console: Console, app: App, since: datetime) -> None:
    """What expired while the stack was stopped and is closed now, and which grants continue."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + CATCHING_UP_SECONDS
    while True:
        live = [one.status for one in await list_open(operator_here(), app, limit=MOST_GRANTS)]
        if not any(_is_due(grant, app.clock()) for grant in live) or loop.time() > deadline:
            break
        await asyncio.sleep(0.2)
    grants = await list_grants(operator_here(), app, limit=MOST_GRANTS)
    closed = [grant for grant in grants if grant.opened_at and grant.closed_at and grant.closed_at >= since]
    show_standing(console, "Closed now; it was due while the stack was stopped:", closed)
    show_standing(console, "Continues:", live)


async def _tell_what_stays_open(console: Console, addresses: StackAddresses) -> None:
    """What is open at Ctrl-C, and that nothing closes it before the next start."""
    try:
        async with asyncio.timeout(LEAVING_SECONDS), deployment_at(addresses) as app:
            grants = [one.status for one in await list_open(operator_here(), app, limit=MOST_GRANTS)]
    except (TimeoutError, EntraJitError):
        line(console, "The ledger does not answer, so open grants are not listed. `make up` closes what expires.")
        return
    title = "Not closed while the stack is stopped; `make up` closes what has expired by then:"
    show_standing(console, title, grants)


def _is_due(grant: GrantStatus, now: datetime) -> bool:
    """Its closing has begun, or should have."""
    past = grant.expires_at is not None and grant.expires_at <= now
    return grant.state is GrantState.CLOSING or (past and not grant.state.is_final)


def show_standing(console: Console, title: str, grants: Iterable[GrantStatus]) -> None:
    """A line a grant below the title; nothing where there is none."""
    for number, grant in enumerate(grants):
        if number == 0:
            line(console, title)
        late = f" Closed {format_duration(grant.lateness)} late." if grant.lateness is not None else ""
        line(console, f"  [bold]{shown(grant.request_id)}[/]  {with_state(grant.state, grant.sentence)}{late}")


def _show_addresses(console: Console, addresses: StackAddresses) -> None:
    console.print(
        f"""
  Portal             {addresses.portal_url}/
    technicians      alex@northwindmsp.com, password sandbox-only-Alex1; robin and kim likewise
    admin            dana@northwindmsp.com, password sandbox-only-Dana1
    auditor          noor@northwindmsp.com, password sandbox-only-Noor1
  Tenants, live      {addresses.sandbox_control}/
  Temporal UI        {addresses.temporal_ui}/
    open grants      {addresses.temporal_ui}/?query=GrantState%3D%22open%22
    parked grants    {addresses.temporal_ui}/?query=GrantState%3D%22parked%22
  Temporal           {addresses.temporal} (namespace {addresses.namespace})
  Microsoft Graph    {addresses.graph_url} (simulated)
  Sign-in            {addresses.login_url} (simulated)
  Ledger             {addresses.database_url}
  State              {addresses.state_dir}

Open the portal and sign in, or type in another terminal:
  .venv/bin/entra-jit request contoso alex --reason "Mailbox migration" --wait

Ctrl-C stops everything; `make up` continues where it stopped.
""",
        highlight=False,
        soft_wrap=True,
    )
