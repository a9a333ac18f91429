"""A page changes what it says and nothing else, and what it saves is what `export` writes and `apply` reads.

A page that lost a comma of a tag, or another admin's mapping, would change who may do what unseen.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from entra_jit.configuration_file import read, write
from entra_jit.policy.arrivals import access_of_arrivals
from entra_jit.policy.configuration import Configuration, SecurityGroupEntry
from entra_jit.policy.configuration_edits import (
    Edit,
    Registration,
    RemoveGroup,
    RemoveTechnician,
    RemoveTenant,
    SetAccess,
    SetDefaults,
    SetGroup,
    SetRegistration,
    SetTechnician,
    SetTenant,
    make_edits,
    read_edits,
    secrets_needed,
    tenant_of,
    write_edits,
)
from entra_jit.policy.entitlement import ALL_TECHNICIANS, AttributeRule, AttributeTest
from entra_jit.web.changes import by_lines, read_attributes, read_rules
from entra_jit.web.tenant_terms import Limits, limits_of, terms_of
from models.errors import BadInputError
from tests.configuration_file.test_what_is_written_is_read_again import DURATIONS, LABELS, NAMES, configurations

EDITED_LIMITS = {"hours", "max_hours", "credential", "canary", "emergency_accounts", "emergency_rotation"}
ROLES = st.lists(st.sampled_from(["Reports Reader", "Global Administrator"]), unique=True, max_size=2).map(tuple)


def again(configuration: Configuration) -> Configuration:
    """What the reader of files makes of what the page writes."""
    return read(write(configuration).encode(), "page", lambda _: SecretStr("x"), has_own=True).configuration


@st.composite
def edits(draw: st.DrawFn, configuration: Configuration) -> Edit:
    """A change of something that is there, or of something new."""
    new = draw(st.uuids())
    tenant_id = draw(st.sampled_from([new, *(one.id for one in configuration.tenants)]))
    hours, longest = sorted([draw(DURATIONS), draw(DURATIONS)])
    terms = SetTenant(
        id=tenant_id,
        name=draw(NAMES),
        display_name=draw(LABELS),
        account_domain="new.onmicrosoft.com",
        hours=hours,
        max_hours=longest,
        credential=draw(st.sampled_from(["auto", "password"])),
        canary=draw(st.sampled_from(["never", "weekly"])),
        tags=draw(st.lists(LABELS, max_size=2, unique=True).map(tuple)),
        account_prefix=draw(st.sampled_from([None, "it-"])),
        security_groups=draw(st.sampled_from([None, (SecurityGroupEntry("VPN: users", new),)])),
        emergency_accounts=draw(st.sampled_from([None, 0, 1, 2])),
        emergency_rotation=draw(st.none() | st.integers(1, 365).map(lambda days: timedelta(days=days))),
    )
    limits = terms.model_dump(include=EDITED_LIMITS)
    defaults = SetDefaults(account_prefix="it-", follow=draw(st.booleans()), **limits)
    tenants = [one.name for one in configuration.tenants]
    groups = [one.name for one in configuration.groups]
    access = SetAccess(
        group=draw(st.sampled_from([ALL_TECHNICIANS, *groups])),
        tenant=draw(st.sampled_from([None, *tenants])),
        roles=draw(ROLES),
    )
    person = SetTechnician(id=new, name=draw(NAMES), display_name=draw(LABELS), attributes={"site": draw(LABELS)})
    leaver, tenant = configuration.technicians[0], configuration.tenants[0]
    registration = SetRegistration(
        id=tenant.id, name=tenant.name, elevate=Registration(client_id=new, proof=draw(st.sampled_from(["secret"])))
    )
    group = SetGroup(name=draw(NAMES), members=(leaver.name,))
    removals = [RemoveTechnician(id=leaver.id, name=leaver.name), RemoveTenant(id=tenant.id, name=tenant.name)]
    removals += [RemoveGroup(name=name) for name in groups]
    return draw(st.sampled_from([terms, defaults, access, person, registration, group, *removals]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.data())
def test_any_change_is_read_as_it_was_made_or_refused_as_a_whole(data: st.DataObject) -> None:
    before = data.draw(configurations())
    edit = data.draw(edits(before))
    assert read_edits(write_edits([edit])) == (edit,), "as it travels from page to page"
    after = edit.made_to(before)
    assert edit.made_to(after) == after, "made twice it is made once"
    try:
        found = again(after)
    except BadInputError:
        return  # a name that is taken, an attribute that is gone: the reader has said so
    assert found == after


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(configurations(), ROLES)
def test_what_a_group_has_in_one_tenant_changes_nothing_elsewhere(
    before: Configuration, roles: tuple[str, ...]
) -> None:
    tenant = before.tenants[0].name
    after = SetAccess(group=ALL_TECHNICIANS, tenant=tenant, roles=roles).made_to(before)
    assert replace(after, role_mappings=()) == replace(before, role_mappings=())
    here = (ALL_TECHNICIANS, tenant)
    assert [one for one in after.role_mappings if (one.group, one.tenant) != here] == [
        one for one in before.role_mappings if (one.group, one.tenant) != here
    ]
    assert [one.roles for one in after.role_mappings if (one.group, one.tenant) == here] == ([roles] if roles else [])


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(configurations())
def test_a_form_that_is_sent_as_it_stands_changes_nothing(configuration: Configuration) -> None:
    """Durations and tags are typed in fields: what was not touched comes back as it was."""
    for tenant in configuration.tenants:
        form = terms_of(tenant)
        assert form.edit(tenant.id).made_to(configuration) == configuration
        fewer = form.model_copy(update={"emergency_accounts": "0", "emergency_rotation_days": "7"})
        after = tenant_of(fewer.edit(tenant.id).made_to(configuration), tenant.id)
        assert after == replace(tenant, emergency_accounts=0, emergency_rotation=timedelta(days=7))
    defaults = Limits(**limits_of(configuration.defaults))
    assert SetDefaults(**defaults.limits(), follow=True).made_to(configuration) == configuration


CONTOSO, FABRIKAM = uuid4(), uuid4()
BASE = read(
    f"""
