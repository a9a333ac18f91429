"""Access comes from mappings that name it, and from nothing else.

If adding a group takes a role away, or a mapping for one customer changes another, the file no longer says who may do
what; if an unknown group is skipped, a misspelt restriction restricts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.policy.entitlement import (
    ALL_TECHNICIANS,
    AttributeRule,
    AttributeTest,
    Group,
    RoleMapping,
    Technician,
    entitled_access,
)
from models.errors import BadInputError
from models.messages import AccessItem, AccessKind, TechnicianId, TenantId

HERE, ELSEWHERE = TenantId("here"), TenantId("elsewhere")
PEOPLE = [TechnicianId(name) for name in ("alex", "robin", "kim")]
NAMES = ["level-1", "level-2", "messaging", "security"]
ITEMS = [
    AccessItem(kind=kind, id=f"item-{number}", name=f"Item {number % 4}") for kind in AccessKind for number in range(4)
]
"""Of two kinds one id may mean different things."""

attributes = st.dictionaries(st.sampled_from(["technician_level", "site"]), st.sampled_from(["L1", "L2"]))
technicians = st.builds(Technician, st.sampled_from(PEOPLE), attributes)
rules = st.builds(
    AttributeRule,
    st.sampled_from(["technician_level", "site"]),
    st.sampled_from(AttributeTest),
    st.sampled_from([("L1",), ("L2",), ("L",), ("L1", "L2")]),
)
some_groups = st.lists(
    st.builds(
        Group,
        st.sampled_from(NAMES),
        st.frozensets(st.sampled_from(PEOPLE)),
        st.lists(rules, max_size=2).map(tuple),
    ),
    unique_by=lambda group: group.name,
)


def mappings_to(
    groups: Sequence[Group], tenants: Sequence[TenantId | None] = (HERE, ELSEWHERE, None)
) -> st.SearchStrategy[list[RoleMapping]]:
    names = [group.name for group in groups] + [ALL_TECHNICIANS]
    return st.lists(
        st.builds(RoleMapping, st.sampled_from(names), st.sampled_from(tenants), st.sampled_from(ITEMS)), max_size=12
    )


configurations = some_groups.flatmap(lambda groups: st.tuples(st.just(groups), mappings_to(groups)))


@given(technicians, configurations, st.data())
def test_adding_a_mapping_never_takes_anything_away(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]], data: st.DataObject
) -> None:
    groups, mappings = configuration
    more = data.draw(mappings_to(groups))

    before = set(entitled_access(technician, HERE, groups, mappings))
    assert before <= set(entitled_access(technician, HERE, groups, mappings + more))


@given(technicians, configurations, st.builds(Group, st.just("new"), st.frozensets(st.sampled_from(PEOPLE))))
def test_adding_a_group_that_nothing_maps_changes_nothing(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]], new: Group
) -> None:
    groups, mappings = configuration
    assert entitled_access(technician, HERE, [*groups, new], mappings) == entitled_access(
        technician, HERE, groups, mappings
    )


@given(technicians, configurations, st.data())
def test_joining_a_group_never_takes_anything_away(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]], data: st.DataObject
) -> None:
    groups, mappings = configuration
    joined = data.draw(st.sets(st.sampled_from(NAMES)))
    after = [
        replace(group, members=group.members | {technician.id}) if group.name in joined else group for group in groups
    ]
    before = set(entitled_access(technician, HERE, groups, mappings))
    assert before <= set(entitled_access(technician, HERE, after, mappings))


@given(technicians, configurations, st.data())
def test_another_tenants_mappings_change_nothing_here(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]], data: st.DataObject
) -> None:
    groups, mappings = configuration
    theirs = data.draw(mappings_to(groups, [ELSEWHERE]))
    theirs.append(RoleMapping("a group that does not exist", ELSEWHERE, ITEMS[0]))

    assert entitled_access(technician, HERE, groups, mappings + theirs) == entitled_access(
        technician, HERE, groups, mappings
    )


@given(technicians, configurations, st.randoms(use_true_random=False))
def test_the_order_of_the_file_means_nothing(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]], chance: Random
) -> None:
    groups, mappings = configuration
    shuffled_groups, shuffled = list(groups), list(mappings)
    chance.shuffle(shuffled_groups)
    chance.shuffle(shuffled)

    assert entitled_access(technician, HERE, shuffled_groups, shuffled) == entitled_access(
        technician, HERE, groups, mappings
    )


@given(technicians, configurations)
def test_every_item_has_a_mapping_of_a_group_that_the_technician_is_in(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]]
) -> None:
    groups, mappings = configuration
    mine = {group.name for group in groups if technician.id in group.members} | {ALL_TECHNICIANS}
    mine |= {group.name for group in groups if group.rules and all(_passes(technician, rule) for rule in group.rules)}

    given_items = entitled_access(technician, HERE, groups, mappings)
    assert {item.key for item in given_items} == {
        mapping.item.key for mapping in mappings if mapping.group in mine and mapping.tenant_id in (HERE, None)
    }
    assert len({item.key for item in given_items}) == len(given_items), "no item twice"


@given(technicians, configurations, st.sampled_from([HERE, None]))
def test_an_unknown_group_gives_nobody_anything(
    technician: Technician, configuration: tuple[list[Group], list[RoleMapping]], tenant: TenantId | None
) -> None:
    groups, mappings = configuration
    misspelt = RoleMapping("levle-2", tenant, ITEMS[0])
    with pytest.raises(BadInputError, match="'levle-2', which does not exist"):
        entitled_access(technician, HERE, groups, [*mappings, misspelt])


def _passes(technician: Technician, rule: AttributeRule) -> bool:
    value = technician.attributes.get(rule.attribute, "")
    if rule.test is AttributeTest.PREFIX:
        return value[: len(rule.values[0])] == rule.values[0]
    return any(value == allowed for allowed in rule.values)


@pytest.mark.parametrize(
    ("attributes", "is_member"),
    [
        ({"technician_level": "L2", "site": "Basel", "team": "IT-Cloud"}, True),
        ({"technician_level": "L3", "site": "Basel", "team": "IT-"}, True),
        ({"technician_level": "L2", "site": "basel", "team": "IT-Cloud"}, False),
        ({"technician_level": "L2", "site": "Basel", "team": "Sales-IT-"}, False),
        ({"technician_level": "L1", "site": "Basel", "team": "IT-Cloud"}, False),
        ({"technician_level": "L2", "team": "IT-Cloud"}, False),
        ({}, False),
    ],
)
def test_every_rule_of_a_group_must_hold(attributes: dict[str, str], is_member: bool) -> None:
    group = Group(
        "seniors",
        rules=(
            AttributeRule("technician_level", AttributeTest.ONE_OF, ("L2", "L3")),
            AttributeRule("site", AttributeTest.ONE_OF, ("Basel",)),
            AttributeRule("team", AttributeTest.PREFIX, ("IT-",)),
        ),
    )
    assert (Technician(PEOPLE[0], attributes) in group) is is_member


def test_a_group_by_attribute_does_not_have_those_without_the_attribute() -> None:
    """`None == None` would let everyone without an attribute into every group that is not defined by one."""
    listed_only = Group("listed", frozenset({TechnicianId("alex")}))
    assert Technician(TechnicianId("robin")) not in listed_only
    for test, value in ((AttributeTest.ONE_OF, "L2"), (AttributeTest.PREFIX, "L")):
        by_level = Group("level-2", rules=(AttributeRule("technician_level", test, (value,)),))
        assert Technician(TechnicianId("robin")) not in by_level
