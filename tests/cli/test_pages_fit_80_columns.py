"""A terminal of 80 columns is what people have at night.

A request id that is cut cannot be ended by it, a column without a head is guessed at, and a word that is broken in two
is read as two.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
import typer
from rich.console import Console
from rich.text import Text

from entra_jit.cli.commands import shell
from entra_jit.cli.views import alarms, doctor, failures, receipt, reconciliation, stopping, tables, upgrade_check
from entra_jit.operations.check_upgrade import BrokenExecution, UpgradeCheck
from entra_jit.operations.list_failures import Failure
from entra_jit.operations.register_accounts import Unregistered
from entra_jit.operations.replay_provisioning import Replayed
from entra_jit.policy.failures import FailureClass
from entra_jit.policy.replaying import Replay
from models.alarms import Alarm, AlarmKind
from models.checks import Check, CheckState, Examination, Finding
from models.errors import ExitCode
from models.holds import Hold, HoldKind, StoppedGrant, StopReport, StopState
from models.messages import (
    AccessRequest,
    Ending,
    FailureType,
    GrantState,
    GrantStatus,
    ObjectId,
    Proof,
    Receipt,
    Step,
    StuckStep,
    TechnicianId,
    TenantId,
    TenantReport,
)
from tests.actors import TESTER

WIDTH = 80
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TENANT, TECHNICIAN = "northwind-traders-holding", "anna-lena.van-der-berg"
GRANT = f"{TENANT}/anna-lena-van-der-berg/7f3a9c21d4"
LONGEST = f"{'t' * 63}/{'p' * 63}/{'k' * 100}"
ACCOUNT = f"msp-anna-lena-van-der-berg@{TENANT}.onmicrosoft.com"
SENTENCE = "Microsoft answered 403 to the removal of the role Privileged Authentication Administrator [again]."


def grants(request_id: str) -> tuple[GrantStatus, ...]:
    common = {"request_id": request_id, "tenant": TENANT, "technician": TECHNICIAN, "account_name": ACCOUNT}
    return (
        GrantStatus(**common, state=GrantState.OPEN, expires_at=NOON, sentence="Open until 2026-11-26 12:00:00Z."),
        GrantStatus(**common, state=GrantState.CANCELLED, sentence=SENTENCE, replay_of=request_id),
        GrantStatus(**common, state=GrantState.EXPIRED, sentence=SENTENCE, proof=Proof.ABANDONED),
    )


def alarm(request_id: str) -> Alarm:
    return Alarm(
        kind=AlarmKind.HELD,
        subject=request_id,
        tenant=TENANT,
        sentence=SENTENCE,
        raised_at=NOON,
        cleared_at=NOON,
        all_clear=SENTENCE,
    )


def hold(kind: HoldKind) -> Hold:
    return Hold(kind=kind, tenant=TENANT, technician=TECHNICIAN, since=NOON, by=TESTER, reason=SENTENCE)


def failure(request_id: str) -> Failure:
    step = StuckStep(name="ready", answer=SENTENCE, attempt=12, next_try=NOON, paused=False)
    return Failure(
        request_id=request_id,
        tenant=TENANT,
        technician=TECHNICIAN,
        state=GrantState.PARKED,
        since=NOON,
        failure=FailureType.PERMANENT,
        failure_class=FailureClass.TENANT_REFUSAL,
        remedy=Replay.RETRY,
        sentence=SENTENCE,
        steps=(step,),
    )


def stop_report(request_id: str) -> StopReport:
    grant = StoppedGrant(
        request_id=request_id,
        tenant=TENANT,
        technician=TECHNICIAN,
        account_name=ACCOUNT,
        state=StopState.FAILED,
        sentence=SENTENCE,
    )
    return StopReport(stop=hold(HoldKind.STOP), unheard=SENTENCE, grants=(grant,))


def upgrade(request_id: str) -> UpgradeCheck:
    broken = BrokenExecution(
        workflow_id=f"grant/{request_id}",
        run_id="r",
        tenant=TENANT,
        technician=TECHNICIAN,
        state="open",
        expires_at=NOON,
        because=SENTENCE,
    )
    return UpgradeCheck(running=30, replayed=20, breaks=(broken,))


def reconciled() -> TenantReport:
    return TenantReport(
        tenant=TENANT, looked_at=3, closed=(f"{ACCOUNT}: {SENTENCE}",), reported=(SENTENCE,), failed=SENTENCE
    )


def examined() -> Examination:
    states = [*CheckState] * len(Check)
    findings = tuple(
        Finding(check=check, state=state, read=SENTENCE) for check, state in zip(Check, states, strict=False)
    )
    return Examination(tenant=TENANT, examined_at=NOON, findings=findings)


class Page(NamedTuple):
    """What a command prints for one request id, and the heads of its table."""

    show: Callable[[Console, str], None]
    heads: tuple[str, ...] = ()
    names_the_grant: bool = True


PAGES = {
    "grants": Page(lambda console, grant: tables.show_grants(console, grants(grant)), ("grant", "state", "expires")),
    "status": Page(lambda console, grant: tables.show_status(console, grants(grant)[2])),
    "alarms": Page(lambda console, grant: alarms.show_alarms(console, [alarm(grant)]), ("about", "alarm", "raised")),
    "holds": Page(
        lambda console, _: tables.show_holds(console, [hold(HoldKind.PAUSE), hold(HoldKind.STOP)]), (), False
    ),
    "close-all": Page(lambda console, grant: stopping.show_report(console, stop_report(grant)), ("grant", "state")),
    "failures": Page(
        lambda console, grant: failures.show_failures(console, [failure(grant)]), ("grant", "state", "since")
    ),
    "replay": Page(lambda console, grant: failures.show_plan(console, [failure(grant)])),
    "replay --yes": Page(
        lambda console, grant: failures.show_outcomes(
            console, [Replayed(request_id=grant, sentence=SENTENCE, goes_on=False)]
        )
    ),
    "tenant doctor": Page(lambda console, _: doctor.show_examinations(console, [examined()]), (), False),
    "reconcile": Page(lambda console, _: reconciliation.show_reports(console, [reconciled()]), (), False),
    "register": Page(
        lambda console, _: reconciliation.show_unregistered(
            console, [Unregistered(account_name=ACCOUNT, object_id=ObjectId("o" * 36), because=SENTENCE)], done=False
        ),
        (),
        False,
    ),
    "check-upgrade": Page(lambda console, grant: upgrade_check.show_upgrade_check(console, upgrade(grant))),
    "receipt": Page(lambda console, grant: receipt.show_receipt(console, receipt_of(grant))),
}


def receipt_of(request_id: str) -> Receipt:
    asked = AccessRequest(
        request_id=request_id, tenant=TENANT, technician="anna", reason=SENTENCE, ticket="T-1", asked_at=NOON
    )
    step = Step(name="stripped", at=NOON, note=SENTENCE)
    return Receipt(
        request=asked,
        requested_by=TESTER,
        decision=SENTENCE,
        decided_at=NOON,
        tenant_id=TenantId("c0c0c0c0-2222-4222-8222-000000000002"),
        technician_id=TechnicianId("t"),
        account_name=ACCOUNT,
        ending=Ending(state=GrantState.ENDED, by=TESTER, reason=SENTENCE),
        settled_at=NOON,
        lateness=timedelta(seconds=1),
        steps=(step,),
        alarms=(SENTENCE,),
    )


@pytest.mark.parametrize("request_id", [GRANT, LONGEST], ids=["long", "longest"])
@pytest.mark.parametrize("command", PAGES)
def test_no_page_breaks_a_word_or_leaves_a_column_without_a_head(command: str, request_id: str) -> None:
    page = PAGES[command]
    out, unbroken = io.StringIO(), io.StringIO()
    page.show(Console(file=out, width=WIDTH, force_terminal=True, color_system=None), request_id)
    page.show(Console(file=unbroken, width=10_000), request_id)

    assert out.getvalue().split() == unbroken.getvalue().split(), "the same words, whole and in order"
    lines = out.getvalue().splitlines()
    for line in lines:
        assert len(line) <= WIDTH or len(line.split()) == 1, "only what is one word may be longer"
    assert not page.names_the_grant or re.search(rf"(^|[\s/]){re.escape(request_id)}\b", out.getvalue())
    if page.heads:
        assert tuple(lines[0].split()) == page.heads
        row = next(line for line in lines[1:] if line != request_id)
        starts = [match.start() for match in re.finditer(r"\S+", lines[0])]
        cells = [match.start() for match in re.finditer(r"(?<!\S)\S+( \S+)*", row)]
        assert set(cells) <= set(starts), "each cell stands under its head"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_no_error_breaks_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setattr(sys, "stderr", said := Terminal())
    with pytest.raises(typer.Exit):
        shell.leave(
            f"The grant {GRANT} is ended; a credential is shown while it is open.\n{SENTENCE}", ExitCode.REFUSED
        )
    lines = Text.from_ansi(said.getvalue()).plain.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line[:4] for line in lines] == ["The ", "  a ", "Micr", "  Ad"]
