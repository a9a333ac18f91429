"""Groups: what kind a group is, and putting an account in and taking it out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import JsonValue

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid
from entra_jit.graph.answers import Description, Resource, null_as
from entra_jit.graph.calls import Calls
from models.messages import DirectoryCall, ObjectId

_SELECTED = "id,displayName,securityEnabled,mailEnabled,groupTypes,isAssignableToRole,onPremisesSyncEnabled"


class Group(Description):
    """A group that an account is a member of."""

    id: ObjectId
    display_name: str | None = None
    security_enabled: bool | None = None
    mail_enabled: bool | None = None
    group_types: Annotated[tuple[str, ...], null_as([])] = ()
    is_assignable_to_role: bool | None = None
    on_premises_sync_enabled: bool | None = None
    """True: mastered by an on-premises directory."""

    @property
    def is_dynamic(self) -> bool:
        """Membership follows a rule and cannot be changed one by one."""
        return "DynamicMembership" in self.group_types

    @property
    def is_exchanges(self) -> bool:
        """A mail-enabled security group or a distribution list: Graph can neither add nor remove members.

        A Microsoft 365 group has mail, too, and its members can be changed.
        """
        return bool(self.mail_enabled) and "Unified" not in self.group_types


class GroupRead(Group, Resource):
    """A group as the directory describes it. What decides over it has no default: its absence is an error, not "no"."""

    security_enabled: bool | None
    mail_enabled: bool | None
    group_types: Annotated[tuple[str, ...], null_as([])]
    is_assignable_to_role: bool | None
    on_premises_sync_enabled: bool | None


class CreatedGroup(Resource):
    """The answer to a creation."""

    id: ObjectId


class Groups:
    """The groups of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self, group: ObjectId) -> GroupRead:
        """The group. Raises ``NotYetVisibleError`` when it is absent, deleted or too new."""
        path = f"/groups/{guid(group)}"
        return (await self._calls.get(operations.READ_GROUP, path, {"$select": _SELECTED})).read(GroupRead)

    async def create(self, name: str, nickname: str, members: Iterable[ObjectId]) -> CreatedGroup:
        """Make a security group with these members, of which Graph takes 20 at most. Each call makes another."""
        bound: list[JsonValue] = [self._calls.address(f"/directoryObjects/{guid(one)}") for one in members]
        body: dict[str, JsonValue] = {
            "displayName": name,
            "mailNickname": nickname,
            "mailEnabled": False,
            "securityEnabled": True,
            "members@odata.bind": bound,
        }
        return (await self._calls.post(operations.CREATE_GROUP, "/groups", body)).read(CreatedGroup)

    async def add_member(self, user: ObjectId, *, group: ObjectId) -> DirectoryCall:
        """Put the account into the group. Not idempotent: ``ConflictError`` when it is in it already."""
        body = {"@odata.id": self._calls.address(f"/directoryObjects/{guid(user)}")}
        path = f"/groups/{guid(group)}/members/$ref"
        return (await self._calls.post(operations.ADD_MEMBER, path, body)).evidence

    async def remove_member(self, user: ObjectId, *, group: ObjectId) -> DirectoryCall:
        """Take the account out of the group. ``ConflictError`` when it was not in it."""
        # /$ref addresses the membership. Without it the request names the account, and Graph refuses it.
        path = f"/groups/{guid(group)}/members/{guid(user)}/$ref"
        return (await self._calls.delete(operations.REMOVE_MEMBER, path)).evidence
