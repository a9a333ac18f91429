"""One grant's status says what a technician or an operator would otherwise have to guess.

A pass that ends before the grant is only noticed when a sign-in fails; an account that is not proven closed looks like
any other grant that is over; and a closing that is refused every minute looks like one that is just being done.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from entra_jit.cli.views.tables import show_grants, show_replaced_pass, show_status
from models.messages import CredentialKind, GrantState, GrantStatus, Proof, SignInStatus, StuckStep

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PASS = SignInStatus(
    kind=CredentialKind.TEMPORARY_ACCESS_PASS, made_at=NOON, usable_until=NOON, usable_once=True, revealed_at=None
)


def shown(show: Any, **known: Any) -> str:
    """What a view prints of a grant."""
    status = GrantStatus(request_id="g1", account_name="msp-alex@contoso.onmicrosoft.com", **known)
    page = io.StringIO()
    show(Console(file=page, width=200, color_system=None), status)
    return page.getvalue()


def test_a_pass_is_told_and_that_it_was_replaced() -> None:
    page = shown(show_status, state=GrantState.OPEN, sign_in=PASS)
    assert "temporary access pass, usable until 2026-11-23 12:00:00Z, usable once, not revealed yet" in page
    assert "no longer works" in shown(show_replaced_pass, sign_in=PASS)
    assert not shown(show_replaced_pass, sign_in=PASS.model_copy(update={"revealed_at": NOON}))
    assert not shown(show_replaced_pass, sign_in=PASS.model_copy(update={"kind": CredentialKind.PASSWORD}))


def test_a_refused_closing_is_told_with_its_last_answer_and_its_next_try() -> None:
    step = StuckStep(name="close", attempt=5, answer="403 [bold]Forbidden", next_try=NOON)
    page = shown(show_status, state=GrantState.CLOSING, stuck=(step,))
    assert "close: attempt 5, next try 2026-11-23 12:00:00Z: 403 [bold]Forbidden" in page


def test_what_is_not_proven_closed_is_never_shown_as_closed() -> None:
    abandoned = {"state": GrantState.ABANDONED, "proof": Proof.ABANDONED}
    assert "closed     not proven" in shown(show_status, **abandoned)
    later = shown(show_status, **abandoned, closed_at=NOON)
    assert "closed     2026-11-23 12:00:00Z" in later
    assert "not proven" not in later
    assert "not proven closed" in shown(lambda console, one: show_grants(console, [one]), **abandoned)
