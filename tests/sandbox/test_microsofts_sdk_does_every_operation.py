"""A sandbox that only our own client can talk to proves nothing: Microsoft's SDK must do every operation here.

An envelope, a type or an address that Microsoft would not send breaks the SDK's deserialisers, or leaves a property
that it knows empty; both fail here. Each operation is a function; the tests run them one by one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from msgraph import GraphServiceClient
from msgraph.generated.applications.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody as AddAppPasswordPostRequestBody,
)
from msgraph.generated.applications.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody as RemoveAppPasswordPostRequestBody,
)
from msgraph.generated.models.administrative_unit import AdministrativeUnit
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.authentication_method_state import AuthenticationMethodState
from msgraph.generated.models.authentication_phone_type import AuthenticationPhoneType
from msgraph.generated.models.conditional_access_client_app import ConditionalAccessClientApp
from msgraph.generated.models.conditional_access_condition_set import ConditionalAccessConditionSet
from msgraph.generated.models.conditional_access_policy import ConditionalAccessPolicy
from msgraph.generated.models.conditional_access_policy_state import ConditionalAccessPolicyState
from msgraph.generated.models.directory_role import DirectoryRole
from msgraph.generated.models.expiration_pattern import ExpirationPattern
from msgraph.generated.models.expiration_pattern_type import ExpirationPatternType
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_auth2_permission_grant import OAuth2PermissionGrant
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.on_premises_extension_attributes import OnPremisesExtensionAttributes
from msgraph.generated.models.password_profile import PasswordProfile
from msgraph.generated.models.phone_authentication_method import PhoneAuthenticationMethod
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.request_schedule import RequestSchedule
from msgraph.generated.models.temporary_access_pass_authentication_method import TemporaryAccessPassAuthenticationMethod
from msgraph.generated.models.temporary_access_pass_authentication_method_configuration import (
    TemporaryAccessPassAuthenticationMethodConfiguration,
)
from msgraph.generated.models.unified_role_assignment import UnifiedRoleAssignment
from msgraph.generated.models.unified_role_assignment_schedule_request import UnifiedRoleAssignmentScheduleRequest
from msgraph.generated.models.unified_role_schedule_request_actions import UnifiedRoleScheduleRequestActions
from msgraph.generated.models.user import User
from msgraph.generated.service_principals.item.add_password.add_password_post_request_body import (
    AddPasswordPostRequestBody,
)
from msgraph.generated.service_principals.item.remove_password.remove_password_post_request_body import (
    RemovePasswordPostRequestBody,
)

from sandbox.child import Addresses
from tests.certificates import Certificate
from tests.sandbox import sdk
from tests.sandbox.sdk import asking, declared_as_json
from tests.sandbox.seeded import (
    ADELE,
    ADMIN,
    CONTOSO,
    ELEVATE,
    GLOBAL_ADMINISTRATOR,
    HELPDESK,
    NORTHWIND,
    PASSWORD,
    REPORTS_READER,
    REVOKE,
    USER_ADMINISTRATOR,
)

pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")
Graph = GraphServiceClient
Operation = Callable[[GraphServiceClient], Awaitable[None]]
OPERATIONS: list[Operation] = []


def operation(run: Operation) -> Operation:
    OPERATIONS.append(run)
    return run


def reference(object_id: str) -> ReferenceCreate:
    return ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{object_id}")


async def made(graph: Graph, name: str = "sdk") -> str:
    user = User(
        account_enabled=True,
        display_name="Made by the SDK",
        mail_nickname=name,
        user_principal_name=f"{name}@contoso.onmicrosoft.com",
        password_profile=PasswordProfile(password=PASSWORD, force_change_password_next_sign_in=False),
    )
    created = await graph.users.post(user)
    assert created is not None
    assert created.id is not None
    return created.id


async def group(graph: Graph, *, assignable: bool = False) -> str:
    body = Group(
        display_name="Made by the SDK",
        mail_enabled=False,
        mail_nickname="made-by-the-sdk",
        security_enabled=True,
        is_assignable_to_role=assignable,
    )
    created = await graph.groups.post(body)
    assert created is not None
    assert created.is_assignable_to_role is (assignable or None)
    return str(created.id)


@operation
async def organization_and_domains(graph: Graph) -> None:
    (organization,) = (await graph.organization.get()).value
    assert organization.verified_domains[0].is_initial
    assert organization.tenant_type == "AAD"
    domains = (await graph.domains.get()).value
    assert {domain.id for domain in domains} == {"contoso.onmicrosoft.com", "contoso.com"}
    assert (await graph.domains.by_domain_id("contoso.com").get()).authentication_type == "Managed"


@operation
async def subscribed_skus(graph: Graph) -> None:
    skus = (await graph.subscribed_skus.get()).value
    plans = {plan.service_plan_name for sku in skus for plan in sku.service_plans}
    assert plans == {"AAD_PREMIUM", "AAD_PREMIUM_P2"}


@operation
async def users_created_read_changed_and_listed(graph: Graph) -> None:
    user = await made(graph)
    attributes = OnPremisesExtensionAttributes(extension_attribute14="entra-jit:1")
    await graph.users.by_user_id(user).patch(User(on_premises_extension_attributes=attributes, department="IT"))
    wanted = asking(
        filter="startsWith(onPremisesExtensionAttributes/extensionAttribute14,'entra-jit:')",
        select=["id", "accountEnabled", "onPremisesExtensionAttributes"],
        count=True,
    )
    wanted.headers.add("ConsistencyLevel", "eventual")
    (found,) = (await graph.users.get(wanted)).value
    assert (found.id, found.account_enabled) == (user, True)
    assert found.on_premises_extension_attributes.extension_attribute14 == "entra-jit:1"
    assert (await graph.users.by_user_id("sdk@contoso.onmicrosoft.com").get()).id == user


@operation
async def sessions_revoked_and_passwords_set(graph: Graph) -> None:
    user = await made(graph)
    assert (await graph.users.by_user_id(user).revoke_sign_in_sessions.post(declared_as_json())).value is True
    profile = PasswordProfile(password="sandbox-only-Another-2", force_change_password_next_sign_in=True)
    await graph.users.by_user_id(user).patch(User(password_profile=profile, account_enabled=False))


@operation
async def deleted_items_listed_restored_and_purged(graph: Graph) -> None:
    user = await made(graph)
    await graph.users.by_user_id(user).delete()
    (item,) = (await graph.directory.deleted_items.graph_user.get()).value
    assert item.id == user
    assert isinstance(await graph.directory.deleted_items.by_directory_object_id(user).get(), User)
    restored = await graph.directory.deleted_items.by_directory_object_id(user).restore.post(
        request_configuration=declared_as_json()
    )
    assert isinstance(restored, User)
    await graph.users.by_user_id(user).delete()
    await graph.directory.deleted_items.by_directory_object_id(user).delete()
    assert (await graph.directory.deleted_items.graph_user.get()).value == []


@operation
async def role_assignments_and_definitions(graph: Graph) -> None:
    user, roles = await made(graph), graph.role_management.directory
    asked = UnifiedRoleAssignment(principal_id=user, role_definition_id=REPORTS_READER, directory_scope_id="/")
    given = await roles.role_assignments.post(asked)
    (held,) = (await roles.role_assignments.get(asking(filter=f"principalId eq '{user}'", expand=["principal"]))).value
    assert (held.id, held.principal.id) == (given.id, user)
    assert (await roles.role_definitions.by_unified_role_definition_id(REPORTS_READER).get()).is_built_in
    await roles.role_assignments.by_unified_role_assignment_id(given.id).delete()
    with pytest.raises(ODataError):
        await roles.role_assignments.by_unified_role_assignment_id(given.id).get()


@operation
async def legacy_roles_over_the_same_rows(graph: Graph) -> None:
    user = await made(graph)
    activated = {one.role_template_id for one in (await graph.directory_roles.get()).value}
    assert REPORTS_READER not in activated
    role = await graph.directory_roles.post(DirectoryRole(role_template_id=REPORTS_READER))
    assert (await graph.directory_roles_with_role_template_id(REPORTS_READER).get()).id == role.id
    await graph.directory_roles.by_directory_role_id(role.id).members.ref.post(reference(user))
    members = (await graph.directory_roles.by_directory_role_id(role.id).members.get()).value
    assert user in {member.id for member in members if isinstance(member, User)}
    listed = await graph.role_management.directory.role_assignments.get(asking(filter=f"principalId eq '{user}'"))
    assert [held.role_definition_id for held in listed.value] == [REPORTS_READER]
    member = graph.directory_roles.by_directory_role_id(role.id).members.by_directory_object_id(user)
    await member.ref.delete()
    templates = (await graph.directory_role_templates.get()).value
    assert GLOBAL_ADMINISTRATOR in {template.id for template in templates}
    template = graph.directory_role_templates.by_directory_role_template_id(GLOBAL_ADMINISTRATOR)
    assert (await template.get()).display_name == "Global Administrator"


@operation
async def groups_with_members_and_owners(graph: Graph) -> None:
    made_group = graph.groups.by_group_id(await group(graph, assignable=True))
    await made_group.members.ref.post(reference(ADELE))
    await made_group.owners.ref.post(reference(HELPDESK))
    assert [member.id for member in (await made_group.members.get()).value] == [ADELE]
    assert [owner.id for owner in (await made_group.owners.get()).value] == [HELPDESK]
    await made_group.patch(Group(description="changed"))
    assert (await made_group.get()).description == "changed"
    await made_group.members.by_directory_object_id(ADELE).ref.delete()
    await made_group.owners.by_directory_object_id(HELPDESK).ref.delete()
    await made_group.delete()


@operation
async def memberships_of_a_user(graph: Graph) -> None:
    direct = (await graph.users.by_user_id(ADELE).member_of.get()).value
    assert [type(item).__name__ for item in direct] == ["Group"]
    roles = (await graph.users.by_user_id(ADMIN).transitive_member_of.graph_directory_role.get()).value
    assert [role.role_template_id for role in roles] == [GLOBAL_ADMINISTRATOR]


@operation
async def administrative_units_with_roles_over_them(graph: Graph) -> None:
    body = AdministrativeUnit(display_name="Stores", is_member_management_restricted=True)
    unit = await graph.directory.administrative_units.post(body)
    assert unit.is_member_management_restricted is True
    one = graph.directory.administrative_units.by_administrative_unit_id(unit.id)
    await one.members.ref.post(reference(ADELE))
    assert [member.id for member in (await one.members.get()).value] == [ADELE]
    scope = f"/administrativeUnits/{unit.id}"
    scoped = UnifiedRoleAssignment(
        principal_id=HELPDESK,
        role_definition_id=USER_ADMINISTRATOR,
        directory_scope_id=scope,
    )
    given = await graph.role_management.directory.role_assignments.post(scoped)
    assert given.directory_scope_id == scope
    (scoped_member,) = (await one.scoped_role_members.get()).value
    assert scoped_member.role_member_info.id == HELPDESK
    await one.patch(AdministrativeUnit(description="changed"))
    await one.members.by_directory_object_id(ADELE).ref.delete()
    await one.delete()


@operation
async def privileged_identity_management(graph: Graph) -> None:
    user, roles = await made(graph), graph.role_management.directory
    asked = UnifiedRoleAssignmentScheduleRequest(
        action=UnifiedRoleScheduleRequestActions.AdminAssign,
        principal_id=user,
        role_definition_id=REPORTS_READER,
        directory_scope_id="/",
        justification="a ticket",
        schedule_info=RequestSchedule(
            expiration=ExpirationPattern(type=ExpirationPatternType.AfterDuration, duration="PT4H")
        ),
    )
    request = await roles.role_assignment_schedule_requests.post(asked)
    assert request.status == "Provisioned"
    assert request.schedule_info.expiration.end_date_time is not None
    mine = asking(filter=f"principalId eq '{user}'")
    (instance,) = (await roles.role_assignment_schedule_instances.get(mine)).value
    assert instance.assignment_type == "Assigned"
    (schedule,) = (await roles.role_assignment_schedules.get(mine)).value
    assert schedule.id == request.target_schedule_id
    assert (await roles.role_eligibility_schedules.get(mine)).value == []
    assert (await roles.role_eligibility_schedule_instances.get()).value == []
    assert len((await roles.role_assignment_schedule_requests.get(mine)).value) == 1
    policies = await graph.policies.role_management_policy_assignments.get(
        asking(
            filter=f"scopeId eq '/' and scopeType eq 'DirectoryRole' and roleDefinitionId eq '{REPORTS_READER}'",
            expand=["policy($expand=rules)"],
        )
    )
    assert {rule.id for rule in policies.value[0].policy.rules} >= {"Expiration_Admin_Assignment"}


@operation
async def passes_and_methods(graph: Graph) -> None:
    authentication = graph.users.by_user_id(await made(graph)).authentication
    body = TemporaryAccessPassAuthenticationMethod(lifetime_in_minutes=60, is_usable_once=True)
    given = await authentication.temporary_access_pass_methods.post(body)
    assert len(given.temporary_access_pass) == 8
    (listed,) = (await authentication.temporary_access_pass_methods.get()).value
    assert listed.temporary_access_pass is None
    phone = PhoneAuthenticationMethod(phone_number="+1 2065555555", phone_type=AuthenticationPhoneType.Mobile)
    registered = await authentication.phone_methods.post(phone)
    kinds = {type(method).__name__ for method in (await authentication.methods.get()).value}
    assert kinds == {
        "PasswordAuthenticationMethod",
        "TemporaryAccessPassAuthenticationMethod",
        "PhoneAuthenticationMethod",
    }
    await authentication.phone_methods.by_phone_authentication_method_id(registered.id).delete()
    passes = authentication.temporary_access_pass_methods
    await passes.by_temporary_access_pass_authentication_method_id(given.id).delete()
    for empty in (
        authentication.fido2_methods,
        authentication.microsoft_authenticator_methods,
        authentication.software_oath_methods,
        authentication.email_methods,
        authentication.windows_hello_for_business_methods,
        authentication.platform_credential_methods,
    ):
        assert (await empty.get()).value == []


@operation
async def authentication_methods_policy(graph: Graph) -> None:
    policy = graph.policies.authentication_methods_policy
    assert len((await policy.get()).authentication_method_configurations) == 8
    one = policy.authentication_method_configurations.by_authentication_method_configuration_id("temporaryAccessPass")
    before = await one.get()
    assert isinstance(before, TemporaryAccessPassAuthenticationMethodConfiguration)
    assert before.state == AuthenticationMethodState.Enabled
    await one.patch(TemporaryAccessPassAuthenticationMethodConfiguration(state=AuthenticationMethodState.Disabled))
    assert (await one.get()).state == AuthenticationMethodState.Disabled


@operation
async def service_principals_and_consent(graph: Graph) -> None:
    resource = await graph.service_principals_with_app_id("00000003-0000-0000-c000-000000000000").get()
    role = next(one for one in resource.app_roles if one.value == "Domain.Read.All")
    app = (await graph.service_principals.get(asking(filter=f"appId eq '{REVOKE}'"))).value[0]
    principal = graph.service_principals.by_service_principal_id(app.id)
    wanted = AppRoleAssignment(principal_id=UUID(app.id), resource_id=UUID(resource.id), app_role_id=role.id)
    given = await principal.app_role_assignments.post(wanted)
    assert given.id in {one.id for one in (await principal.app_role_assignments.get()).value}
    await principal.app_role_assignments.by_app_role_assignment_id(given.id).delete()
    assigned = await graph.service_principals.by_service_principal_id(resource.id).app_role_assigned_to.get()
    assert {str(one.principal_id) for one in assigned.value} >= {app.id}
    secret = await principal.add_password.post(AddPasswordPostRequestBody())
    assert secret.secret_text
    await principal.remove_password.post(RemovePasswordPostRequestBody(key_id=secret.key_id))
    await principal.owners.ref.post(reference(ADELE))
    assert [owner.id for owner in (await principal.owners.get()).value] == [ADELE]
    grant = OAuth2PermissionGrant(
        client_id=app.id, consent_type="AllPrincipals", resource_id=resource.id, scope="User.Read"
    )
    created = await graph.oauth2_permission_grants.post(grant)
    listed = await graph.oauth2_permission_grants.get(asking(filter=f"clientId eq '{app.id}'"))
    assert [one.id for one in listed.value] == [created.id]
    await graph.oauth2_permission_grants.by_o_auth2_permission_grant_id(created.id).delete()


@operation
async def conditional_access(graph: Graph) -> None:
    policies = graph.identity.conditional_access.policies
    body = ConditionalAccessPolicy(
        display_name="MFA for all",
        state=ConditionalAccessPolicyState.EnabledForReportingButNotEnforced,
        conditions=ConditionalAccessConditionSet(client_app_types=[ConditionalAccessClientApp.All]),
    )
    policy = await policies.post(body)
    assert [one.id for one in (await policies.get()).value] == [policy.id]
    one = policies.by_conditional_access_policy_id(policy.id)
    await one.patch(ConditionalAccessPolicy(state=ConditionalAccessPolicyState.Disabled))
    assert (await one.get()).state == ConditionalAccessPolicyState.Disabled
    await one.delete()


@operation
async def audits_and_sign_ins(graph: Graph) -> None:
    user = await made(graph)
    audits = (await graph.audit_logs.directory_audits.get(asking(filter="activityDisplayName eq 'Add user'"))).value
    assert audits[0].initiated_by.app.display_name == "entra-jit elevate"
    assert audits[0].target_resources[0].id == user
    assert (await graph.audit_logs.sign_ins.get(asking(filter=f"userId eq '{user}'"))).value == []


@operation
async def changes_of_users_and_roles(graph: Graph) -> None:
    first = await graph.users.delta.get()
    user = await made(graph)
    second = await graph.users.delta.with_url(first.odata_delta_link).get()
    assert [one.id for one in second.value] == [user]
    roles = await graph.directory_roles.delta.get()
    assert GLOBAL_ADMINISTRATOR in {role.role_template_id for role in roles.value}


@operation
async def customers_of_a_partner(graph: Graph) -> None:
    assert (await graph.tenant_relationships.delegated_admin_customers.get()).value == []


@pytest.mark.parametrize("run", OPERATIONS, ids=lambda run: run.__name__)
async def test_microsofts_sdk_does(microsoft: GraphServiceClient, run: Operation) -> None:
    await run(microsoft)


async def test_a_certificate_opens_graph_for_the_sdk(
    addresses: Addresses, control: httpx.Client, microsoft: GraphServiceClient
) -> None:
    certificate = Certificate()
    path = f"/tenants/contoso/applications/{ELEVATE}/certificates"
    assert control.post(path, json={"pem": certificate.pem}).status_code == 200  # noqa: ASYNC212 - a child on this machine
    key = certificate.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    credential = sdk.with_certificate(addresses, ELEVATE, CONTOSO, key + certificate.pem.encode())
    async with sdk.http_client(addresses) as http:
        graph = sdk.client_of(addresses, credential, http)
        (organization,) = (await graph.organization.get()).value
        assert organization.id == CONTOSO
        await audits_and_sign_ins(graph)
        registered = await graph.applications.get()
        assert registered.value == [], "the registration lives in the provider's tenant"


async def test_the_registration_is_read_where_it_lives(addresses: Addresses, control: httpx.Client) -> None:
    grant = {"service_principals": [{"app": ELEVATE, "grant": ["Application.ReadWrite.All"]}]}
    assert control.post("/tenants/northwind", json=grant).status_code == 200  # noqa: ASYNC212 - a child on this machine
    async with sdk.http_client(addresses) as http:
        graph = sdk.client_of(addresses, sdk.with_secret(addresses, ELEVATE, NORTHWIND), http)
        found = (await graph.applications.get(asking(filter=f"appId eq '{ELEVATE}'"))).value[0]
        one = graph.applications.by_application_id(found.id)
        assert found.password_credentials[0].secret_text is None
        added = await one.add_password.post(AddAppPasswordPostRequestBody())
        assert {str(one.key_id) for one in (await one.get()).password_credentials} >= {str(added.key_id)}
        await one.remove_password.post(RemoveAppPasswordPostRequestBody(key_id=added.key_id))
        assert (await one.federated_identity_credentials.get()).value == []
        assert (await one.owners.get()).value == []
