"""What people, directories or Microsoft wrote never becomes layout: not in a terminal, on Temporal's pages, in a log.

A reason with line breaks showed forged rows of the receipt above the real ones, and its escape sequence concealed what
followed. The same holds for the name of an application that the customer registered, and for the words of an error.
"""

from __future__ import annotations

import importlib
import io
import json
import pkgutil
import re
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
import typer
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, TypeAdapter
from rich.console import Console

from entra_jit.cli import views
from entra_jit.cli.commands import shell
from entra_jit.cli.commands.options import one_line
from entra_jit.cli.views import (
    alarms,
    configuration_plan,
    connection,
    doctor,
    emergency,
    failures,
    formatting,
    receipt,
    reconciliation,
    stopping,
    tables,
    up,
    upgrade_check,
)
from entra_jit.cli.views.formatting import with_state
from entra_jit.graph.catalogue import Attempt, explain
from entra_jit.graph.operations import READ_USER
from entra_jit.operations._reasons import read_reason
from entra_jit.operations.check_upgrade import UpgradeCheck
from entra_jit.operations.list_failures import Failure
from entra_jit.operations.register_accounts import Unregistered
from entra_jit.operations.replay_provisioning import Replayed
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.operations.show_status import show_progress
from models.alarms import Alarm
from models.checks import Examination, Repaired
from models.configuration_plan import ConfigurationPlan
from models.connections import Disconnection, DisconnectionPlan, ShownConnection, TenantConnection
from models.errors import ExitCode
from models.grant_progress import GrantProgress
from models.holds import Hold, StopReport
from models.markdown import escape
from models.messages import (
    EmergencyAccountView,
    EmergencyRef,
    GrantState,
    GrantStatus,
    KitAccount,
    Receipt,
    Sentence,
    SignedAccessRequest,
    SignInAttempt,
    TenantReport,
    Ticket,
)
from models.plain_text import plain, printable
from tests.actors import operator
from tests.patience import PATIENCE_SECONDS
from workflows.inputs import read_sentence
from workflows.view import GrantView

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOSTILE = (
    "x\n  late by    0.01 s\r\n\x1b[8m\x9b8m\x07\x00\x7f\u202e\u2066\u200b\u2028\x85\ufeff\U000e0041\u3164\ufe0f\udcff"
    "\x1b]8;;http://evil.example\x1b\\[bold]y[/] [/bold]\n- **Alarm** \\"
)
HARMLESS = "harmless words"
ALTERNATIVES = 8
"""More than any enumeration has that a page looks different for."""
WIDE = 20_000
"""Columns, so that a line is a line."""


def filled(wanted: Any, text: str, alternative: int = 0) -> Any:
    """A value of the type ``wanted`` with ``text`` in each of its texts, also where a pattern would forbid it.

    ``alternative``: which members of enumerations and which booleans.
    """
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return filled(arguments[0], text, alternative)
    if hasattr(wanted, "__supertype__"):
        return filled(wanted.__supertype__, text, alternative)
    if origin is Literal:
        return arguments[alternative % len(arguments)]
    if origin in (Union, types.UnionType):
        return filled(next(one for one in arguments if one is not types.NoneType), text, alternative)
    if origin in (tuple, frozenset):
        return origin(filled(one, text, alternative) for one in arguments if one is not Ellipsis)
    if origin in (list, Mapping, dict):
        return [filled(arguments[0], text, alternative)] if origin is list else {}
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        members = list(wanted)
        return members[alternative % len(members)]
    if isinstance(wanted, type) and issubclass(wanted, BaseModel):
        fields = get_type_hints(wanted, include_extras=True)
        return wanted.model_construct(**{name: filled(fields[name], text, alternative) for name in wanted.model_fields})
    simple = {str: text, datetime: NOON, AwareDatetime: NOON, timedelta: timedelta(hours=1), int: 1, float: 1.0}
    simple[bool] = bool(alternative % 2)
    return simple[wanted]


Fill = Callable[[Any], Any]

