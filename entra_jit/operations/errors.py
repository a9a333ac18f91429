"""Why an operation did not do what was asked, in the four ways that a shell or a page must tell apart."""

from pydantic import ValidationError


class OperationError(Exception):
    """The base: its sentence is for the person who asked."""


class BadInputError(OperationError):
    """What was asked makes no sense; nothing was changed."""


class RefusedError(OperationError):
    """Policy or the directory says no."""


class NotFoundError(OperationError):
    """There is no such grant, tenant or technician."""


class UnreachableError(OperationError):
    """Temporal or PostgreSQL cannot be reached."""


def bad_input(error: ValidationError) -> BadInputError:
    """What is wrong with what was asked, by the name of its field."""
    first = error.errors()[0]
    return BadInputError(f"{first['loc'][0]}: {first['msg']}")
