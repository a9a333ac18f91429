"""Running a drill: order failures, read what was asked, move the clock, begin again."""

from __future__ import annotations

from datetime import timedelta

from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.clock import ticks
from sandbox.control.requests import ClockBody
from sandbox.exchange import Json
from sandbox.faults import FaultSpecification

_SEVERAL = TypeAdapter(list[FaultSpecification])


class DrillControl:
    """The routes that concern the sandbox and not what is in it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def list_faults(self, _: Request) -> Json:
        return self._sandbox.faults.shown()

    async def add_fault(self, request: Request) -> Json:
        """One fault, or several in order: a request meets the first that fits and still has something to do."""
        body = await request.body()
        if body.lstrip().startswith(b"["):
            return {"ids": [self._sandbox.faults.add(wanted) for wanted in _SEVERAL.validate_json(body)]}
        return {"id": self._sandbox.faults.add(FaultSpecification.model_validate_json(body))}

    async def remove_faults(self, request: Request) -> Json:
        self._sandbox.faults.remove(request.path_params.get("fault"))
        return {}

    async def read_journal(self, request: Request) -> Json:
        """Entries, oldest first; ``after`` a sequence number, of a ``tenant``, by ``method`` and ``path``."""
        asked = request.query_params
        tenant = self._sandbox.directory.tenant_or_slug(asked["tenant"]) if "tenant" in asked else None
        if "tenant" in asked and tenant is None:
            raise HTTPException(404, f"there is no tenant {asked['tenant']}")
        after = asked.get("after", "0")
        if not after.isdecimal():
            raise HTTPException(400, "after: has to be a sequence number")
        return self._sandbox.journal.entries(
            after=int(after),
            tenant=tenant.id if tenant else None,
            method=asked.get("method"),
            path=asked.get("path"),
        )

    async def clear_journal(self, _: Request) -> Json:
        self._sandbox.journal.clear()
        return {}

    async def read_clock(self, _: Request) -> Json:
        return {"now": ticks(self._sandbox.clock.now())}

    async def move_clock(self, request: Request) -> Json:
        body = ClockBody.model_validate_json(await request.body())
        clock, before = self._sandbox.clock, self._sandbox.clock.now()
        if body.stands:
            clock.stand()
        if body.now is not None:
            clock.set(body.now)
        else:
            clock.advance(timedelta(seconds=body.advance or 0))
        if clock.now() < before:
            # What was written in what is now the future would not arrive anywhere for a long time.
            self._sandbox.replication.forget()
        return await self.read_clock(request)

    async def reset(self, _: Request) -> Json:
        self._sandbox.reset()
        return {}
