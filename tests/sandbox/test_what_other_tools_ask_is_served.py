"""What tools for service providers and Microsoft's SDK ask beside our own calls: served in full, or refused."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody
from msgraph.generated.models.assigned_license import AssignedLicense
from msgraph.generated.models.group import Group
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.reference_create import ReferenceCreate
from msgraph.generated.models.reference_update import ReferenceUpdate
from msgraph.generated.models.user import User
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

from tests.sandbox.sdk import asking
from tests.sandbox.seeded import ADELE, ADMIN, HELPDESK

pytestmark = pytest.mark.filterwarnings("ignore:This class is deprecated:DeprecationWarning")
RETAIL = "c0c0c0c0-2222-4222-8222-00000000ee01"


def reference(object_id: str) -> ReferenceCreate:
    return ReferenceCreate(odata_id=f"https://graph.microsoft.com/v1.0/directoryObjects/{object_id}")


async def made(graph: GraphServiceClient, name: str, *, unified: bool = False, security: bool = True) -> str:
    group = Group(display_name=name, mail_nickname=name, mail_enabled=unified, security_enabled=security,
                  group_types=["Unified"] if unified else [])  # fmt: skip
    return str((await graph.groups.post(group)).id)


async def refusal(call: object) -> tuple[int, str]:
    with pytest.raises(ODataError) as caught:
        await call  # type: ignore[misc]
    return caught.value.response_status_code, str(caught.value.error.message)


def eventual(**query: object) -> RequestConfiguration[object]:
    configuration = asking(**query)
    configuration.headers.add("ConsistencyLevel", "eventual")
    return configuration


async def test_a_search_and_a_relationship_by_the_sdk(microsoft: GraphServiceClient) -> None:
    found = await microsoft.users.get(eventual(search='"displayName:vance"'))
    assert [user.id for user in found.value] == [ADELE]
    one = await microsoft.users.by_user_id(ADMIN).get(asking(expand=["memberOf"]))
    assert [held.odata_type for held in one.member_of] == ["#microsoft.graph.directoryRole"]


async def test_groups_are_told_through_groups(microsoft: GraphServiceClient) -> None:
    """A membership through another group is a way in as well; transitiveMemberOf stopped at the first."""
    inner, outer = await made(microsoft, "inner"), await made(microsoft, "outer")
    office = await made(microsoft, "office", unified=True, security=False)
    await microsoft.groups.by_group_id(outer).members.ref.post(reference(inner))
    for group in (inner, office):
        await microsoft.groups.by_group_id(group).members.ref.post(reference(HELPDESK))
    helpdesk = microsoft.users.by_user_id(HELPDESK)
    direct = await helpdesk.member_of.graph_group.get()
    every = await helpdesk.transitive_member_of.graph_group.get()
    assert {group.id for group in direct.value} == {inner, office}
    assert {group.id for group in every.value} == {inner, outer, office}
    for only, expected in ((True, {inner, outer}), (False, {inner, outer, office})):
        groups = await helpdesk.get_member_groups.post(GetMemberGroupsPostRequestBody(security_enabled_only=only))
        objects = await helpdesk.get_member_objects.post(GetMemberObjectsPostRequestBody(security_enabled_only=only))
        assert set(groups.value) == expected
        assert (set(objects.value) == expected) is only, "with the role, unless security groups alone are wanted"
    asked = CheckMemberGroupsPostRequestBody(group_ids=[outer, RETAIL])
    assert (await helpdesk.check_member_groups.post(asked)).value == [outer]


async def test_objects_are_found_by_their_ids(microsoft: GraphServiceClient) -> None:
    ids = [RETAIL, ADELE, str(uuid4())]
    found = await microsoft.directory_objects.get_by_ids.post(GetByIdsPostRequestBody(ids=ids))
    assert [type(one) for one in found.value] == [Group, User]
    users = await microsoft.directory_objects.get_by_ids.post(GetByIdsPostRequestBody(ids=ids, types=["user"]))
    assert [one.id for one in users.value] == [ADELE]


async def test_what_a_role_may_do_is_not_told_as_nothing(microsoft: GraphServiceClient) -> None:
    definitions = await microsoft.role_management.directory.role_definitions.get()
    assert {one.role_permissions is None for one in definitions.value} == {True}
    asked = microsoft.role_management.directory.role_definitions.get(asking(select=["id", "rolePermissions"]))
    assert (await refusal(asked))[0] == 400


async def test_microsoft_365_groups_can_be_made_and_left(microsoft: GraphServiceClient) -> None:
    """Mail-enabled as they are: of distribution lists Graph changes no member."""
    made_id = await made(microsoft, "office", unified=True, security=False)
    group = microsoft.groups.by_group_id(made_id)
    shown = await group.get()
    assert (shown.group_types, shown.mail, shown.visibility) == (
        ["Unified"],
        "office@contoso.onmicrosoft.com",
        "Public",
    )
    await group.members.ref.post(reference(ADELE))
    await group.members.by_directory_object_id(ADELE).ref.delete()
    assert (await group.members.get()).value == []
    wanted = Group(display_name="list", mail_nickname="list", mail_enabled=True, security_enabled=False)
    assert (await refusal(microsoft.groups.post(wanted)))[0] == 400


async def test_licences_are_given_counted_and_taken(microsoft: GraphServiceClient) -> None:
    adele, (sku, *_) = microsoft.users.by_user_id(ADELE), (await microsoft.subscribed_skus.get()).value

    async def assign(add: list[UUID], remove: list[UUID]) -> None:
        licences = [AssignedLicense(sku_id=one, disabled_plans=[]) for one in add]
        await adele.assign_license.post(AssignLicensePostRequestBody(add_licenses=licences, remove_licenses=remove))

    assert "invalid usage location" in (await refusal(assign([sku.sku_id], [])))[1]
    await adele.patch(User(usage_location="DE"))
    unknown = uuid4()
    assert await refusal(assign([unknown], [])) == (
        400,
        f"License {unknown} does not correspond to a valid company License.",
    )
    await assign([sku.sku_id], [])
    assert [one.sku_id for one in (await adele.license_details.get()).value] == [sku.sku_id]
    assert [one.consumed_units for one in (await microsoft.subscribed_skus.get()).value] == [1, 0]
    await assign([], [sku.sku_id])
    assert (await adele.get(asking(select=["assignedLicenses"]))).assigned_licenses == []
    assert "does not have a corresponding license" in (await refusal(assign([], [sku.sku_id])))[1]


async def test_a_manager_is_set_shown_and_removed(microsoft: GraphServiceClient) -> None:
    adele = microsoft.users.by_user_id(ADELE)
    none = (404, "Resource 'manager' does not exist or one of its queried reference-property objects are not present.")
    assert await refusal(adele.manager.get()) == none
    await adele.manager.ref.put(ReferenceUpdate(odata_id=f"https://graph.microsoft.com/v1.0/users/{HELPDESK}"))
    assert (await adele.manager.get()).id == HELPDESK
    assert (await adele.get(asking(expand=["manager($select=id)"]))).manager.id == HELPDESK
    assert [one.id for one in (await microsoft.users.by_user_id(HELPDESK).direct_reports.get()).value] == [ADELE]
    await microsoft.users.by_user_id(HELPDESK).delete()
    assert await refusal(adele.manager.get()) == none
