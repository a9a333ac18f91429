"""Accounts: found, made, opened, closed and marked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, SecretStr

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid, literal, user_principal_name
from entra_jit.graph.answers import Resource
from entra_jit.graph.calls import Calls
from entra_jit.graph.errors import NotYetVisibleError
from entra_jit.graph.groups import Group
from models.errors import InternalError
from models.messages import DirectoryCall, ObjectId

_SELECTED = ",".join(
    (
        "id",
        "userPrincipalName",
        "displayName",
        "accountEnabled",
        "userType",
        "onPremisesSyncEnabled",
        "isManagementRestricted",
        "createdDateTime",
        "lastPasswordChangeDateTime",
        "signInSessionsValidFromDateTime",
        "onPremisesExtensionAttributes",
    )
)
_PAGE = "999"
_ATTRIBUTE_COUNT = 15


def _numbered(attributes: object) -> object:
    """``{"extensionAttribute2": "x", "extensionAttribute3": None}`` becomes ``{2: "x"}``."""
    if not isinstance(attributes, Mapping):
        return {} if attributes is None else attributes
    prefix = "extensionAttribute"
    return {int(name.removeprefix(prefix)): value for name, value in attributes.items() if value is not None}


class User(Resource):
    """An account as the directory holds it. What decides over it has no default: its absence is an error, not "no"."""

    id: ObjectId
    user_principal_name: str
    display_name: str | None = None
    account_enabled: bool
    user_type: str | None
    """``Member`` or ``Guest``; None on old members."""
    on_premises_sync_enabled: bool | None
    """True: mastered by an on-premises directory, so not ours."""
    extension_attributes: Annotated[
        Mapping[int, str], Field(alias="onPremisesExtensionAttributes"), BeforeValidator(_numbered)
    ]
    """The extension attributes that have a value, by number, 1 to 15."""
    is_management_restricted: bool | None = None
    """True: inside a restricted administrative unit, where only roles given at that unit count."""
    created_at: Annotated[AwareDatetime | None, Field(alias="createdDateTime")] = None
    last_password_change: Annotated[AwareDatetime | None, Field(alias="lastPasswordChangeDateTime")] = None
    sign_in_sessions_valid_from: Annotated[AwareDatetime | None, Field(alias="signInSessionsValidFromDateTime")] = None

    @property
    def is_guest(self) -> bool:
        """Whether another tenant or identity provider signs it in. What has no type is an old member."""
        return self.user_type == "Guest"


class NewUser(BaseModel):
    """An account to be made. It is made disabled: it is opened when everything else about it is right."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    user_principal_name: str
    display_name: Annotated[str, Field(min_length=1, max_length=256)]
    mail_nickname: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    extension_attributes: Mapping[int, str] = {}
    employee_type: str | None = None
    department: str | None = None


class CreatedUser(Resource):
    """The answer to a creation. It does not tell the account's state; ``get`` does, once it is visible."""

    id: ObjectId


class Memberships(Resource):
    """The groups that an account is a direct member of. Roles are listed by ``roles``, at every scope."""

    groups: tuple[Group, ...]


