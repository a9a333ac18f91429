"""A tenant that is examined: what is configured for it, and our applications in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from entra_jit.graph import Granted, Tenant
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.configuration import PurposeName
from models.checks import Check, CheckState, Finding


@dataclass(frozen=True)
class OurApplication:
    """One of our applications in the tenant. One may serve both purposes."""

    purposes: tuple[PurposeName, ...]
    tenant: Tenant
    granted: Granted | None
    """By its own token; None: the token cannot be read."""

    @property
    def name(self) -> str:
        """``elevate``, ``revoke``, or both."""
        return " and ".join(self.purposes)


@dataclass(frozen=True)
class ExaminedTenant:
    """What the checks work with."""

    configured: ConfiguredTenant
    applications: tuple[OurApplication, ...]
    at: datetime
    ends: Mapping[str, datetime]
    """By client id, when a credential ends of which the deployment's settings say so."""

    def as_seen_by(self, purpose: PurposeName) -> Tenant:
        """The tenant as the application for ``purpose`` sees it."""
        return next(one.tenant for one in self.applications if purpose in one.purposes)


@dataclass(frozen=True)
class Examination:
    """Checks that rest on the same reads."""

    checks: tuple[Check, ...]
    run: Callable[[ExaminedTenant], Awaitable[Sequence[Finding]]]
    """One finding for each of the checks. Raises ``GraphError`` where the tenant cannot be read."""


def ok(check: Check, read: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, state=CheckState.OK, read=read)


def unknown(check: Check, read: str, advice: str = "") -> Finding:
    """It could not be tried, and ``read`` says why."""
    return Finding(check=check, state=CheckState.UNKNOWN, read=read, advice=advice)


def warning(check: Check, read: str, advice: str = "") -> Finding:
    """Grants work, not as wanted."""
    return Finding(check=check, state=CheckState.WARNING, read=read, advice=advice)


def failed(check: Check, read: str, advice: str = "") -> Finding:
    """Grants do not work."""
    return Finding(check=check, state=CheckState.FAILED, read=read, advice=advice)


def listed(names: Iterable[str], most: int = 5) -> str:
    """``a, b and 3 more``, in order of the alphabet."""
    found = sorted(names)
    rest = len(found) - most
    return ", ".join(found[:most]) + (f" and {rest} more" if rest > 0 else "")
