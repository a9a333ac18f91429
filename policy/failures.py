"""What kind of trouble a failure is, by who has to do something about it."""

from __future__ import annotations

from enum import StrEnum

from models.messages import FailureType


class FailureClass(StrEnum):
    """Whose trouble it is; each needs another person to act."""

    BAD_INPUT = "bad-input"
    """What was asked for or configured does not fit the tenant. Change the request, the configuration or the domain."""
    TENANT_REFUSAL = "tenant-refusal"
    """The tenant says no and will go on saying so until its administrator permits more."""
    MICROSOFT_OUTAGE = "microsoft-outage"
    """Microsoft throttles, fails or lags. It passes; then replay."""
    OUR_OUTAGE = "our-outage"
    """A part of this deployment is away: PostgreSQL, or the worker that should have answered."""
    OUR_BUG = "our-bug"
    """Nobody foresaw it: an answer without sense, or an error in our code. Report it."""


_CLASSES = {
    FailureType.GRANT_OVER: FailureClass.BAD_INPUT,
    FailureType.DENIED: FailureClass.BAD_INPUT,
    FailureType.REFUSED: FailureClass.TENANT_REFUSAL,
    FailureType.BROKEN: FailureClass.OUR_BUG,
    FailureType.TRY_LATER: FailureClass.MICROSOFT_OUTAGE,
    FailureType.NOT_YET_VISIBLE: FailureClass.MICROSOFT_OUTAGE,
    FailureType.READ_BACK_DISAGREES: FailureClass.MICROSOFT_OUTAGE,
    FailureType.LEDGER_UNAVAILABLE: FailureClass.OUR_OUTAGE,
}


def class_of(failure: FailureType | None) -> FailureClass:
    """Whose trouble a failure is. None: no failure was reported at all, so whoever should have done so is away."""
    return FailureClass.OUR_OUTAGE if failure is None else _CLASSES[failure]


def read_kind(text: str) -> FailureType | FailureClass:
    """A type or a class of failures, as people type it; raises ``ValueError`` with all that there are."""
    wanted = text.strip().lower()
    kinds: list[FailureType | FailureClass] = [*FailureClass, *FailureType]
    for kind in kinds:
        if wanted == kind.value.lower():
            return kind
    raise ValueError(f"{text!r} is no kind of failure; there are {', '.join(kinds)}")


def is_of_kind(failure: FailureType | None, kind: FailureType | FailureClass | None) -> bool:
    """Whether a failure is of this type or class; any is, where none is named."""
    return kind is None or kind in {failure, class_of(failure)}
