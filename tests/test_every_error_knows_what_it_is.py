"""Every error of ours says by itself what it is to Temporal, to a shell, to a browser and to a person.

An exception outside of the hierarchy would be a traceback to whoever typed a command, and in Temporal a type that no
operator finds in the runbook. A second table would be forgotten by the next error that is written.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
import typer
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from typer.testing import CliRunner

import activities
import entra_jit
import models
import workflows
from activities.failures import RESUMED_WITHIN, as_failure
from entra_jit.cli.commands.shell import cli, errors_told
from entra_jit.graph import PermanentError, TransientError
from entra_jit.ledger.admission import PausedError
from models.errors import BadInputError, EntraJitError, ExitCode, InternalError, NotFoundError, SettingsError
from models.messages import NOTHING_GIVEN, FailureType

OURS = (activities, entra_jit, models, workflows)
PROGRAMS = ("portal", "starter", "worker")
RUN_BY_ALEMBIC = "entra_jit.ledger.migrations"
RUN_BY_ITSELF = "entra_jit.emergency_kit"
"""A program that imports nothing of ours. What calls it from here turns its errors into ours."""

CALL = {
    "tenant": "contoso",
    "purpose": "assign the role",
    "operation": "POST /roleAssignments",
    "advice": "Grant the app more.",
    "status": 403,
    "request_id": "a1b2",
}


def all_below(base: type[BaseException]) -> Iterator[type[BaseException]]:
    for error in base.__subclasses__():
        yield error
        yield from all_below(error)


def exceptions_of_ours() -> list[type[BaseException]]:
    for package in OURS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(RUN_BY_ALEMBIC):
                importlib.import_module(module.name)
    for program in PROGRAMS:
        importlib.import_module(program)
    names = {*PROGRAMS, *(package.__name__ for package in OURS)}
    found = {e for e in all_below(BaseException) if e.__module__.split(".")[0] in names}
    return sorted((e for e in found if e.__module__ != RUN_BY_ITSELF), key=lambda e: e.__name__)


EXCEPTIONS = exceptions_of_ours()
ERRORS = [error for error in EXCEPTIONS if issubclass(error, EntraJitError)]


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_every_exception_of_ours_stands_in_the_hierarchy(exception: type[BaseException]) -> None:
    assert issubclass(exception, EntraJitError)
    assert exception.__name__.endswith("Error")
    assert exception.__doc__
    assert not exception.__doc__.startswith(f"{exception.__name__}("), "a dataclass writes that for want of a docstring"
    assert isinstance(exception.failure_type, FailureType)
    assert exception.exit_code in ExitCode
    assert exception.exit_code is not ExitCode.DONE
    assert exception.http_status >= 400


def test_every_failure_type_is_the_name_of_an_error_that_has_it() -> None:
    """What stands in the Temporal UI can be searched for in the code."""
    assert {error.failure_type.value: error.failure_type for error in ERRORS} == {t.value: t for t in FailureType}
    named = {error.__name__: error.failure_type for error in ERRORS}
    assert {failure.value: failure for failure in FailureType}.items() <= named.items()


def test_no_two_errors_have_one_name() -> None:
    assert len({error.__name__ for error in ERRORS}) == len(ERRORS)


def test_who_caused_it_is_told_alike_by_shell_and_browser() -> None:
    """Scripts repeat what ends with 5, clients what answers with 503; neither helps against a refusal."""
    for error in ERRORS:
        is_outage = error.exit_code is ExitCode.UNREACHABLE
        assert (error.http_status == 503) is is_outage, error
        assert not is_outage or error.failure_type.is_transient, error
        if error.exit_code in (ExitCode.BAD_INPUT, ExitCode.NOT_FOUND) and not issubclass(error, SettingsError):
            assert error.http_status in (404, 422), error


def test_the_help_lists_every_exit_code_once() -> None:
    shown = " ".join(CliRunner().invoke(cli, ["--help"], terminal_width=400).output.split())
    for code in ExitCode:
        assert f"{code.value} {code.meaning}" in shown.replace("│ ", "")
    assert len({code.meaning for code in ExitCode}) == len(ExitCode)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadInputError("hours: too many"), 2),
        (NotFoundError("There is no tenant 'x'."), 4),
        (PermanentError(**CALL), 3),
        (InternalError("It was opened twice."), 1),
    ],
)
def test_a_person_reads_a_line_and_never_a_traceback(
    error: EntraJitError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left, errors_told():
        raise error
    assert left.value.exit_code == code
    said = capsys.readouterr().err
    assert said == f"{error}\n"
    assert error.advice in said


def test_an_error_of_microsofts_says_what_where_what_to_do_and_its_number() -> None:
    error = PermanentError(**CALL)
    assert error.explanation == "contoso: could not assign the role (403)."
    assert (error.advice, error.request_id) == ("Grant the app more.", "a1b2")
    assert str(error) == f"{error.explanation} {error.advice} [POST /roleAssignments; request-id a1b2]"
    assert str(EntraJitError("It is so.", advice="Do that.", request_id="a1b2")) == (
        "It is so. Do that. [request-id a1b2]"
    )


def refused_whole() -> PermanentError:
    error = PermanentError(**CALL)
    error.details = (NOTHING_GIVEN,)
    return error


@pytest.mark.parametrize(
    ("error", "details", "wait"),
    [
        (PermanentError(**CALL), (), None),
        (refused_whole(), (NOTHING_GIVEN,), None),
        (TransientError(**CALL), (), None),
        (TransientError(**CALL, retry_after=timedelta(minutes=4)), (), timedelta(minutes=4)),
        (PausedError("contoso is paused."), (), RESUMED_WITHIN),
        (SettingsError("The key is gone."), (), None),
    ],
)
def test_an_error_crosses_temporal_in_one_piece(
    error: EntraJitError, details: tuple[str, ...], wait: timedelta | None
) -> None:
    failure: ApplicationError = as_failure(error, ActivityEnvironment.default_info())
    assert FailureType(failure.type or "") is error.failure_type
    assert failure.message == str(error)
    assert tuple(failure.details) == details
    assert failure.next_retry_delay == wait
    assert not failure.non_retryable, "a closing is tried again whatever refuses it"


@pytest.mark.parametrize("name", ["", "KeyError", "ProvisioningFailed", "TypeOfTomorrow"])
def test_a_type_that_is_not_ours_was_not_foreseen(name: str) -> None:
    assert FailureType(name) is FailureType.INTERNAL
