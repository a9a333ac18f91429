"""Passkeys that an application registers for an account: the options, and what was made with them.

Graph has had both in v1.0 since April 2026. It registers none where the tenant's policy for passkeys has self-service
set-up off, although no person sets one up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, Field, JsonValue

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.answers import Description, Resource
from entra_jit.graph.calls import Calls
from models.messages import ObjectId

LONGEST_NAME = 30


class RelyingParty(Description):
    """Where the passkey will sign in. Microsoft's documents and its answers differ, so it is never assumed."""

    id: str


class PasskeyUser(Description):
    """What the passkey knows its account by."""

    id: str
    """Base64url."""


class PublicKeyOptions(Description):
    """As WebAuthn has them."""

    challenge: str
    rp: RelyingParty
    user: PasskeyUser


class CreationOptions(Resource):
    """What a passkey is made with. The challenge lasts for five minutes."""

    public_key: PublicKeyOptions


class RegisteredPasskey(Resource):
    """A passkey that the directory has taken."""

    id: str
    """By this it is listed and deleted."""


class PasskeyUse(Resource):
    """A passkey, and when it signed in last."""

    id: str
    last_used_at: Annotated[AwareDatetime | None, Field(alias="lastUsedDateTime")] = None
    """None: never, or that is not told."""


class Passkeys:
    """Registering passkeys in one tenant. Listed and deleted among the other sign-in methods."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def options(self, user: ObjectId) -> CreationOptions:
        """What the next passkey of the account is to be made with.

        ``PermanentError`` where the tenant's policy lets the account have none.
        """
        answer = await self._calls.get(operations.READ_PASSKEY_OPTIONS, f"{_of(user)}/creationOptions")
        return answer.read(CreationOptions)

    async def register(self, user: ObjectId, name: str, credential: Mapping[str, JsonValue]) -> RegisteredPasskey:
        """Register what was made with such options, under a name of at most 30 characters.

        Not idempotent: after an answer that was lost, look whether it is listed. ``PermanentError`` where the policy
        forbids such a passkey.
        """
        body: dict[str, JsonValue] = {"displayName": name[:LONGEST_NAME], "publicKeyCredential": dict(credential)}
        return (await self._calls.post(operations.REGISTER_PASSKEY, _of(user), body)).read(RegisteredPasskey)

    async def last_uses(self, user: ObjectId) -> tuple[PasskeyUse, ...]:
        """When each passkey of the account was used last. Only the beta tells; it takes no licence."""
        return (await self._calls.get(operations.LIST_METHODS, _of(user), in_beta=True)).read_each(PasskeyUse)


def _of(user: ObjectId) -> str:
    return f"/users/{guid(user)}/authentication/fido2Methods"
