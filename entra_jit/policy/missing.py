"""What it means that the directory does not know an account that we know: the one rule for how long that is doubted."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

DOUBTED_FOR = timedelta(minutes=10)
"""How long an account must have been missed before it counts as gone, where no bin has it: a replica that is behind
answers 404 for an account that is there."""

PURGED_AFTER = timedelta(hours=1)
"""How long an account must have been missed before it counts as purged: bins lag behind deletions."""

IN_THE_BIN_FOR = timedelta(days=30)
"""How long the directory keeps a deleted account, from where it may be restored."""


class Missing(StrEnum):
    """What has become of an account that cannot be read."""

    DOUBTED = "doubted"
    """It may be there all the same."""
    DELETED = "deleted"
    """It lies in the bin, and may be restored."""
    VANISHED = "vanished"
    """It is in no bin, which may be behind."""
    PURGED = "purged"
    """It can never come back."""


def judge_missing(*, in_the_bin: bool, missed_since: datetime, at: datetime) -> Missing:
    """What has become of an account that cannot be read at ``at``, nor could be since ``missed_since``."""
    if in_the_bin:
        return Missing.DELETED
    if at < missed_since + DOUBTED_FOR:
        return Missing.DOUBTED
    return Missing.PURGED if at >= missed_since + PURGED_AFTER else Missing.VANISHED
