"""Ask what has become of an operation that a worker was still at when the page stopped waiting."""

from __future__ import annotations

from typing import Any

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import LASTS, find_result
from models.actor import Actor

__all__ = ["LASTS", "await_worker"]


@asks(Verb.AWAIT_WORKER)
async def await_worker(actor: Actor, app: App, operation: str, errand_id: str) -> tuple[Any] | None:
    """What the operation gave, as it would have given it; None: it is not done yet, or is not known.

    Who has the id of an errand was told it by the portal, which gives it out once. Raises what the operation raised.
    """
    return await find_result(app, operation, errand_id)
