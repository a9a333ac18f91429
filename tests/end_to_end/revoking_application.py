"""How the application that closes can be lost in one customer's tenant, and how that is mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from entra_jit.app import App
from tests.stage import REVOKE, Scene, customer_id, stage_clock

ADMINISTRATOR = "Privileged Authentication Administrator"
DISABLING = ["User.EnableDisableAccount.All", "User.ReadWrite.All"]


@dataclass(frozen=True)
class Loss:
    """``lose`` and ``mend`` change the customer's tenant; ``says`` is what an operator is told to do."""

    lose: Callable[[Scene], None]
    mend: Callable[[Scene], None]
    says: str
    keeps_signing_in: bool = True


def _application(**changes: object) -> Callable[[Scene], None]:
    def change(act: Scene) -> None:
        act.control("POST", f"/tenants/{act.customer}", service_principals=[{"app": REVOKE, **changes}])
        act.a_while_later()

    return change


def _secret_refused(code: str) -> Callable[[Scene], None]:
    """In this tenant alone: all tests share the application, and its secrets."""

    def refuse(act: Scene) -> None:
        act.fault(path=f"/{customer_id(act.customer)}/oauth2/v2.0/token", app=REVOKE, status=401, code=code)

    return refuse


LOSSES = {
    "switched off": Loss(
        _application(enabled=False), _application(enabled=True), "enable its enterprise application", False
    ),
    "secret expired": Loss(_secret_refused("7000222"), Scene.mend, "make a new one for the app", False),
    "secret wrong": Loss(_secret_refused("7000215"), Scene.mend, "check that it belongs to this app", False),
    "permission withdrawn": Loss(
        _application(withdraw=DISABLING), _application(grant=DISABLING), "Grant the app User.EnableDisableAccount.All"
    ),
    "directory role taken": Loss(
        _application(remove_roles=[ADMINISTRATOR]),
        _application(add_roles=[ADMINISTRATOR]),
        f"the directory role {ADMINISTRATOR}",
    ),
}


@asynccontextmanager
async def restarted(act: Scene) -> AsyncIterator[None]:
    """With a worker that was started just now: it has no token yet."""
    for worker in list(act.workers):
        await act.stop_worker(worker)
    async with App(act.settings, clock=stage_clock, client=act.app.client) as act.app:
        await act.start_worker()
        yield
        for worker in list(act.workers):
            await act.stop_worker(worker)
