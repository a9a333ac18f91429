"""A page says why a technician is in a group, what the group gives, and what was changed about a tenant.

A group whose members are not explained is trusted or distrusted as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from entra_jit.configuration_file import read
from entra_jit.policy.configuration_edits import Registration, SetAccess, SetRegistration, tenant_of
from entra_jit.policy.membership import gifts, memberships
from entra_jit.policy.roles import assignable_roles, describe_role, find_role, is_common
from entra_jit.policy.tenant_changes import describe_changes
from entra_jit.policy.version_changes import describe_versions

CONTOSO = UUID("c0c0c0c0-2222-4222-8222-000000000002")
CONFIGURATION = read(
    f"""
tenants:
- {{name: contoso, id: {CONTOSO}, account_domain: contoso.onmicrosoft.com}}
technicians:
- {{name: alex, id: {UUID(int=1)}, attributes: {{level: L2, site: Basel}}}}
- {{name: robin, id: {UUID(int=2)}, attributes: {{level: L2}}}}
- {{name: kim, id: {UUID(int=3)}}}
groups:
- {{name: level-2, members: [alex, kim], attributes: {{level: {{one_of: [L2, L3]}}, site: {{prefix: Ba}}}}}}
role_mappings:
- {{group: all-technicians, roles: [Reports Reader]}}
- {{group: level-2, tenant: contoso, roles: [Global Administrator]}}
""".encode(),
    "msp.yaml",
    lambda _: None,
    has_own=True,
).configuration


def test_each_member_is_there_for_a_reason() -> None:
    found = [(one.technician.name, one.because) for one in memberships(CONFIGURATION) if one.group == "level-2"]
    assert found == [
        ("alex", "By its list and by level = L2 or L3 and site beginning with Ba."),
        ("kim", "By its list."),
    ], "robin has one of the two attributes, which is not enough"
    everyone = [one.technician.name for one in memberships(CONFIGURATION) if one.group == "all-technicians"]
    assert everyone == ["alex", "robin", "kim"]


def test_what_a_group_gives_marks_what_is_privileged() -> None:
    assert [(one.group, one.tenant, one.access) for one in gifts(CONFIGURATION)] == [
        ("all-technicians", None, (("Reports Reader", False),)),
        ("level-2", "contoso", (("Global Administrator", True),)),
    ]


def test_the_history_of_a_tenant_names_what_changed_and_nothing_else() -> None:
    before = tenant_of(CONFIGURATION, CONTOSO)
    assert before is not None
    mapped = [one for one in CONFIGURATION.role_mappings if one.tenant == "contoso"]
    assert describe_changes(None, before, (), mapped) == (
        "Added to the configuration.",
        "access of level-2: nothing → Global Administrator",
    )
    after = replace(before, hours=timedelta(hours=2), tags=("retail, big",))
    less = SetAccess(group="level-2", tenant="contoso").made_to(CONFIGURATION).role_mappings
    assert describe_changes(before, after, mapped, [one for one in less if one.tenant]) == (
        "hours: 4 h → 2 h",
        "tags: nothing → retail, big",
        "access of level-2: Global Administrator → nothing",
    )
    registered = SetRegistration(
        id=CONTOSO, name="contoso", elevate=Registration(client_id=UUID(int=7), proof="certificate")
    )
    own = tenant_of(registered.made_to(CONFIGURATION), CONTOSO)
    assert describe_changes(before, own, (), ()) == (
        f"elevate: nothing → certificate of {UUID(int=7)}",
        f"revoke: nothing → certificate of {UUID(int=7)}",
    )
    assert describe_changes(before, before, mapped, mapped) == ()
    assert describe_changes(before, None, mapped, ()) == ("Removed from the configuration.",)


def test_every_role_that_can_be_chosen_is_described() -> None:
    """One that was offered by its name alone was given for what its name seems to say."""
    roles = assignable_roles().values()
    assert [role.name for role in roles if not describe_role(role).endswith(".")] == []
    assert 20 < sum(map(is_common, roles)) < 40
    assert describe_role(find_role("0a0a0a0a-1111-4111-8111-000000000001")) == ""


def test_a_saved_change_is_told_whatever_it_is_about() -> None:
    """The notice after a save, and the history, are made from the versions themselves: nothing can be left unsaid."""
    before = CONFIGURATION
    group = replace(before.groups[0], members=())
    gone = replace(before, technicians=before.technicians[1:], groups=(group, *before.groups[1:]))
    everywhere = SetAccess(group="all-technicians", roles=("Global Reader",)).made_to(gone)
    after = replace(everywhere, defaults=replace(before.defaults, hours=timedelta(hours=2)))
    said = describe_versions(before, after)
    first = before.technicians[0].name
    assert f"technician {first} removed" in said
    assert any(one.startswith(f"group {group.name}: ") and "no listed members" in one for one in said)
    assert any(one.startswith("every tenant, access of all-technicians: ") for one in said)
    assert any(one.startswith("defaults, hours: ") for one in said)
    assert describe_versions(after, after) == ()
    assert describe_versions(replace(before, tenants=()), before)[0].endswith("added to the configuration.")