tenants:
- {{name: contoso, id: {CONTOSO}, account_domain: contoso.onmicrosoft.com}}
technicians:
- {{name: alex, id: {UUID(int=1)}, attributes: {{site: "Basel, CH"}}}}
- {{name: robin, id: {UUID(int=2)}}}
groups:
- {{name: level-2, members: [alex, robin]}}
role_mappings:
- {{group: all-technicians, roles: [Reports Reader]}}
- {{group: level-2, tenant: contoso, roles: [Global Administrator]}}
""".encode(),
    "base",
    lambda _: None,
    has_own=True,
).configuration


def terms(tenant_id: UUID, name: str) -> SetTenant:
    """A tenant with everything as it is by default."""
    return SetTenant(
        id=tenant_id,
        name=name,
        display_name=name,
        account_domain=f"{name}.onmicrosoft.com",
        hours=timedelta(hours=4),
        max_hours=timedelta(hours=8),
        credential="auto",
        canary="never",
    )


def test_a_new_tenants_emergency_accounts_are_said() -> None:
    new = terms(FABRIKAM, "fabrikam").model_copy(update={"emergency_accounts": 2})
    assert new.said.endswith("at most, emergency accounts: 2.")
    assert tenant_of(new.made_to(BASE), FABRIKAM).emergency_accounts == 2  # type: ignore[union-attr]


def test_mappings_follow_a_tenant_that_is_renamed_and_leave_with_it() -> None:
    renamed = terms(CONTOSO, "contoso-ltd").made_to(BASE)
    assert [one.tenant for one in renamed.role_mappings] == [None, "contoso-ltd"]
    removed = RemoveTenant(id=CONTOSO, name="what it was called once").made_to(renamed)
    assert (removed.tenants, [one.group for one in removed.role_mappings]) == ((), [ALL_TECHNICIANS])


def test_tenants_follow_the_defaults_that_they_had() -> None:
    """In a file a default is what tenants have that say nothing else; a page must not make each of them say it."""
    own = replace(BASE.tenants[0], id=FABRIKAM, name="fabrikam", max_hours=timedelta(hours=6))
    before = replace(BASE, tenants=(*BASE.tenants, own))
    change = {"account_prefix": "msp-", "hours": timedelta(hours=2), "max_hours": timedelta(hours=5)}
    change |= {"emergency_accounts": 1, "emergency_rotation": timedelta(days=30)}
    edit = SetDefaults(**change, credential="auto", canary="never", follow=True)
    found = [(one.hours, one.max_hours) for one in edit.made_to(before).tenants]
    assert found == [(timedelta(hours=2), timedelta(hours=5)), (timedelta(hours=2), timedelta(hours=6))]
    assert {one.emergency_accounts for one in edit.made_to(before).tenants} == {1}
    assert "hours: 2" in write(edit.made_to(before)).partition("tenants:")[0]
    kept = edit.model_copy(update={"follow": False}).made_to(before)
    assert kept.tenants == before.tenants
    assert again(kept) == kept


def test_a_leaver_is_in_no_list() -> None:
    after = RemoveTechnician(id=UUID(int=2), name="robin").made_to(BASE)
    assert [one.members for one in after.groups] == [("alex",)]
    assert again(after) == after


def test_a_group_that_does_not_exist_is_refused_by_the_reader() -> None:
    with pytest.raises(BadInputError, match="'level-3' is not a group in this file"):
        again(SetAccess(group="level-3", tenant="contoso", roles=("Reports Reader",)).made_to(BASE))


def test_what_comes_with_a_new_tenant_or_technician_is_told() -> None:
    """A plan tells of those who stay: without this a new customer's page would say that no one gains anything."""
    access = SetAccess(group="level-2", tenant="fabrikam", roles=("User Administrator",))
    after = make_edits(BASE, [terms(FABRIKAM, "fabrikam"), access])
    assert [(one.technician, one.tenant, one.access) for one in access_of_arrivals(BASE, after)] == [
        ("alex", "fabrikam", ("Reports Reader", "User Administrator")),
        ("robin", "fabrikam", ("Reports Reader", "User Administrator")),
    ]
    joined = SetTechnician(id=UUID(int=3), name="kim", display_name="Kim").made_to(BASE)
    assert [(one.technician, one.tenant, one.access) for one in access_of_arrivals(BASE, joined)] == [
        ("kim", None, ("Reports Reader",))
    ]
    assert access_of_arrivals(BASE, BASE) == ()
    assert access_of_arrivals(after, BASE) == (), "no one comes"
    left = access_of_arrivals(RemoveTenant(id=CONTOSO, name="contoso").made_to(BASE), BASE)
    assert {(one.tenant, one.access) for one in left} == {("contoso", ("Global Administrator", "Reports Reader"))}


