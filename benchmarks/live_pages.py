"""What live pages cost the database: as much for 200 viewers as for one.

Statements are counted by this process, so that a busy machine changes nothing about them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from uuid import NAMESPACE_DNS, UUID, uuid4, uuid5

from pydantic import SecretStr

from benchmarks.applying import large_configuration
from benchmarks.deployment import a_postgres
from benchmarks.visitor import begin_session
from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.identity.sessions import ABSOLUTE, Session
from entra_jit.ledger import events, requests
from entra_jit.ledger.events import NewEvent
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.show_grant import ShownGrant
from entra_jit.settings import Settings
from entra_jit.web.live import PING, Live
from entra_jit.web.visitors import Visitor
from models.actor import Actor, ActorKind, Role, Via
from models.events import EventKind
from models.messages import AccessRequest

TECHNICIAN = uuid5(NAMESPACE_DNS, "tech-0")
REQUEST = "tenant-0/tech-0/benchmark"
SECONDS = 5


async def signed_in(app: App) -> Visitor:
    """The technician, with a session that lasts."""
    now = app.clock()
    actor = Actor(
        kind=ActorKind.PERSON,
        id=str(TECHNICIAN),
        name="tech-0",
        via=Via.PORTAL,
        roles=frozenset({Role.TECHNICIAN}),
    )
    session = Session(uuid4(), actor, "tech-0", "tech-0", now, now + ABSOLUTE)
    await begin_session(app, session.id.bytes, session.id, UUID(actor.id), "tech-0", Role.TECHNICIAN)
    return Visitor(actor, session, csrf="", is_fresh=True)


async def measure(app: App, viewers: int) -> tuple[int, int]:
    """Statements in some seconds without events; and for one event that all of them are told."""
    live, visitor = Live(app), await signed_in(app)
    told = asyncio.Semaphore(0)

    async def render(shown: ShownGrant) -> str:
        return f"{shown.seen}"

    async def view() -> None:
        async with aclosing(live.stream(visitor, REQUEST, None, render)) as stream:
            async for message in stream:
                if message != PING:
                    told.release()

    async def all_told() -> None:
        for _ in range(viewers):
            await told.acquire()

    viewing = [asyncio.create_task(view()) for _ in range(viewers)]
    try:
        await all_told()
        before = app.ledger.statements
        await asyncio.sleep(SECONDS)
        idle, before = app.ledger.statements - before, app.ledger.statements
        async with app.ledger.transaction() as session:
            await events.append(session, NewEvent(EventKind.STEP_TAKEN, operator_here(), {"name": "a step"}, REQUEST))
        await all_told()
        return idle, app.ledger.statements - before
    finally:
        for task in viewing:
            task.cancel()
        await asyncio.gather(*viewing, return_exceptions=True)


async def main(viewers: int) -> int:
    """Print both, and fail where many viewers cost more than one."""
    os.environ["BENCHMARK_SECRET"] = "unmistakable"
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        postgres = await opened.enter_async_context(a_postgres())
        keys = SecretStr("k0:" + "A" * 43 + "=")
        app = await opened.enter_async_context(
            App(Settings(profile="sandbox", database_url=SecretStr(postgres.url), keys=keys))
        )
        file = folder / "msp.yaml"
        file.write_text(large_configuration(1, 1, 1))
        await apply_configuration(operator_here(), app, file, yes=True, unproven=True)
        request = AccessRequest(
            request_id=REQUEST, tenant="tenant-0", technician="tech-0", reason="a benchmark", asked_at=app.clock()
        )
        async with app.ledger.transaction() as session:
            await requests.answer(session, app.keyring, request, operator_here(), app.clock())
        one, many = await measure(app, 1), await measure(app, viewers)
    print(f"{'viewers':>10} {f'SQL in {SECONDS} s':>12} {'SQL for an event':>18}")
    for number, (idle, event) in ((1, one), (viewers, many)):
        print(f"{number:>10} {idle:>12} {event:>18}")
    margin = 4  # looks of the one poller that fall on either side of the boundary
    return int(many[0] > one[0] + margin or many[1] > one[1] + margin)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=200)
    sys.exit(asyncio.run(main(parser.parse_args().viewers)))
