"""What becomes of a managed account that is found in a directory, whatever became of its workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.marks import AccountKind, OpenUntil, newest
from models.messages import AccessItem
from models.moments import format_moment

GRACE = timedelta(minutes=1)
"""How long past its expiry a grant's own workflow is left to close it."""


@dataclass(frozen=True)
class LiveGrant:
    """The unclosed grant that holds the account, by the ledger."""

    request_id: str
    expires_at: datetime | None
    """None: not armed yet, so nothing may be open."""
    lease_until: datetime | None
    closing_at: datetime | None
    is_lapsed: bool = False
    """Its workflow should have settled it long ago, so there is none any more."""
    withdrawn_because: str | None = None
    """Nothing may be open under it any more, whatever its expiry says."""
    access: tuple[AccessItem, ...] = ()
    """What it has given."""
    mark: OpenUntil | None = None
    """The signed mark that the ledger keeps of it. An expiry that no mark covers counts as past."""
    mark_is_everywhere: bool = False
    """It was written long enough ago that every replica should show it."""


@dataclass(frozen=True)
class Found:
    """An account as the directory holds it."""

    may_be_closed: bool
    """By the register and the owner tag, closing it is ours to do."""
    enabled: bool
    holds_access: bool
    """It holds access, or the mark that goes last when an account is closed."""
    mark: OpenUntil | None = None
    """What a valid open-until mark in the directory says, unless its grant is proven closed."""
    settled_mark: OpenUntil | None = None
    """What the directory's mark says, where the ledger has settled its grant, so nothing may be open by it."""
    is_registered: bool = False
    settled_at: datetime | None = None
    """When the last of its grants was settled, by the ledger."""
    kind: AccountKind = AccountKind.TECHNICIAN
    """By the register; what that has not is a technician's, by its tag or by nothing."""


REPLICAS_AGREE_AFTER = timedelta(minutes=10)
"""What was taken from an account may be shown for so long by a replica that has not heard of it."""


class Remedy(StrEnum):
    """What is to be done."""

    LEAVE = "leave"
    CLOSE = "close"
    REPORT = "report"


@dataclass(frozen=True)
class Finding:
    """What is to be done with one account, and why."""

    remedy: Remedy
    because: str = ""
    foreign: bool = False
    """Only a change from outside explains it."""
    disagreement: str | None = None
    """How ledger and directory contradict one another, in a sentence that follows the account's name."""
    reopened: str | None = None
    """The settled grant by whose mark the account is open: its opening took effect after it had been proven closed."""
    ledger_is_behind: bool = False
    """The directory has a newer mark than the ledger, so this is not about the ledger's live grant."""


def judge_found(found: Found, live: LiveGrant | None, at: datetime, *, ledger_is_known: bool = True) -> Finding:
    """What is to be done with an account at the time ``at``, by the rule of its kind."""
    return _RULES[found.kind](found, live, at, ledger_is_known=ledger_is_known)


def _judge_by_grants(found: Found, live: LiveGrant | None, at: datetime, *, ledger_is_known: bool) -> Finding:
    """Close what is open without a reason.

    Nothing that is not ours is touched. What is ours is open only under the grant that the newest signed mark names,
    and until then, wherever that mark stands; without the ledger the directory's alone counts. An opening that is in
    flight is left to its lease.
    """
    if not found.may_be_closed:
        return Finding(
            Remedy.REPORT, "it was not touched: its owner tag is missing, broken, or belongs to another account"
        )
    if live is not None and live.lease_until is not None and at < live.lease_until:
        return Finding(Remedy.LEAVE)
    withdrawn = live is not None and live.withdrawn_because is not None
    if found.enabled and ledger_is_known and not withdrawn and (mark := _unknown_to_the_ledger(found, live)):
        return _under_a_mark_the_ledger_lacks(mark, at)
    if live is not None and live.is_lapsed:
        return Finding(Remedy.CLOSE, f"its grant {live.request_id} was not settled")
    if not found.enabled and not _is_unfinished(found, live, ledger_is_known=ledger_is_known):
        return Finding(Remedy.LEAVE)
    if not ledger_is_known:
        return _by_the_mark_alone(found, at)
    if live is None:
        what = "enabled" if found.enabled else "disabled but not fully closed"
        because = f"it was {what} without a live grant"
        if found.enabled and found.settled_mark is not None:
            return Finding(Remedy.CLOSE, because, reopened=found.settled_mark.request_id)
        return Finding(Remedy.CLOSE, because, foreign=_was_opened_by_somebody_else(found, at))
    return _under_its_grant(found, live, at)


