"""What a tenant's emergency accounts need at a time, and what is wrong with one. Pure.

The order of a rotation is the promise: a new credential is registered and signs in before the old one goes, so that an
account is never without a credential that is known to work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from models.messages import EmergencyDuty

ROTATION = timedelta(days=90)
SHORTEST_ROTATION = timedelta(days=1)
LONGEST_ROTATION = timedelta(days=365)

AAGUID = UUID("8f3c1b52-6f1f-4a58-9c1e-5b8f0c2d7e41")
"""What our passkeys say that they were made by. A tenant's policy can allow this model to a group of our accounts."""

DRILL_EVERY = timedelta(days=30)

USABLE_AFTER_REVEAL = timedelta(hours=1)
"""How long a person may use what was revealed. Then the account is rotated."""

TRIED_AGAIN_AFTER = timedelta(hours=1)
"""After a drill that failed. What failed of a rotation is tried again in the next round."""


@dataclass(frozen=True)
class EmergencyState:
    """One emergency account, by the ledger."""

    number: int
    has_proven: bool
    """It has a credential that has signed in."""
    is_unfinished: bool
    """A rotation was begun: a credential is made and not proven, or an old one is not deleted yet."""
    rotate_at: datetime | None
    """None: only when it is asked for. So it is for an account that is kept for an offline kit."""
    drill_at: datetime | None


def duty_of(state: EmergencyState | None, at: datetime) -> EmergencyDuty | None:
    """What the account needs now; None: nothing. ``state`` None: it is wanted, and the ledger has nothing of it."""
    if state is None or not state.has_proven or state.is_unfinished:
        return EmergencyDuty.ROTATE
    if state.rotate_at is not None and state.rotate_at <= at:
        return EmergencyDuty.ROTATE
    if state.drill_at is None or state.drill_at <= at:
        return EmergencyDuty.DRILL
    return None


def duties(states: Iterable[EmergencyState], wanted: int, at: datetime) -> tuple[tuple[int, EmergencyDuty], ...]:
    """What is due in a tenant that wants so many accounts, one account after the other.

    An account that is no longer wanted is still rotated and tried for as long as it exists: it can sign in, wanted or
    not.
    """
    known = {state.number: state for state in states}
    numbers = sorted({*known, *range(1, wanted + 1)})
    found = ((number, duty_of(known.get(number), at)) for number in numbers)
    return tuple((number, duty) for number, duty in found if duty is not None)


@dataclass(frozen=True)
class SeenEmergencyAccount:
    """An emergency account as the directory shows it."""

    is_enabled: bool
    roles: frozenset[str]
    """Template ids of the directory roles that it holds over the whole tenant."""
    methods: Collection[tuple[str, str]]
    """Id and kind of each registered sign-in method but the password."""
    is_restricted: bool = False
    has_new_password: bool = False
    """Its password was set after we had set it."""


def what_changed(
    seen: SeenEmergencyAccount, role: str, ours: Collection[str], expected: Collection[str]
) -> tuple[str, ...]:
    """How the account differs from what we made, in words that follow *It*.

    ``ours``: the ids of every method that we have registered. ``expected``: those that must be there.
    """
    present = {method for method, _ in seen.methods}
    foreign = sorted(kind for method, kind in seen.methods if method not in ours)
    findings = (
        (not seen.is_enabled, "is disabled"),
        (role not in seen.roles, "is no Global Administrator any more"),
        (bool(seen.roles - {role}), "holds other roles, too"),
        (bool(foreign), f"has sign-in methods that we did not register: {', '.join(foreign)}"),
        (not present >= set(expected), "has lost the passkey that we registered"),
        (seen.has_new_password, "was given another password"),
        (seen.is_restricted, "is inside a restricted management administrative unit"),
    )
    return tuple(words for is_so, words in findings if is_so)
