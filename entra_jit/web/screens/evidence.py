"""Evidence: the receipts of what is over, to be searched, printed and exported."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from entra_jit.operations.export_receipts import export_receipts
from entra_jit.operations.search_receipts import search_receipts
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.web.addresses import day, given, next_day
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, TheApp
from models.actor import Role
from models.messages import Receipt
from models.selections import Receipts

LINK = Link("/evidence", "Evidence", 40, frozenset({Role.ADMIN, Role.AUDITOR}))

AT_FIRST = timedelta(days=30)
"""How far back the page looks where no time was chosen."""

router = APIRouter()


@dataclass(frozen=True)
class Search:
    """What is looked for, as the page's form sends it."""

    tenant: str = ""
    technician: str = ""
    since: str | None = None
    """A day. None: the form was not sent yet; empty: from the beginning."""
    until: str = ""
    only: str = ""
    ticket: str = ""

    def beginning(self, now: datetime) -> str:
        """The first day, as a form has it."""
        return (now - AT_FIRST).date().isoformat() if self.since is None else self.since

    def selection(self, now: datetime) -> Receipts:
        """The receipts that are meant. Raises ``BadInputError``."""
        since, before = day(self.beginning(now)), next_day(self.until)
        return Receipts(given(self.tenant), given(self.technician), since, before, given(self.ticket), bool(self.only))


Searched = Annotated[Search, Depends()]


@router.get("/evidence")
async def evidence(
    request: Request, visitor: SignedIn, app: TheApp, search: Searched, after: str | None = None
) -> Response:
    """Late and unproven ones first."""
    found = await search_receipts(visitor.actor, app, search.selection(app.clock()), after=after)
    since = search.beginning(app.clock())
    wanted = asdict(search) | {"since": None}
    return await page(
        request,
        visitor,
        "evidence.html",
        found=found,
        search=search,
        since=since,
        wanted=urlencode({"since": since} | {name: value for name, value in wanted.items() if value}),
        following=found.following,
        is_first=after is None,
    )


@router.get("/evidence.csv")
async def export(visitor: SignedIn, app: TheApp, search: Searched) -> Response:
    """The same, all of it, for a spreadsheet."""
    lines = export_receipts(visitor.actor, app, search.selection(app.clock()))
    first = await anext(lines)  # what refuses does so before anything is sent

    async def parts() -> AsyncIterator[str]:
        yield first
        async for part in lines:
            yield part

    name = f"receipts-{app.clock():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(parts(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/receipts/{request_id:path}")
async def receipt(request: Request, visitor: SignedIn, app: TheApp, request_id: str) -> Response:
    """The evidence of one grant, on one sheet of paper."""
    found = await show_receipt(visitor.actor, app, request_id)
    return await page(request, visitor, "receipt.html", receipt=found, untold=_untold(found), now=app.clock())


def _untold(receipt: Receipt) -> list[str]:
    """The alarms that it was written with and that were never raised."""
    told = {alarm.sentence for alarm in receipt.raised}
    return [sentence for sentence in receipt.alarms if sentence not in told]
