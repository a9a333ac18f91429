"""Policies of the tenant that decide who can sign in, and how our application may prove itself. Read only."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from entra_jit.graph import operations
from entra_jit.graph.answers import Description, Listing, Resource, null_as
from entra_jit.graph.calls import Calls

Names = Annotated[tuple[str, ...], null_as([])]


class SecurityDefaults(Resource):
    """Microsoft's basic demands on every sign-in. Never on together with Conditional Access."""

    is_enabled: bool


class CredentialRestriction(Description):
    """One thing that applications' credentials may not be, or not for longer than ``max_lifetime``."""

    kind: Annotated[str, Field(alias="restrictionType")]
    """``passwordAddition``, ``passwordLifetime``, ``asymmetricKeyLifetime``, ..."""
    state: str | None = None
    """``disabled``: it is not in force. Absent in older policies, which are in force."""
    max_lifetime: timedelta | None = None


class AppRestrictions(Description):
    """What is demanded of the credentials of applications that are registered in the tenant."""

    password_credentials: Annotated[tuple[CredentialRestriction, ...], null_as([])] = ()
    key_credentials: Annotated[tuple[CredentialRestriction, ...], null_as([])] = ()


class AppManagementPolicy(Resource):
    """The tenant's default policy for the credentials of applications."""

    is_enabled: bool
    application_restrictions: Annotated[AppRestrictions, null_as({})] = AppRestrictions()


class TargetedUsers(Description):
    """Whose sign-ins a policy is about: ids, or ``All``."""

    include_users: Names = ()
    include_groups: Names = ()
    include_roles: Names = ()
    exclude_users: Names = ()
    exclude_groups: Names = ()
    exclude_roles: Names = ()


class TargetedApplications(Description):
    """Signing in to what a policy is about: client ids, ``All``, ``Office365`` or ``MicrosoftAdminPortals``."""

    include_applications: Names = ()


class Conditions(Description):
    """When a policy applies."""

    users: Annotated[TargetedUsers, null_as({})] = TargetedUsers()
    applications: Annotated[TargetedApplications, null_as({})] = TargetedApplications()
    client_app_types: Names = ()
    sign_in_risk_levels: Names = ()
    user_risk_levels: Names = ()
    authentication_flows: dict[str, object] | None = None
    locations: dict[str, object] | None = None


class AuthenticationStrength(Description):
    """Combinations of sign-in methods of which one is demanded."""

    display_name: str | None = None
    allowed_combinations: Names = ()


class GrantControls(Description):
    """What a policy demands: all of it (``AND``), or one (``OR``)."""

    operator: str | None = None
    built_in_controls: Names = ()
    authentication_strength: AuthenticationStrength | None = None


class ConditionalAccessPolicy(Resource):
    """One Conditional Access policy."""

    id: str
    display_name: str | None = None
    state: str
    """``enabled``, ``disabled`` or ``enabledForReportingButNotEnforced``."""
    conditions: Annotated[Conditions, null_as({})] = Conditions()
    grant_controls: GrantControls | None = None


class Policies:
    """The policies of one tenant."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def security_defaults(self) -> SecurityDefaults:
        """Whether security defaults are on."""
        path = "/policies/identitySecurityDefaultsEnforcementPolicy"
        return (await self._calls.get(operations.READ_POLICIES, path)).read(SecurityDefaults)

    async def app_management(self) -> AppManagementPolicy:
        """The default policy for applications' credentials; applications can be excluded from it one by one."""
        path = "/policies/defaultAppManagementPolicy"
        return (await self._calls.get(operations.READ_POLICIES, path)).read(AppManagementPolicy)

    async def conditional_access(self) -> Listing[ConditionalAccessPolicy]:
        """Every Conditional Access policy, in force or not. One call a second is allowed."""
        path = "/identity/conditionalAccess/policies"
        return await self._calls.listing(operations.READ_POLICIES, path, ConditionalAccessPolicy)
