"""Consent takes a while to reach the token service: what a tenant granted shows in tokens only some time later.

A token says what was known when it was made. That holds without any delay too: what is granted afterwards needs a new
token, what is withdrawn stays in the old ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.directory.directory import Change
from sandbox.directory.rows import ServicePrincipal
from sandbox.identity.behaviour import SignInBehaviour


@dataclass(frozen=True, slots=True)
class _Past:
    """What a service principal was granted until a moment."""

    until: datetime
    permissions: frozenset[str]


class Propagation:
    """Remembers what tokens still say while a change is on its way."""

    def __init__(self, clock: Clock, behaviour: SignInBehaviour) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._pasts: dict[str, list[_Past]] = {}

    def notice(self, changes: Iterable[Change]) -> None:
        """Take note of what one request changed."""
        delay = timedelta(seconds=self._behaviour.settings.permission_delay)
        if not delay:
            return
        for change in changes:
            before, after = change.before, change.row
            if not isinstance(after, ServicePrincipal):
                continue
            held = before.permissions if isinstance(before, ServicePrincipal) else frozenset[str]()
            if held != after.permissions:
                self._pasts.setdefault(after.id, []).append(_Past(self._clock.now() + delay, held))

    def permissions(self, principal: ServicePrincipal) -> frozenset[str]:
        """The app permissions that a token made now shows."""
        pasts = self._pasts.get(principal.id, [])
        now = self._clock.now()
        current = next((past.permissions for past in pasts if now < past.until), None)
        if current is None:
            self._pasts.pop(principal.id, None)
            return principal.permissions
        return current

    def forget(self) -> None:
        """Everything has arrived everywhere."""
        self._pasts.clear()
