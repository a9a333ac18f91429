"""The log of sign-ins: who signed in, and whether that succeeded. It needs Entra ID P1, and is minutes behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid, literal
from entra_jit.graph.answers import Description, Listing, Resource, null_as
from entra_jit.graph.calls import Calls
from models.messages import ObjectId

MOST_ENTRIES = 200
"""Of one account since it was last looked at: an emergency account signs in a few times a year."""

NO_LICENCE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
"""The code by which a tenant without Entra ID P1 is refused."""


class SignInStatus(Description):
    """How a sign-in ended."""

    error_code: int | None = None
    """0: it succeeded."""


class SignInEntry(Resource):
    """One sign-in of a person."""

    id: str
    at: Annotated[AwareDatetime, Field(alias="createdDateTime")]
    ip_address: str | None = None
    app_display_name: str | None = None
    status: Annotated[SignInStatus, null_as({})] = SignInStatus()

    @property
    def has_succeeded(self) -> bool:
        """Whether the account was let in."""
        return self.status.error_code == 0


class SignInLogs:
    """The sign-in log of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def of(self, user: ObjectId, since: datetime) -> Listing[SignInEntry]:
        """The account's interactive sign-ins from ``since`` on, at most ``MOST_ENTRIES``.

        ``PermanentError`` with ``NO_LICENCE`` for a tenant without Entra ID P1.
        """
        span = f"createdDateTime ge {since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        query = {"$filter": f"{span} and userId eq {literal(guid(user))}"}
        return await self._calls.listing(
            operations.READ_SIGN_INS, "/auditLogs/signIns", SignInEntry, query, most=MOST_ENTRIES
        )