class Users:
    """The accounts of one tenant. Ids are object ids (GUIDs); names change, ids do not."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, user: ObjectId) -> User:
        """The account. Raises ``NotYetVisibleError`` when it is absent, deleted or too new."""
        answer = await self._calls.get(operations.READ_USER, _at(user), {"$select": _SELECTED})
        return answer.read(User)

    async def find(self, name: str) -> User | None:
        """The account with this user principal name; None may also mean that it is too new to be seen."""
        path = f"/users/{user_principal_name(name)}"
        try:
            answer = await self._calls.get(operations.READ_USER, path, {"$select": _SELECTED})
        except NotYetVisibleError as error:
            if error.status == 404:
                return None
            raise
        return answer.read(User)

    async def tagged(self, attribute: int, prefix: str) -> AsyncIterator[User]:
        """Every account whose extension attribute starts with ``prefix``, page by page.

        Only the index that is behind knows extension attributes: what it says of an account may be minutes old, and
        an account that is too new is not among them. Good for sweeping, not for confirming.
        """
        named = f"onPremisesExtensionAttributes/{_attribute(attribute)}"
        query = {"$filter": f"startsWith({named},{literal(prefix)})", "$select": _SELECTED, "$top": _PAGE}
        async for page in self._calls.pages(operations.LIST_USERS, "/users", query, advanced=True):
            for user in page.read_each(User):
                yield user

    async def named(self, prefix: str) -> AsyncIterator[User]:
        """Every account whose user principal name starts with ``prefix``, page by page; the directory answers."""
        query = {"$filter": f"startsWith(userPrincipalName,{literal(prefix)})", "$select": _SELECTED, "$top": _PAGE}
        async for page in self._calls.pages(operations.LIST_USERS, "/users", query):
            for user in page.read_each(User):
                yield user

    async def create(self, user: NewUser, password: SecretStr) -> CreatedUser:
        """Make an account, disabled. Not idempotent: ``ConflictError`` says that the name is taken; read by whom.

        A soft-deleted account does not hold its name.
        """
        body: dict[str, JsonValue] = {
            "accountEnabled": False,
            "userPrincipalName": user.user_principal_name,
            "displayName": user.display_name,
            "mailNickname": user.mail_nickname,
            "passwordProfile": {"password": password.get_secret_value(), "forceChangePasswordNextSignIn": False},
        }
        if user.extension_attributes:
            body["onPremisesExtensionAttributes"] = _attributes(user.extension_attributes)
        if user.employee_type:
            body["employeeType"] = user.employee_type
        if user.department:
            body["department"] = user.department
        return (await self._calls.post(operations.CREATE_USER, "/users", body)).read(CreatedUser)

    async def enable(self, user: ObjectId, attributes: Mapping[int, str | None] | None = None) -> DirectoryCall:
        """Let the account sign in and set extension attributes, in one write: both happen or neither. Idempotent."""
        body: dict[str, JsonValue] = {"accountEnabled": True}
        if attributes:
            body["onPremisesExtensionAttributes"] = _attributes(attributes)
        return (await self._calls.patch(operations.ENABLE_USER, _at(user), body)).evidence

    async def disable(self, user: ObjectId) -> DirectoryCall:
        """Keep the account from signing in anew. Idempotent.

        Sessions and tokens that exist are another matter: see ``revoke_sessions``.
        """
        return (await self._calls.patch(operations.DISABLE_USER, _at(user), {"accountEnabled": False})).evidence

    async def set_password(self, user: ObjectId, password: SecretStr, *, force_change: bool) -> DirectoryCall:
        """Reset the password, and thereby end sessions that rest on the old one. Idempotent.

        A write of its own: the permission is another than that to enable or disable.
        """
        profile: JsonValue = {"password": password.get_secret_value(), "forceChangePasswordNextSignIn": force_change}
        return (await self._calls.patch(operations.SET_PASSWORD, _at(user), {"passwordProfile": profile})).evidence

    async def set_attributes(self, user: ObjectId, attributes: Mapping[int, str | None]) -> DirectoryCall:
        """Set extension attributes by number, 1 to 15; None clears. Those not named stay. Idempotent."""
        body: dict[str, JsonValue] = {"onPremisesExtensionAttributes": _attributes(attributes)}
        return (await self._calls.patch(operations.SET_ATTRIBUTES, _at(user), body)).evidence

    async def revoke_sessions(self, user: ObjectId) -> DirectoryCall:
        """End every session: refresh tokens and cookies from before now are void. Idempotent.

        Access tokens already issued live on for up to 90 minutes where a service does not check continuously.
        """
        return (await self._calls.post(operations.REVOKE_SESSIONS, f"{_at(user)}/revokeSignInSessions")).evidence

    async def delete(self, user: ObjectId) -> DirectoryCall:
        """Move the account into the bin, from where an administrator can restore it for 30 days.

        Raises ``NotYetVisibleError`` for one that is there already. The deletion shows after seconds to minutes.
        """
        return (await self._calls.delete(operations.DELETE_USER, _at(user))).evidence

    async def memberships(self, user: ObjectId) -> Memberships:
        """The groups that the account is a direct member of."""
        groups: list[JsonValue] = []
        async for page in self._calls.pages(operations.READ_MEMBERSHIPS, f"{_at(user)}/memberOf"):
            groups += [dict(item) for item in page.items() if item.get("@odata.type") == "#microsoft.graph.group"]
        return page.read_as(Memberships, groups=groups)


def _at(user: ObjectId) -> str:
    return f"/users/{guid(user)}"


def _attribute(number: int) -> str:
    if not 1 <= number <= _ATTRIBUTE_COUNT:
        raise InternalError("extension attributes are numbered 1 to 15")
    return f"extensionAttribute{number}"


def _attributes(values: Mapping[int, str | None]) -> dict[str, JsonValue]:
    return {_attribute(number): value for number, value in values.items()}