def _leave_alone(_found: Found, _live: LiveGrant | None, _at: datetime, *, ledger_is_known: bool) -> Finding:
    """An emergency account is for the day when all of this is gone, its ledger first."""
    return Finding(Remedy.LEAVE)


_RULES: Mapping[AccountKind, Callable[..., Finding]] = {
    AccountKind.TECHNICIAN: _judge_by_grants,
    AccountKind.CANARY: _judge_by_grants,
    AccountKind.EMERGENCY: _leave_alone,
}


def _under_its_grant(found: Found, live: LiveGrant, at: datetime) -> Finding:
    if live.withdrawn_because:
        return Finding(Remedy.CLOSE, f"its grant {live.request_id} was withdrawn: {live.withdrawn_because}")
    if live.expires_at is None:
        return Finding(Remedy.CLOSE, f"it was enabled before its grant {live.request_id} was armed")
    if live.closing_at is not None and at >= live.closing_at + GRACE:
        return Finding(Remedy.CLOSE, f"the closing of its grant {live.request_id} did not finish")
    mark = newest(live.mark, None if found.settled_mark else found.mark)
    if mark is None:
        return Finding(Remedy.CLOSE, f"no signed mark covers its grant {live.request_id}")
    # Of a ledger restored from before an extension, the directory's mark of the same grant is the newer one.
    expires_at = mark.expires_at if mark != live.mark else min(live.expires_at, mark.expires_at)
    if at >= expires_at + GRACE:
        return Finding(Remedy.CLOSE, f"its grant {live.request_id} expired at {format_moment(expires_at)}")
    if live.mark_is_everywhere and mark != found.mark:
        sentence = f"does not carry the mark that was written for its grant {live.request_id}; the ledger's holds"
        return Finding(Remedy.LEAVE, disagreement=sentence)
    return Finding(Remedy.LEAVE)


def _unknown_to_the_ledger(found: Found, live: LiveGrant | None) -> OpenUntil | None:
    """The directory's mark, where it is newer than what the ledger knows: the ledger was restored from a backup."""
    if found.settled_mark:
        return None
    mark = newest(live.mark if live else None, found.mark)
    return mark if mark is not None and (live is None or mark.request_id != live.request_id) else None


def _under_a_mark_the_ledger_lacks(mark: OpenUntil, at: datetime) -> Finding:
    until = format_moment(mark.expires_at)
    sentence = (
        f"is open until {until} by the signed mark of the grant {mark.request_id}, which the ledger does not know"
    )
    if at >= mark.expires_at + GRACE:
        because = f"its mark of the grant {mark.request_id}, which the ledger does not know, expired at {until}"
        return Finding(Remedy.CLOSE, because, disagreement=sentence, ledger_is_behind=True)
    return Finding(Remedy.LEAVE, disagreement=sentence, ledger_is_behind=True)


def _is_unfinished(found: Found, live: LiveGrant | None, *, ledger_is_known: bool) -> bool:
    """Whether a disabled account is not closed to the end. Its mark goes last; before that it may still hold a pass."""
    if live is not None:
        return found.mark is not None and found.mark.request_id == live.request_id
    return found.holds_access and ledger_is_known


def _was_opened_by_somebody_else(found: Found, at: datetime) -> bool:
    """Whether we had fully closed it: its mark goes last. Unknown for accounts of a lost ledger."""
    if not found.is_registered or found.mark is not None:
        return False
    return found.enabled or found.settled_at is None or at >= found.settled_at + REPLICAS_AGREE_AFTER


def _by_the_mark_alone(found: Found, at: datetime) -> Finding:
    if found.mark is None:
        return Finding(Remedy.CLOSE, "it was open without a valid mark, and the ledger cannot be asked")
    if at >= found.mark.expires_at + GRACE:
        return Finding(Remedy.CLOSE, f"its mark expired at {format_moment(found.mark.expires_at)}")
    return Finding(Remedy.LEAVE)
