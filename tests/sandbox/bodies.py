"""What each operation of Graph is sent, as Microsoft's SDK for Python has it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from kiota_abstractions.serialization import Parsable
from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody as AddApplicationsPassword,
)
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody as RemoveApplicationsPassword,
)
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody
from msgraph.generated.models.administrative_unit import AdministrativeUnit
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.models.authentication_phone_type import AuthenticationPhoneType
from msgraph.generated.models.conditional_access_client_app import ConditionalAccessClientApp
from msgraph.generated.models.conditional_access_condition_set import ConditionalAccessConditionSet
from msgraph.generated.models.conditional_access_policy import ConditionalAccessPolicy
from msgraph.generated.models.conditional_access_policy_state import ConditionalAccessPolicyState
from msgraph.generated.models.directory_role import DirectoryRole
from msgraph.generated.models.email_authentication_method import EmailAuthenticationMethod
from msgraph.generated.models.expiration_pattern import ExpirationPattern
from msgraph.generated.models.expiration_pattern_type import ExpirationPatternType
from msgraph.generated.models.federated_identity_credential import FederatedIdentityCredential
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_auth2_permission_grant import OAuth2PermissionGrant
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.phone_authentication_method import PhoneAuthenticationMethod
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.reference_update import ReferenceUpdate
from msgraph.generated.models.request_schedule import RequestSchedule
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.temporary_access_pass_authentication_method import TemporaryAccessPassAuthenticationMethod
from msgraph.generated.models.temporary_access_pass_authentication_method_configuration import (
    TemporaryAccessPassAuthenticationMethodConfiguration,
)
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.models.unified_role_assignment_schedule_request import UnifiedRoleAssignmentScheduleRequest
from msgraph.generated.models.unified_role_eligibility_schedule_request import UnifiedRoleEligibilityScheduleRequest
from msgraph.generated.models.unified_role_schedule_request_actions import UnifiedRoleScheduleRequestActions
from msgraph.generated.models.user import User
from msgraph.generated.service_principals.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody,
)
from msgraph.generated.service_principals.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)
from msgraph.generated.users.item.assign_license.assign_license_post_request_body import AssignLicensePostRequestBody
from msgraph.generated.users.item.check_member_groups.check_member_groups_post_request_body import (
    CheckMemberGroupsPostRequestBody,
)
from msgraph.generated.users.item.get_member_groups.get_member_groups_post_request_body import (
    GetMemberGroupsPostRequestBody,
)
from msgraph.generated.users.item.get_member_objects.get_member_objects_post_request_body import (
    GetMemberObjectsPostRequestBody,
)

from sandbox.graph.app_roles import app_role_ids
from tests.sandbox.seeded import PASSWORD, REPORTS_READER, REVOKE

if TYPE_CHECKING:
    from tests.sandbox.operands import Directory

MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
KIM = "0a0a0a0a-1111-4111-8111-0000000000a3"

Body = Callable[["Directory"], Awaitable[Parsable]]


def plain(make: Callable[[], Parsable]) -> Body:
    """A body that names nothing of the directory."""

    async def body(_: Directory) -> Parsable:
        return make()

    return body


async def kim(_: Directory) -> Parsable:
    """A reference to an account of the directory."""
    return ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{KIM}")


async def role_assignment(here: Directory) -> Parsable:
    user = await here.made("/users")
    return UnifiedRoleAssignment(principal_id=user, role_definition_id=REPORTS_READER, directory_scope_id="/")


def role_request(kind: str, *, later: timedelta = timedelta(0)) -> Body:
    """Ask for a role for four hours from now, or from a while later."""
    request = {
        "roleAssignment": UnifiedRoleAssignmentScheduleRequest,
        "roleEligibility": UnifiedRoleEligibilityScheduleRequest,
    }[kind]

    async def body(here: Directory) -> Parsable:
        ends = ExpirationPattern(type=ExpirationPatternType.AfterDuration, duration="PT4H")
        return request(
            action=UnifiedRoleScheduleRequestActions.AdminAssign,
            principal_id=await here.made("/users"),
            role_definition_id=REPORTS_READER,
            directory_scope_id="/",
            justification="a ticket",
            schedule_info=RequestSchedule(start_date_time=datetime.now(UTC) + later, expiration=ends),
        )

    return body


async def permission(here: Directory) -> Parsable:
    """A permission of Microsoft Graph for an application that has it not."""
    return AppRoleAssignment(
        principal_id=UUID(await here.principal(REVOKE)),
        resource_id=UUID(await here.principal(MICROSOFT_GRAPH)),
        app_role_id=UUID(app_role_ids()["Domain.Read.All"]),
    )


async def delegated_permission(here: Directory) -> Parsable:
    return OAuth2PermissionGrant(
        client_id=await here.principal(REVOKE),
        consent_type="AllPrincipals",
        resource_id=await here.principal(MICROSOFT_GRAPH),
        scope="User.Read",
    )


async def new_principal(here: Directory) -> Parsable:
    """Of an application whose principal has just been deleted."""
    await here.graph.service_principals.by_service_principal_id(await here.principal(REVOKE)).delete()
    return ServicePrincipal(app_id=REVOKE)


async def secret_of_application(here: Directory) -> Parsable:
    one = await here.builder("/applications/{application}")
    added = await one.add_password.post(AddApplicationsPassword())
    return RemoveApplicationsPassword(key_id=added.key_id)


async def secret_of_principal(here: Directory) -> Parsable:
    one = await here.builder("/servicePrincipals/{principal}")
    added = await one.add_password.post(AddPasswordPostRequestBody())
    return RemovePasswordPostRequestBody(key_id=added.key_id)


async def user(_: Directory) -> Parsable:
    name = f"made-{secrets.token_hex(4)}"
    return User(
        account_enabled=True,
        display_name="Made by the SDK",
        mail_nickname=name,
        usage_location="DE",
        user_principal_name=f"{name}@northwindmsp.com",
        password_profile=PasswordProfile(password=PASSWORD, force_change_password_next_sign_in=False),
    )


async def licence(here: Directory) -> Parsable:
    """The first licence that the tenant has."""
    sku = (await here.graph.subscribed_skus.get()).value[0].sku_id
    return AssignLicensePostRequestBody(
        add_licenses=[AssignedLicense(sku_id=sku, disabled_plans=[])], remove_licenses=[]
    )


BODIES: dict[str, Body] = {
    "POST /applications/{application}/addPassword": plain(AddApplicationsPassword),
    "POST /applications/{application}/federatedIdentityCredentials": plain(
        lambda: FederatedIdentityCredential(
            name="ci", issuer="https://issuer.example", subject="ci", audiences=["api://AzureADTokenExchange"]
        )
    ),
    "PATCH /applications/{application}/federatedIdentityCredentials/{credential}": plain(
        lambda: FederatedIdentityCredential(subject="another")
    ),
    "POST /applications/{application}/owners/$ref": kim,
    "POST /applications/{application}/removePassword": secret_of_application,
    "POST /directory/administrativeUnits": plain(lambda: AdministrativeUnit(display_name="Stores")),
    "PATCH /directory/administrativeUnits/{unit}": plain(lambda: AdministrativeUnit(description="changed")),
    "POST /directory/administrativeUnits/{unit}/members/$ref": kim,
    "POST /directoryRoles": plain(lambda: DirectoryRole(role_template_id=REPORTS_READER)),
    "POST /directoryRoles/{role}/members/$ref": kim,
    "POST /directoryObjects/getByIds": plain(lambda: GetByIdsPostRequestBody(ids=[KIM], types=["user"])),
    "POST /groups": plain(
        lambda: Group(
            display_name="Made by the SDK",
            mail_enabled=False,
            mail_nickname="made",
            security_enabled=True,
            is_assignable_to_role=True,
        )
    ),
    "PATCH /groups/{group}": plain(lambda: Group(description="changed")),
    "POST /groups/{group}/members/$ref": kim,
    "POST /groups/{group}/owners/$ref": kim,
    "POST /identity/conditionalAccess/policies": plain(
        lambda: ConditionalAccessPolicy(
            display_name="MFA for all",
            state=ConditionalAccessPolicyState.Disabled,
            conditions=ConditionalAccessConditionSet(client_app_types=[ConditionalAccessClientApp.All]),
        )
    ),
    "PATCH /identity/conditionalAccess/policies/{policy}": plain(lambda: ConditionalAccessPolicy(display_name="MFA")),
    "POST /oauth2PermissionGrants": delegated_permission,
    "PATCH /oauth2PermissionGrants/{grant}": plain(lambda: OAuth2PermissionGrant(scope="User.Read openid")),
    "PATCH /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/{configuration}": plain(
        lambda: TemporaryAccessPassAuthenticationMethodConfiguration(default_length=12)
    ),
    "POST /roleManagement/directory/roleAssignments": role_assignment,
    "POST /roleManagement/directory/roleAssignmentScheduleRequests": role_request(
        "roleAssignment", later=timedelta(hours=1)
    ),
    "POST /roleManagement/directory/roleEligibilityScheduleRequests": role_request(
        "roleEligibility", later=timedelta(hours=1)
    ),
    "POST /servicePrincipals": new_principal,
    "PATCH /servicePrincipals/{principal}": plain(lambda: ServicePrincipal(account_enabled=False)),
    "POST /servicePrincipals/{principal}/addPassword": plain(AddPasswordPostRequestBody),
    "POST /servicePrincipals/{principal}/appRoleAssignedTo": permission,
    "POST /servicePrincipals/{principal}/appRoleAssignments": permission,
    "POST /servicePrincipals/{principal}/owners/$ref": kim,
    "POST /servicePrincipals/{principal}/removePassword": secret_of_principal,
    "POST /users": user,
    "POST /users/{user}/assignLicense": licence,
    "POST /users/{user}/checkMemberGroups": plain(lambda: CheckMemberGroupsPostRequestBody(group_ids=[KIM])),
    "POST /users/{user}/getMemberGroups": plain(lambda: GetMemberGroupsPostRequestBody(security_enabled_only=True)),
    "POST /users/{user}/getMemberObjects": plain(lambda: GetMemberObjectsPostRequestBody(security_enabled_only=True)),
    "PUT /users/{user}/manager/$ref": plain(
        lambda: ReferenceUpdate(odata_id=f"https://graph.microsoft.com/v1.0/users/{KIM}")
    ),
    "PATCH /users/{user}": plain(lambda: User(department="IT")),
    "POST /users/{user}/authentication/emailMethods": plain(
        lambda: EmailAuthenticationMethod(email_address="made@example.net")
    ),
    "POST /users/{user}/authentication/phoneMethods": plain(
        lambda: PhoneAuthenticationMethod(phone_number="+1 2065555555", phone_type=AuthenticationPhoneType.Mobile)
    ),
    "POST /users/{user}/authentication/temporaryAccessPassMethods": plain(
        lambda: TemporaryAccessPassAuthenticationMethod(lifetime_in_minutes=60)
    ),
}
"""By method and path. Actions that are not listed take no body."""
