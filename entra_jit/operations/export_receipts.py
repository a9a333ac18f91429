"""Export receipts for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta

from entra_jit.app import App
from entra_jit.ledger.receipt_search import FoundReceipt
from entra_jit.operations.search_receipts import search_receipts
from models.actor import Actor
from models.moments import format_moment
from models.selections import Receipts

AT_ONCE = 500
"""Receipts of one transaction: an export of a hundred thousand must not hold one for minutes."""

HEADS = (
    "grant", "customer", "technician", "asked by", "asked", "reason", "ticket", "access", "account", "outcome",
    "opened", "expired", "disabled", "proven", "late by (s)", "proof", "proven closed",
)  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would calculate, and not show."""


async def export_receipts(actor: Actor, app: App, selection: Receipts) -> AsyncIterator[str]:
    """The receipts of ``search_receipts`` as CSV, in its order, some lines at a time; the heads first.

    A text that a spreadsheet would take for a formula begins with an apostrophe. Raises ``NotFoundError``.
    """
    page = await search_receipts(actor, app, selection, limit=AT_ONCE)
    yield _lines([HEADS, *map(_cells, page)])
    while page.following:
        page = await search_receipts(actor, app, selection, after=page.following, limit=AT_ONCE)
        yield _lines(map(_cells, page))


def _cells(found: FoundReceipt) -> tuple[str, ...]:
    receipt, asked = found.receipt, found.receipt.request
    return (
        asked.request_id,
        asked.tenant,
        asked.technician,
        receipt.requested_by.name,
        format_moment(asked.asked_at),
        asked.reason,
        asked.ticket or "",
        ", ".join(item.words for item in receipt.access),
        receipt.account_name or "",
        receipt.ending.sentence,
        _moment(receipt.opened_at),
        _moment(receipt.expires_at),
        _moment(receipt.disabled_at),
        _moment(receipt.proven_at),
        _seconds(receipt.lateness),
        receipt.proof.value,
        _moment(found.closed_at),
    )


def _moment(at: datetime | None) -> str:
    return format_moment(at) if at else ""


def _seconds(late: timedelta | None) -> str:
    return "" if late is None else f"{max(late.total_seconds(), 0):.2f}"


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([_defused(cell) for cell in row] for row in rows)
    return written.getvalue()


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
