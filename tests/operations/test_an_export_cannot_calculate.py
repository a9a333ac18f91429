"""A spreadsheet that opens an export runs nothing that a technician wrote.

``=HYPERLINK(...)`` as the reason of a request would send an auditor's whole sheet to its author. So a cell that begins
like a formula is shown as the text that it is.
"""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from entra_jit.app import App
from entra_jit.ledger import receipts
from entra_jit.operations import export_receipts as export
from entra_jit.operations.export_receipts import export_receipts
from models.actor import CLOCK
from models.errors import NotFoundError
from models.messages import AccessRequest, Assertion, Ending, GrantState, Settlement, SignedAccessRequest
from models.selections import Receipts
from tests.actors import TESTER
from tests.ledger.books import NOON

REASONS = ['=HYPERLINK("https://evil.example","x")', "+1", "-1", "@SUM(A1)", 'mail, "flow"', "plain"]


def denied(number: int, reason: str) -> Settlement:
    request = AccessRequest(
        request_id=f"r-{number}", tenant="contoso", technician="alex", reason=reason, ticket=reason, asked_at=NOON
    )
    proof = Assertion(actor=TESTER, issued_at=NOON, key_id="k0", signature="-")
    return Settlement(
        signed=SignedAccessRequest(request=request, assertion=proof),
        ending=Ending(state=GrantState.DENIED, by=CLOCK, reason=reason),
        settled_at=NOON + timedelta(minutes=number),
    )


async def test_a_cell_that_begins_like_a_formula_is_text(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 4)
    for number, reason in enumerate(REASONS):
        async with app.ledger.transaction() as session:
            await receipts.settle(session, denied(number, reason))
    parts = [part async for part in export_receipts(TESTER, app, Receipts())]
    assert len(parts) == 2, "read and sent some receipts at a time"

    [heads, *rows] = csv.reader(io.StringIO("".join(parts)))
    found = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [row["reason"].removeprefix("'") for row in found] == list(reversed(REASONS))
    assert not [cell for row in rows for cell in row if cell.startswith(export.FORMULA)]
    assert found[0]["reason"] == "plain"
    assert found[0]["outcome"] == "Denied: plain"


async def test_an_unknown_customer_is_refused_before_the_first_line(app: App) -> None:
    with pytest.raises(NotFoundError):
        await anext(export_receipts(TESTER, app, Receipts(tenant="nowhere")))