VIEWS: dict[Callable[..., object], Callable[[Fill], tuple[object, ...]]] = {
    alarms.show_alarms: lambda fill: ([fill(Alarm)],),
    connection.show_connected: lambda fill: (fill(TenantConnection), fill(Examination)),
    connection.show_connection: lambda fill: (fill(ShownConnection),),
    connection.show_disconnection_plan: lambda fill: (fill(DisconnectionPlan),),
    connection.show_disconnection: lambda fill: (fill(Disconnection),),
    doctor.show_worst: lambda fill: (fill(Examination),),
    doctor.show_examinations: lambda fill: ([fill(Examination)],),
    doctor.show_canary: lambda fill: (fill(GrantStatus), fill(SignInAttempt)),
    doctor.show_repairs: lambda fill: (fill(str), [fill(Repaired)]),
    emergency.show_accounts: lambda fill: ([fill(EmergencyAccountView)],),
    emergency.show_begun: lambda fill: ([fill(EmergencyRef)], "The drill"),
    emergency.show_kit: lambda fill: ([fill(KitAccount)], "now"),
    failures.show_failures: lambda fill: ([fill(Failure)],),
    failures.show_plan: lambda fill: ([fill(Failure)],),
    failures.show_outcomes: lambda fill: ([fill(Replayed)],),
    receipt.show_receipt: lambda fill: (fill(Receipt),),
    receipt.show_summary: lambda fill: (fill(Receipt),),
    reconciliation.show_reports: lambda fill: ([fill(TenantReport)],),
    reconciliation.show_unregistered: lambda fill: ([fill(Unregistered)],),
    stopping.show_report: lambda fill: (fill(StopReport),),
    tables.show_grants: lambda fill: ([fill(GrantStatus)],),
    tables.show_status: lambda fill: (fill(GrantStatus),),
    tables.show_replaced_pass: lambda fill: (fill(GrantStatus),),
    tables.show_holds: lambda fill: ([fill(Hold)],),
    tables.show_banner: lambda fill: ([fill(Hold)],),
    upgrade_check.show_upgrade_check: lambda fill: (fill(UpgradeCheck),),
    configuration_plan.show_plan: lambda fill: (fill(ConfigurationPlan),),
    configuration_plan.show_applied: lambda fill: (fill(ConfigurationPlan),),
    up.show_standing: lambda fill: ("", [fill(GrantStatus)]),
    formatting.say: lambda fill: (fill(str),),
    formatting.line: lambda fill: (with_state(fill(GrantState), fill(str)),),
}
"""Each page, and how what it shows is made."""


def test_every_page_of_the_terminal_is_among_them() -> None:
    for found in pkgutil.iter_modules(views.__path__, f"{views.__name__}."):
        module = importlib.import_module(found.name)
        pages = {page for name, page in vars(module).items() if name.startswith("show_")}
        assert pages - {show_progress, show_receipt} <= VIEWS.keys(), "the operations are none"


def page(view: Callable[..., object], text: str, alternative: int) -> list[str]:
    file = io.StringIO()
    arguments = VIEWS[view](lambda wanted: filled(wanted, text, alternative))
    more = {"done": True} if view is reconciliation.show_unregistered else {}
    view(Console(file=file, width=WIDE), *arguments, **more)
    return file.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_adds_a_line_to_a_page_or_conceals_one(view: Callable[..., object]) -> None:
    for alternative in range(ALTERNATIVES):
        shown, expected = page(view, HOSTILE, alternative), page(view, HARMLESS, alternative)
        assert len(shown) == len(expected), shown
        assert all(line.isprintable() for line in shown), shown
        if HARMLESS in "".join(expected):
            assert "[bold]y[/] [/bold]" in "".join(shown), "its markup is shown, and is none"


@given(st.text(st.characters()))
@example(HOSTILE)
@example("\x1b\x1b[8m[8m\x9b\x9b8m8m")
def test_plain_text_is_one_printable_line_and_stays_as_it_is(text: str) -> None:
    cleaned = plain(text)
    assert cleaned.isprintable()
    assert plain(cleaned) == cleaned == printable(cleaned)
    assert len(cleaned) <= len(text)
    assert cleaned == " ".join(cleaned.split())


def test_what_people_do_write_is_kept() -> None:
    for text in ("Zoë O'Brien", "Привет", "李雷", "مرحبا", "T-1042 (50 %)", "naïve → done", "C:\\temp"):
        assert plain(text) == text
    assert plain("two\r\nlines\tand\xa0a tab") == "two lines and a tab"
    assert plain("\x1b[1;31mred\x1b[0m") == "red"


