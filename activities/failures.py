"""How the failures of an activity look to Temporal: their type, their sentence, and when to try again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.issuing import PassesOffError
from entra_jit.accounts.access import CannotBeGivenError
from entra_jit.crypto.assertions import ForgedAssertionError
from entra_jit.graph import (
    ConflictError,
    InvalidAddressError,
    NotYetVisibleError,
    PermanentError,
    TransientError,
    UnexpectedResponseError,
)
from entra_jit.ledger.accounts import NameTakenError
from entra_jit.ledger.admission import ExtensionDeniedError, GrantOverError, PausedError
from entra_jit.ledger.database import LedgerUnavailableError
from models.messages import NOTHING_GIVEN, FailureType

LONGEST_WAIT = timedelta(minutes=5)
"""However long Microsoft asks to wait: a closing is tried again at least so often."""


RESUMED_WITHIN = timedelta(seconds=10)
"""How long after a tenant is resumed its waiting steps go on, at most, however long they have waited."""


class NotOursToOpenError(Exception):
    """Our own rules refuse to open the account; nothing was touched."""


class CannotCloseError(Exception):
    """The application that closes is refused the closing of an account that is to be opened. It stays closed."""


class ReadBackDisagreesError(Exception):
    """The directory does not say yet what was written, or says something else."""


class NothingGivenError(Exception):
    """Microsoft refused every part of a step at its very first try, so that nothing of it is on its way anywhere."""


TYPES: tuple[tuple[type[Exception], FailureType], ...] = (
    (TransientError, FailureType.TRY_LATER),
    (NotYetVisibleError, FailureType.NOT_YET_VISIBLE),
    (ConflictError, FailureType.READ_BACK_DISAGREES),
    (PermanentError, FailureType.REFUSED),
    (NothingGivenError, FailureType.REFUSED),
    (CannotBeGivenError, FailureType.REFUSED),
    (CannotCloseError, FailureType.REFUSED),
    (UnexpectedResponseError, FailureType.BROKEN),
    (InvalidAddressError, FailureType.BROKEN),
    (GrantOverError, FailureType.GRANT_OVER),
    (PausedError, FailureType.PAUSED),
    (ExtensionDeniedError, FailureType.DENIED),
    (NameTakenError, FailureType.DENIED),
    (ForgedAssertionError, FailureType.DENIED),
    (NotOursToOpenError, FailureType.DENIED),
    (PassesOffError, FailureType.DENIED),
    (ReadBackDisagreesError, FailureType.READ_BACK_DISAGREES),
    (LedgerUnavailableError, FailureType.LEDGER_UNAVAILABLE),
)


class FailureInterceptor(Interceptor):
    """Turns what activities raise into Temporal's failures. The sentence is ours; tracebacks stay in our logs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Temporal's hook."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except Exception as error:
            for kind, failure in TYPES:
                if isinstance(error, kind):
                    _fail(error, failure)
            raise


def _fail(error: Exception, failure: FailureType) -> NoReturn:
    # From None: the cause would carry a traceback into history, and with it lines that may quote what they worked on.
    details = (NOTHING_GIVEN,) if isinstance(error, NothingGivenError) else ()
    raise ApplicationError(
        str(error), *details, type=failure.value, next_retry_delay=_wait(error, activity.info())
    ) from None


def _wait(error: Exception, info: activity.Info) -> timedelta | None:
    """How long to wait before the next attempt; None: as the retry policy says."""
    if isinstance(error, PausedError):
        return RESUMED_WITHIN
    asked = error.retry_after if isinstance(error, TransientError) else None
    return min(asked, LONGEST_WAIT) if asked and asked > _own_wait(info) else None


def _own_wait(info: activity.Info) -> timedelta:
    """How long the retry policy waits after this attempt.

    A throttled tenant that asks for one second again and again would otherwise be asked every second, whatever else
    the activity waits for, and would never stop throttling.
    """
    if (policy := info.retry_policy) is None:
        return timedelta(0)
    longest = policy.maximum_interval or LONGEST_WAIT
    # Past a few dozen attempts the power would overflow, and has long been capped.
    grown = policy.initial_interval * policy.backoff_coefficient ** min(info.attempt - 1, 30)
    return min(grown, longest)
