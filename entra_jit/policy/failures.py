"""Failures by who can fix them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.errors import BadInputError, quoted
from models.states import FailureType


class FailureClass(StrEnum):
    """Who can fix it; each class needs another person."""

    BAD_INPUT = "bad-input"
    """What was asked for or configured does not fit the tenant. Change the request, the configuration or the domain."""
    TENANT_REFUSAL = "tenant-refusal"
    """The tenant refuses until its administrator permits more."""
    MICROSOFT_OUTAGE = "microsoft-outage"
    """Microsoft throttles, fails or lags. It passes; then replay."""
    OUR_OUTAGE = "our-outage"
    """A part of this deployment is away or lacks a key: PostgreSQL, a worker, a setting."""
    HELD = "held"
    """An operator has paused the tenant. It goes on when it is resumed."""
    OUR_BUG = "our-bug"
    """An answer without sense, or an error in our code. Report it."""


_CLASSES = {
    FailureType.GRANT_OVER: FailureClass.BAD_INPUT,
    FailureType.REFUSED: FailureClass.BAD_INPUT,
    FailureType.PERMANENT: FailureClass.TENANT_REFUSAL,
    FailureType.UNEXPECTED_RESPONSE: FailureClass.OUR_BUG,
    FailureType.INTERNAL: FailureClass.OUR_BUG,
    FailureType.TRANSIENT: FailureClass.MICROSOFT_OUTAGE,
    FailureType.NOT_YET_VISIBLE: FailureClass.MICROSOFT_OUTAGE,
    FailureType.READ_BACK_DISAGREES: FailureClass.MICROSOFT_OUTAGE,
    FailureType.UNREACHABLE: FailureClass.OUR_OUTAGE,
    FailureType.SETTINGS: FailureClass.OUR_OUTAGE,
    FailureType.PAUSED: FailureClass.HELD,
}


def class_of(failure: FailureType | None) -> FailureClass:
    """Who can fix a failure. None: no failure was reported, so a part of this deployment is down."""
    return FailureClass.OUR_OUTAGE if failure is None else _CLASSES[failure]


@dataclass(frozen=True)
class Kind:
    """Failures of one type, or of all types of one class."""

    failures: frozenset[FailureType | None]

    @classmethod
    def parse(cls, text: str) -> Kind:
        """As people type it, in any case; raises ``BadInputError`` with all that there are."""
        wanted = text.strip().lower()
        for name in FailureType:
            if wanted == name.lower():
                return cls(frozenset({name}))
        for whose in FailureClass:
            if wanted == whose:
                return cls(frozenset(failure for failure in (*FailureType, None) if class_of(failure) is whose))
        raise BadInputError(
            f"{quoted(text)} is not a type or class of failure; use one of {', '.join([*FailureClass, *FailureType])}"
        )
