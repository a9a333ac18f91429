"""Temporary Access Passes: short-lived codes that stand in for password and second factor."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, SecretStr

from entra_jit.graph import operations
from entra_jit.graph.addresses import guid, opaque
from entra_jit.graph.answers import Description, Resource, null_as
from entra_jit.graph.calls import Calls
from models.messages import DirectoryCall, ObjectId, PassId

_POLICY = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
_EVERYONE = "all_users"


class PolicyTarget(Description):
    """Whom a policy covers or leaves out: a group by its id, or everyone."""

    id: str | None = None
    target_type: str | None = None
    is_registration_required: bool | None = None


class AccessPassPolicy(Resource):
    """What the tenant allows. Times are in minutes."""

    state: Literal["enabled", "disabled"]
    minimum_lifetime: Annotated[int, Field(alias="minimumLifetimeInMinutes")]
    maximum_lifetime: Annotated[int, Field(alias="maximumLifetimeInMinutes")]
    is_usable_once: Annotated[bool, null_as(value=False)] = False
    """True: passes can be used once, and no others can be made."""
    include_targets: Annotated[tuple[PolicyTarget, ...], null_as([])] = ()
    exclude_targets: Annotated[tuple[PolicyTarget, ...], null_as([])] = ()

    @property
    def covers_everyone(self) -> bool:
        """No account needs to be in a group, and none is left out."""
        return not self.exclude_targets and any(target.id == _EVERYONE for target in self.include_targets)


class AccessPass(Resource):
    """A new pass. Microsoft tells its value this once."""

    id: PassId
    value: Annotated[SecretStr, Field(alias="temporaryAccessPass")]
    starts_at: Annotated[AwareDatetime, Field(alias="startDateTime")]
    lifetime_minutes: Annotated[int, Field(alias="lifetimeInMinutes")]
    is_usable_once: Annotated[bool, null_as(value=False)] = False


class AccessPasses:
    """The Temporary Access Passes of one tenant. Listed among the other sign-in methods."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def policy(self) -> AccessPassPolicy:
        """What the tenant allows."""
        return (await self._calls.get(operations.READ_PASS_POLICY, _POLICY)).read(AccessPassPolicy)

    async def include(self, group: ObjectId, policy: AccessPassPolicy) -> DirectoryCall:
        """Let the policy, as it was read, cover the members of ``group`` too. Idempotent."""
        targets: list[JsonValue] = [
            target.model_dump(mode="json", by_alias=True, exclude_none=True) for target in policy.include_targets
        ]
        if group not in {target.id for target in policy.include_targets}:
            targets.append({"targetType": "group", "id": guid(group), "isRegistrationRequired": False})
        body: dict[str, JsonValue] = {
            "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration",
            "includeTargets": targets,
        }
        return (await self._calls.patch(operations.CHANGE_PASS_POLICY, _POLICY, body)).evidence

    async def create(self, user: ObjectId, *, lifetime_minutes: int, usable_once: bool) -> AccessPass:
        """Make a pass that works from now on; an earlier one of the account is gone then. Each call makes another.

        The lifetime must lie within the policy's. ``PermanentError`` when the policy does not cover the account.
        """
        body = {"lifetimeInMinutes": lifetime_minutes, "isUsableOnce": usable_once}
        return (await self._calls.post(operations.CREATE_PASS, _of(user), body)).read(AccessPass)

    async def delete(self, access_pass: PassId, *, of: ObjectId) -> DirectoryCall:
        """Delete a pass that need not be listed yet. ``ConflictError`` when it is gone, or too new to be seen."""
        return (await self._calls.delete(operations.DELETE_METHOD, f"{_of(of)}/{opaque(access_pass)}")).evidence


def _of(user: ObjectId) -> str:
    return f"/users/{guid(user)}/authentication/temporaryAccessPassMethods"
