"""What proves that an account is closed: the directory's own words, read when they can be believed.

An account is closed again until it is proven closed, or for as long as its caller has patience. Temporal repeats the
steps of a workflow; everything else that closes repeats with ``until_proven``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_jit.accounts.account_closing import ClearedMark, Given, ReadBack, Stripped
from entra_jit.graph import User
from models.errors import ReadBackDisagreesError
from models.messages import ClosingStep, ObjectId, Standing, Step
from models.sweep import SweepFinding


class NotProvenError(ReadBackDisagreesError):
    """The account was closed, and nothing proves it yet. ``until``: when reading it back can prove it."""

    def __init__(self, explanation: str, until: datetime | None = None) -> None:
        super().__init__(explanation)
        self.until = until


@dataclass(frozen=True)
class ProvenClosing:
    """An account that is closed or gone, and the step that proves it."""

    disabled_at: datetime | None
    """None: not disabled by the process that read it back."""
    step: Step
    standing: Standing
    findings: tuple[SweepFinding, ...] = ()
    """What it had that was not of its grant."""
    account: ObjectId | None = None
    """Whose standing it is; None where it is gone."""


def expect_closed(user: User, read_back: ReadBack) -> None:
    """Raise ``NotProvenError`` where the account was read back open."""
    standing = read_back.standing
    if standing.is_closed:
        return
    parts = [
        ("enabled", standing.enabled),
        (", ".join(item.words for item in standing.access), standing.access),
        (", ".join(standing.sign_in_methods), standing.sign_in_methods),
    ]
    found = "; ".join(str(name) for name, is_open in parts if is_open)
    raise NotProvenError(f"{user.user_principal_name} is not closed yet, says the directory: {found}.")


def expect_all_removed(user: User, given: Given, stripped: Stripped, at: datetime) -> None:
    """Raise ``NotProvenError`` where something that was given may be there although it is not listed at ``at``.

    A replica that never heard of what was just given says that it is not there, to the removal and in lists. So what
    was never seen to be removed is believed to be gone only once every replica has heard of it.
    """
    if given.known_at is None or at >= given.known_at:
        return
    if unseen := given.ids(user.id) - stripped.removed:
        raise NotProvenError(
            f"{len(unseen)} things given to {user.user_principal_name} are too new for their absence to be proven.",
            given.known_at,
        )


def read_back_step(read_back: ReadBack, cleared: ClearedMark, note: str | None = None) -> Step:
    """The step that proves a closing, by the time of the directory's last answer."""
    notes = ". ".join(part for part in (note, cleared.note) if part)
    return Step(
        name=ClosingStep.READ_BACK, at=read_back.at, note=notes or None, calls=(*read_back.calls, *cleared.calls)
    )


Retry = Callable[[Exception], timedelta | None]
"""How long to wait before an account is closed once more; None: give up."""


async def until_proven(close_once: Callable[[], Awaitable[ProvenClosing]], retry: Retry) -> ProvenClosing:
    """Close an account again and again until that is proven. Raises what went wrong last once ``retry`` gives up."""
    while True:
        try:
            return await close_once()
        except Exception as error:
            if (pause := retry(error)) is None:
                raise
            await asyncio.sleep(pause.total_seconds())
