"""Every error of ours: what it is to Temporal, to a shell and to a browser, and what it says to a person.

One hierarchy, and no table beside it: a caller that catches ``EntraJitError`` reads everything from its attributes.
"""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Self

from models.states import FailureType

if TYPE_CHECKING:
    from pydantic import ValidationError

QUOTED_LENGTH = 60


def quoted(text: str) -> str:
    """What was typed, for an explanation: in quotes, escaped, and cut where it is long."""
    return repr(text if len(text) <= QUOTED_LENGTH else f"{text[:QUOTED_LENGTH]}...")


class ExitCode(IntEnum):
    """What a command ends with. The last line of ``--help`` is made of these."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """A number that knows what it means."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "done"
    FAILED = 1, "an error in entra-jit or a failed demonstration"
    BAD_INPUT = 2, "bad usage, input or settings"
    REFUSED = 3, "refused"
    NOT_FOUND = 4, "not found"
    UNREACHABLE = 5, "a service cannot be reached"
    CLOSED_FROM_HERE = 6, "closed without its workflow"
    NOT_PROVEN = 7, "not proven closed"
    ATTENTION = 8, "something needs attention (--exit-code)"
    INTERRUPTED = 130, "interrupted"


class EntraJitError(Exception):
    """The base of all our errors. ``str()`` is for a person to read; it never holds a secret."""

    failure_type: ClassVar[FailureType] = FailureType.INTERNAL
    """The type that the failure has in Temporal, once an activity raises it."""
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    """What a command ends with."""
    http_status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    """What a page or an API answers with."""

    explanation: str
    """What happened, and in which tenant: one sentence."""
    advice: str = ""
    """What the operator can do about it; empty: the explanation says all."""
    request_id: str | None = None
    """Microsoft's number for the call that failed."""
    details: tuple[str, ...] = ()
    """What a workflow must know of the step that failed: ``NOTHING_WRITTEN``, ``NOTHING_GIVEN``."""

    def __init__(self, explanation: str, *, advice: str | None = None, request_id: str | None = None) -> None:
        super().__init__(explanation)
        self.explanation = explanation
        if advice is not None:
            self.advice = advice
        if request_id is not None:
            self.request_id = request_id

    def __str__(self) -> str:
        number = f"[request-id {self.request_id}]" if self.request_id else ""
        return " ".join(part for part in (self.explanation, self.advice, number) if part)

    @property
    def is_transient(self) -> bool:
        """Trying again may help without anything being changed in the request or the tenant."""
        return self.failure_type.is_transient


class InternalError(EntraJitError):
    """An error in our code: something that must never happen was about to."""

    advice = "This is an error in entra-jit; please report it."


class SettingsError(EntraJitError):
    """This deployment is set up wrongly: a setting, a key or a credential is missing, unusable or not the right one."""

    failure_type = FailureType.SETTINGS
    exit_code = ExitCode.BAD_INPUT


class RefusedError(EntraJitError):
    """Our own rules refuse it, or the state that things are in; nothing was changed."""

    failure_type = FailureType.REFUSED
    exit_code = ExitCode.REFUSED
    http_status = HTTPStatus.CONFLICT
    is_attempt: ClassVar[bool] = True
    """Whether the journal has it as an attempt that was refused. False: it corrects, or asks whether it is meant."""


class BadInputError(RefusedError, ValueError):
    """What was asked for or configured makes no sense; nothing was changed. A ``ValueError``, so that pydantic puts it
    into its own report of a file's mistakes."""

    exit_code = ExitCode.BAD_INPUT
    http_status = HTTPStatus.UNPROCESSABLE_ENTITY
    is_attempt = False

    @classmethod
    def of(cls, error: ValidationError) -> Self:
        """What is wrong with what was asked, by the name of its field."""
        first = error.errors()[0]
        return cls(f"{first['loc'][0]}: {first['msg']}")


class NotFoundError(RefusedError):
    """There is no such grant, tenant or technician."""

    exit_code = ExitCode.NOT_FOUND
    http_status = HTTPStatus.NOT_FOUND


class UnreachableError(EntraJitError):
    """A part of this deployment cannot be reached or does not answer: PostgreSQL, Temporal, a worker."""

    failure_type = FailureType.UNREACHABLE
    exit_code = ExitCode.UNREACHABLE
    http_status = HTTPStatus.SERVICE_UNAVAILABLE


class StillWorkingError(UnreachableError):
    """A worker has not finished by the time that its asker waits. What it does goes on."""

    def __init__(self, operation: str, errand_id: str) -> None:
        super().__init__("No worker has answered yet.", advice="Look again later: it may still be done.")
        self.operation = operation
        self.errand_id = errand_id


class ReadBackDisagreesError(EntraJitError):
    """The directory does not say yet what was written, or says something else."""

    failure_type = FailureType.READ_BACK_DISAGREES
    exit_code = ExitCode.UNREACHABLE
    http_status = HTTPStatus.SERVICE_UNAVAILABLE
