"""What a grant leaves behind: found when it closes, and once more in the directory's own audit."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import AwareDatetime

from models.message import Message


class FindingKind(StrEnum):
    """The kind of way back."""

    ROLE = "role"
    MEMBERSHIP = "group membership"
    SIGN_IN_METHOD = "sign-in method"
    CREDENTIAL = "application credential"
    OWNERSHIP = "ownership"
    CONSENT = "consent"
    APPLICATION = "application"
    POLICY = "policy"
    """Conditional Access, sign-in methods, role settings."""
    TRUST = "trust"
    """Domains, their federation, and partners."""
    ACCOUNT = "account"
    DEVICE = "device"
    OUR_APPLICATION = "our application"
    """Its holder can do all that we can."""
    UNKNOWN = "unknown activity"
    """Microsoft's name of it is not among those that we know."""


class SweepFinding(Message):
    """One thing that was not of the grant."""

    kind: FindingKind
    sentence: str
    at: AwareDatetime | None = None
    """When it was done, or first seen."""
    removed: bool = False
    """It was held by the account, and the directory no longer says that it is."""
    alarming: bool = False
    """It needs attention: it outlives the grant, and everyday work does not need it."""
    evidence: tuple[str, ...] = ()
    """Ids of what was found, or of the audit's entries."""


def merged(*several: Iterable[SweepFinding]) -> tuple[SweepFinding, ...]:
    """What different ones have found, each thing once."""
    found: dict[tuple[FindingKind, tuple[str, ...], str], SweepFinding] = {}
    for findings in several:
        for finding in findings:
            found.setdefault((finding.kind, finding.evidence, finding.sentence), finding)
    return tuple(found.values())


def besides(known: Iterable[SweepFinding], found: Iterable[SweepFinding]) -> list[SweepFinding]:
    """What of ``found`` is not ``known``, each thing once."""
    keys = {(finding.kind, *finding.evidence) for finding in known}
    new: list[SweepFinding] = []
    for finding in found:
        if (key := (finding.kind, *finding.evidence)) not in keys:
            keys.add(key)
            new.append(finding)
    return new


def stays_behind(findings: Iterable[SweepFinding]) -> str | None:
    """What of it needs attention; None: nothing."""
    return " ".join(finding.sentence for finding in findings if finding.alarming) or None


class Possession(Message):
    """Something that stays with an account although it is disabled: an ownership or a consent."""

    kind: FindingKind
    id: str
    words: str
    """``it owns the application Payroll``."""


class Baseline(Message):
    """What an account had when it was about to be opened. It should be nothing."""

    possessions: tuple[Possession, ...] = ()
    findings: tuple[SweepFinding, ...] = ()
    """What was taken from it then."""
    unread: str | None = None
    """Why something could not be read; then what is found later may have been there before."""

    @property
    def sentence(self) -> str:
        """``nothing``, or what was there."""
        had = [possession.words for possession in self.possessions]
        parts = [*had, *(finding.sentence for finding in self.findings), *([self.unread] if self.unread else [])]
        return "; ".join(parts) or "nothing"


class Done(Message):
    """How often an account did one thing."""

    activity: str
    """In the audit's words: ``Update user``."""
    times: int