@given(st.text(st.characters()))
@example("- **Alarm**: x")
@example("=====")
@example("1. x")
@example("12) x")
def test_no_text_becomes_markdown(text: str) -> None:
    escaped = escape(text)
    assert escaped.isprintable()
    assert re.sub(r"\\(.)", r"\1", escaped) == plain(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|~&]", escaped)
    assert not re.match(r"[-+=]|\d+[.)]", escaped)


def test_no_text_adds_a_line_to_a_page_of_temporal() -> None:
    def details(text: str, state: GrantState) -> list[str]:
        asked = filled(SignedAccessRequest, text)
        request = asked.request.model_copy(update={"request_id": "g1", "replay_of": None})
        progress = GrantProgress(asked=asked.model_copy(update={"request": request}), sentence=text, state=state)
        progress.alarms.append(text)
        progress.note(text)
        return GrantView.of(progress).details.split("\n")

    for state in GrantState:
        shown = details(HOSTILE.replace("\udcff", ""), state)
        assert len(shown) == len(details(HARMLESS, state))
        assert all(line.isprintable() for line in shown), shown


def test_microsofts_words_are_one_line_of_an_error() -> None:
    attempt = Attempt(HOSTILE, READ_USER, "GET", HOSTILE, status=400, code=HOSTILE, message=HOSTILE, request_id=HOSTILE)
    error = explain(attempt)
    assert str(error).isprintable()
    assert error.explanation.isprintable()


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_text_adds_a_line_to_a_log(form: Literal["json", "console"], capfd: pytest.CaptureFixture[str]) -> None:
    script = (
        "import logging, structlog\n"
        "from entra_jit.logs import configure_logs\n"
        f"configure_logs({form!r})\n"
        f"text = {HOSTILE!r}\n"
        "structlog.get_logger('a').warning(text, message=text, several=[text, {text: text}], number=1)\n"
        "logging.getLogger('b').warning('%s', text, extra={'more': text})\n"
        "try:\n    raise ValueError(text)\n"
        "except ValueError:\n    logging.getLogger('c').exception('failed')\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=PATIENCE_SECONDS)
    lines = said.stderr.decode().splitlines()
    first, second, *traceback = said.stderr.decode().rstrip("\n").split("\n")
    assert all(line.isprintable() for line in lines), lines
    assert not any(line.startswith(("- **Alarm", "late by")) for line in lines), "no text begins a line"
    assert "number" in first
    assert "more" in second
    assert any("ValueError" in line for line in traceback)


def test_json_has_the_whole_text_and_none_of_it_raw(capsys: pytest.CaptureFixture[str]) -> None:
    status = GrantStatus(sentence=HOSTILE.replace("\udcff", ""))
    for value in (status, [status], status.model_dump(mode="json")):
        shell.show(value, True, lambda: None)
        shown = capsys.readouterr().out
        assert all(line.isprintable() for line in shown.split("\n"))
        [found] = json.loads(shown) if isinstance(value, list) else [json.loads(shown)]
        assert found["sentence"] == status.sentence


def test_a_failed_command_says_one_line_for_each_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        shell.leave(f"{HARMLESS}\n{HOSTILE}", ExitCode.BAD_INPUT)
    said = capsys.readouterr().err
    assert all(line.isprintable() for line in said.split("\n"))


@pytest.mark.parametrize(
    "taken_in",
    [
        TypeAdapter(Sentence).validate_python,
        TypeAdapter(Ticket).validate_python,
        read_sentence,
        read_reason,
        lambda text: operator(text).name,
    ],
)
def test_what_people_write_is_taken_in_as_one_line(taken_in: Callable[[str], str]) -> None:
    assert taken_in("Mail\n  sweep \x1b[8m down\u202e") == "Mail sweep down"


def test_whose_text_is_changed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert one_line("Mail  is down ") == "Mail is down"
    assert not capsys.readouterr().err
    assert one_line("Mail\nis down") == "Mail is down"
    assert "taken out of what you wrote" in capsys.readouterr().err
