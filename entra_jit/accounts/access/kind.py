"""What each kind of access item must be able to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from entra_jit.graph import Tenant
from models.errors import EntraJitError, ExitCode
from models.messages import AccessItem, DirectoryCall, FailureType, ObjectId
from models.sweep import FindingKind, SweepFinding


class CannotBeGivenError(EntraJitError):
    """This item must not be given: it is unsuitable, or has become so. An administrator must act in the tenant."""

    failure_type = FailureType.PERMANENT
    exit_code = ExitCode.REFUSED
    http_status = HTTPStatus.CONFLICT


@dataclass(frozen=True)
class Held:
    """One thing of a kind that an account holds."""

    id: str
    """By which it is taken away."""
    item: AccessItem
    """As grants have it. What no grant gives in this form, such as a role over one object, has an id of its own."""
    sentence: str
    """``It held the role Exchange Administrator.``"""


@dataclass(frozen=True)
class Holdings:
    """All of a kind that an account holds, by one listing of the directory, which may lag."""

    held: tuple[Held, ...]
    evidence: DirectoryCall
    cannot_be_taken: tuple[SweepFinding, ...] = ()
    """What Graph cannot take away. It is reported, and does not count as access."""

    def foreign_to(self, granted: Iterable[AccessItem]) -> list[Held]:
        """What is held and was not granted."""
        known = {item.key for item in granted}
        return [held for held in self.held if held.item.key not in known]


class Kind(Protocol):
    """A module of this package. Every verb raises ``GraphError``."""

    @property
    def FINDING(self) -> FindingKind:  # noqa: N802  # a constant of the module
        """As what a foreign item of this kind is reported."""

    @property
    def ALWAYS_EXACT(self) -> bool:  # noqa: N802  # a constant of the module
        """Before an account is opened it must hold exactly what was granted, also where nothing of the kind was.

        Of other kinds that is so for grants that have one of them; else what was planted is taken with the baseline,
        which costs no opening a call.
        """

    async def give(self, tenant: Tenant, item: AccessItem, account: ObjectId) -> DirectoryCall:
        """Give the item. Raises ``ConflictError`` where it is held already, and ``CannotBeGivenError``."""

    async def list_held(self, tenant: Tenant, account: ObjectId) -> Holdings:
        """What the account holds directly."""

    async def take(self, tenant: Tenant, held_id: str, account: ObjectId) -> DirectoryCall:
        """Take away what is held under this id. Raises ``ConflictError`` where it is gone already."""

    def expected_ids(self, items: Iterable[AccessItem], account: ObjectId) -> frozenset[str]:
        """Under which ids the account holds these items: computed, so that they need not be listed to be taken."""