def test_secrets_are_asked_for_once_an_application() -> None:
    one = Registration(client_id=UUID(int=7), proof="secret")
    token = Registration(client_id=UUID(int=8), proof="federated", token_file="/run/token")
    both = SetRegistration(id=CONTOSO, name="contoso", elevate=one, revoke=one)
    assert secrets_needed([both, both]) == (str(UUID(int=7)),)
    assert secrets_needed([SetRegistration(id=CONTOSO, name="contoso", elevate=token)]) == ()
    with pytest.raises(BadInputError, match="token file"):
        Registration(client_id=UUID(int=8), proof="federated").application()


def test_values_with_commas_and_colons_survive_their_fields() -> None:
    assert by_lines(" retail, big \r\n\r\nBasel") == ("retail, big", "Basel")
    assert read_attributes("site: Basel, CH\r\nurl: a:b") == {"site": "Basel, CH", "url": "a:b"}
    assert read_rules(["site", "", "team"], ["one_of", "one_of", "prefix"], ["Basel, CH\nBern", "", "IT-"]) == (
        AttributeRule("site", AttributeTest.ONE_OF, ("Basel, CH", "Bern")),
        AttributeRule("team", AttributeTest.PREFIX, ("IT-",)),
    )


@pytest.mark.parametrize("text", ["site", "site:", "site: a\nsite: b"])
def test_attributes_that_say_nothing_or_twice_are_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="one a line"):
        read_attributes(text)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((["site"], ["like"], ["x"]), "one_of or prefix"),
        ((["site"], ["one_of"], [" "]), "a value is missing"),
        ((["site", "site"], ["one_of", "prefix"], ["a", "b"]), "one rule an attribute"),
    ],
)
def test_rules_that_are_none_are_refused(rows: tuple[list[str], list[str], list[str]], says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        read_rules(*rows)


@pytest.mark.parametrize("text", ["", "[]", "{}", '[{"kind": "drop tables"}]', '[{"kind": "set group"}]'])
def test_what_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="no change of the configuration"):
        read_edits(text)
