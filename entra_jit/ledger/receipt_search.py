"""Receipts by customer, person and time. Those that are late or unproven come first, then the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, Row, Text, cast, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import receipts, texts
from entra_jit.ledger.names import find_technician, find_tenant
from models.messages import Receipt
from models.paging import Page, read_cursor
from models.selections import Receipts
from models.tables import GrantRow, ReceiptRow

_LONG_PARTS = cast(["steps", "findings", "alarms"], ARRAY(Text))
"""Of a document: most of it, and nothing that a list shows."""


@dataclass(frozen=True)
class FoundReceipt:
    """A receipt in a list: without its steps, findings, alarms and addenda."""

    receipt: Receipt
    closed_at: datetime | None
    """When its account was proven closed; None: it is not, or the request was never granted."""


async def search(session: AsyncSession, selection: Receipts, *, after: str | None, limit: int) -> Page[FoundReceipt]:
    """One part of the list. Raises ``NotFoundError`` and ``BadInputError``."""
    wanted = await _selected(session, selection)
    begins: tuple[bool, datetime, str] | None = (
        read_cursor(after, tuple[bool, AwareDatetime, str]) if after is not None else None
    )
    rows: list[Row[Any]] = []
    # One statement for each half, so that an index has both its filter and its order.
    for urgent in (True, False):
        if (urgent and begins and not begins[0]) or (selection.late_or_unproven and not urgent):
            continue
        here = [*wanted, col(ReceiptRow.late_or_unproven) == urgent]
        here += [_is_after(*begins[1:])] if begins and begins[0] is urgent else []
        rows += await _newest(session, here, limit + 1 - len(rows))
    written = await receipts.of_documents(session, {row.request_id: row.document for row in rows})
    places = {row.request_id: (row.late_or_unproven, row.issued_at, row.request_id) for row in rows}
    found = [FoundReceipt(written[row.request_id], row.closed_at) for row in rows]
    return Page.of(found, limit, lambda one: places[one.receipt.request.request_id])


async def _newest(session: AsyncSession, wanted: Sequence[ColumnElement[bool]], limit: int) -> Sequence[Row[Any]]:
    if not limit:
        return []
    statement = (
        select(
            col(ReceiptRow.request_id),
            col(ReceiptRow.issued_at),
            col(ReceiptRow.late_or_unproven),
            col(ReceiptRow.document).op("-")(_LONG_PARTS).label("document"),
            col(GrantRow.closed_at),
        )
        .outerjoin(GrantRow, col(GrantRow.request_id) == col(ReceiptRow.request_id))
        .where(*wanted)
        .order_by(col(ReceiptRow.issued_at).desc(), col(ReceiptRow.request_id).desc())
        .limit(limit)
    )
    return (await (await session.connection()).execute(statement)).all()


def _is_after(issued_at: datetime, request_id: str) -> ColumnElement[bool]:
    return tuple_(col(ReceiptRow.issued_at), col(ReceiptRow.request_id)) < tuple_(issued_at, request_id)


async def _selected(session: AsyncSession, selection: Receipts) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if selection.tenant is not None:
        wanted.append(col(ReceiptRow.tenant_id) == (await find_tenant(session, selection.tenant)).id)
    if selection.technician is not None:
        technician = await find_technician(session, selection.technician)
        wanted.append(col(ReceiptRow.technician_id) == UUID(technician.id))
    if selection.ticket is not None:
        wanted.append(col(ReceiptRow.request_id).in_(texts.requests_of_ticket(selection.ticket)))
    if selection.since is not None:
        wanted.append(col(ReceiptRow.issued_at) >= selection.since)
    if selection.before is not None:
        wanted.append(col(ReceiptRow.issued_at) < selection.before)
    return wanted
