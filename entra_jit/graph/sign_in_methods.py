"""The ways in which an account can sign in: whatever a person may have registered during a grant."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, AwareDatetime, Field

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid, opaque
from entra_jit.graph.answers import Listing, Resource
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import PermanentError
from models.messages import DirectoryCall, ObjectId

PASSWORD = "password"
"""The kind that every account has. It cannot be deleted, only set to an unknown value."""

_PATHS = {
    "email": "emailMethods/{id}",
    "externalAuthentication": "externalAuthenticationMethods/{id}",
    "fido2": "fido2Methods/{id}",
    "microsoftAuthenticator": "microsoftAuthenticatorMethods/{id}",
    "phone": "phoneMethods/{id}",
    "platformCredential": "platformCredentialMethods/{id}",
    "resourceAccountKey": "resourceAccountKeyAuthenticationMethods/{id}",
    "softwareOath": "softwareOathMethods/{id}",
    "temporaryAccessPass": "temporaryAccessPassMethods/{id}",
    "windowsHelloForBusiness": "windowsHelloForBusinessMethods/{id}",
}
"""Each kind is deleted under a segment of its own; under ``methods`` nothing is."""

_PATHS_IN_BETA = {"hardwareOath": "hardwareOathMethods/{id}", "qrCodePin": "qrCodePinMethod"}
"""Kinds that v1.0 lists and does not delete. An account has one QR code at most, and it is deleted without an id."""


class SignInMethod(Resource):
    """One registered way to sign in."""

    id: str
    type: Annotated[str, Field(alias="@odata.type")]
    display_name: str | None = None
    created_at: Annotated[
        AwareDatetime | None, Field(validation_alias=AliasChoices("createdDateTime", "creationDateTime"))
    ] = None

    @property
    def kind(self) -> str:
        """``fido2``, ``phone``, ``temporaryAccessPass``, ``password``, …"""
        return self.type.removeprefix("#microsoft.graph.").removesuffix("AuthenticationMethod").removesuffix("Method")

    @property
    def is_password(self) -> bool:
        """Whether this is the password, which stays."""
        return self.kind == PASSWORD

    @property
    def is_access_pass(self) -> bool:
        """Whether this is a Temporary Access Pass. An account has one at most: a new one ends the old."""
        return self.kind == "temporaryAccessPass"


class SignInMethods:
    """The registered sign-in methods in one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list(self, user: ObjectId) -> Listing[SignInMethod]:
        """Every method of the account, the password and Temporary Access Passes included."""
        return await self._calls.listing(operations.LIST_METHODS, f"{_of(user)}/methods", SignInMethod)

    async def delete(self, method: SignInMethod, *, of: ObjectId) -> DirectoryCall:
        """Delete one method.

        ``ConflictError``: it is gone; ``DefaultMethodError``: the others go first; ``PermanentError``: the password, or
        an unknown kind.
        """
        in_beta = method.kind in _PATHS_IN_BETA
        path = (_PATHS_IN_BETA if in_beta else _PATHS).get(method.kind)
        if path is None:
            raise PermanentError(
                tenant=self._calls.tenant,
                purpose=operations.DELETE_METHOD.purpose,
                operation=f"DELETE {_of(of)}/methods/{method.id}",
                advice=f"Graph cannot delete a method of the kind {method.kind}: "
                "reset the password instead of deleting it, and remove anything else in the Entra admin center.",
            )
        path = f"{_of(of)}/{path.format(id=opaque(method.id))}"
        return (await self._calls.delete(operations.DELETE_METHOD, path, in_beta=in_beta)).evidence


def _of(user: ObjectId) -> str:
    return f"/users/{guid(user)}/authentication"
