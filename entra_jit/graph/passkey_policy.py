"""Which passkeys a tenant lets its accounts have: the policy for passkeys, its profiles, and for whom each one is.

A tenant that has opted in to profiles has one to three of them, each given to groups; there is no way back. In any
other tenant one set of rules holds for all who are targeted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import ConfigDict, JsonValue

from entra_jit.graph import operations
from entra_jit.graph.answers import Description, Resource, null_as
from entra_jit.graph.calls import Calls
from models.messages import DirectoryCall

EVERYONE = "all_users"
MOST_PROFILES = 3
_PATH = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2"


class _WrittenBack(Description):
    """Part of a list that is written as a whole: what we do not know of it must not get lost."""

    model_config = ConfigDict(extra="allow")

    def written(self) -> dict[str, JsonValue]:
        """As it was read."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class KeyRestrictions(_WrittenBack):
    """Which models of authenticators may be registered and used."""

    is_enforced: Annotated[bool, null_as(value=False)] = False
    enforcement_type: str | None = None
    """``allow`` or ``block``."""
    aa_guids: Annotated[tuple[str, ...], null_as([])] = ()

    def take(self, aaguid: str) -> bool:
        """Whether this model may be registered and used. A kind of restriction that is not known takes none."""
        if not self.is_enforced:
            return True
        is_listed = aaguid.lower() in {one.lower() for one in self.aa_guids}
        return is_listed if self.enforcement_type == "allow" else self.enforcement_type == "block" and not is_listed


class PasskeyProfile(_WrittenBack):
    """One set of rules."""

    id: str
    name: str | None = None
    passkey_types: Annotated[str, null_as("")] = ""
    """``deviceBound``, ``synced``, or both with a comma between."""
    attestation_enforcement: str | None = None
    """``disabled``, or ``registrationOnly``: only models that their makers vouch for, none that is software."""
    key_restrictions: Annotated[KeyRestrictions, null_as({})] = KeyRestrictions()


class PasskeyTarget(_WrittenBack):
    """Whom the policy covers or leaves out."""

    id: str
    allowed_passkey_profiles: Annotated[tuple[str, ...], null_as([])] = ()
    """Ids of profiles; empty: the default profile."""


class PasskeyPolicy(Resource):
    """What the tenant allows of passkeys (FIDO2)."""

    state: str
    """``enabled`` or ``disabled``."""
    is_self_service_registration_allowed: Annotated[bool, null_as(value=False)] = False
    """Off, also an application cannot register one for a user."""
    is_attestation_enforced: Annotated[bool, null_as(value=False)] = False
    key_restrictions: Annotated[KeyRestrictions, null_as({})] = KeyRestrictions()
    passkey_profiles: Annotated[tuple[PasskeyProfile, ...], null_as([])] = ()
    default_passkey_profile: str | None = None
    include_targets: Annotated[tuple[PasskeyTarget, ...], null_as([])] = ()
    exclude_targets: Annotated[tuple[PasskeyTarget, ...], null_as([])] = ()

    @property
    def is_enabled(self) -> bool:
        """Whether there is anything to sign in with."""
        return self.state == "enabled"

    def leaves_out(self, groups: Collection[str]) -> bool:
        """Whether an account of these groups is excluded, whatever else it is in."""
        return any(target.id in groups for target in self.exclude_targets)

    def profiles_for(self, groups: Collection[str]) -> tuple[PasskeyProfile, ...]:
        """The rules that an account of these groups has passkeys by; empty: it is not targeted, or excluded.

        Where the tenant has no profiles, the policy's own settings are one.
        """
        targets = [target for target in self.include_targets if target.id == EVERYONE or target.id in groups]
        if self.leaves_out(groups) or not targets:
            return ()
        if not self.passkey_profiles:
            return (self._without_profiles(),)
        default = (self.default_passkey_profile,) if self.default_passkey_profile else ()
        wanted = {one for target in targets for one in target.allowed_passkey_profiles or default}
        return tuple(profile for profile in self.passkey_profiles if profile.id in wanted)

    def _without_profiles(self) -> PasskeyProfile:
        return PasskeyProfile(
            id="",
            passkey_types="deviceBound" if self.is_attestation_enforced else "deviceBound,synced",
            attestation_enforcement="registrationOnly" if self.is_attestation_enforced else "disabled",
            key_restrictions=self.key_restrictions,
        )


class PasskeyPolicies:
    """The passkey policy of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def get(self) -> PasskeyPolicy:
        """The policy as it is now."""
        return (await self._calls.get(operations.READ_PASSKEY_POLICY, _PATH)).read(PasskeyPolicy)

    async def change(self, **settings: JsonValue) -> DirectoryCall:
        """Change these settings, by Graph's names; a list replaces the whole list. Idempotent."""
        body: dict[str, JsonValue] = {"@odata.type": "#microsoft.graph.fido2AuthenticationMethodConfiguration"}
        return (await self._calls.patch(operations.CHANGE_PASSKEY_POLICY, _PATH, body | settings)).evidence
