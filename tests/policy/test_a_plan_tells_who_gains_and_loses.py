"""A plan tells exactly what entitlement will say: no loss is left out, none is invented.

People agree to what the plan shows. What it left out would be taken from them unseen.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entra_jit.policy.configuration import (
    Configuration,
    GroupEntry,
    RoleMappingEntry,
    TechnicianEntry,
    TenantEntry,
)
from entra_jit.policy.configuration_changes import Configured, UnclosedGrant, configured_by, plan_changes
from entra_jit.policy.entitlement import ALL_TECHNICIANS, AttributeRule, AttributeTest, entitled_access
from models.configuration_plan import AccessChange, EndingGrant, EntryChanges
from models.messages import TechnicianId, TenantId
from tests.ledger.books import configuration_of

TENANTS, TECHNICIANS, GROUPS = ("north", "south", "west"), ("alex", "kim", "robin"), ("one", "two")
ROLES = ("Reports Reader", "Helpdesk Administrator")
TEMPLATE = configuration_of().tenants[0]


def _tenant(name: str) -> TenantEntry:
    return replace(TEMPLATE, name=name, id=UUID(int=100 + TENANTS.index(name)))


def _technician(name: str, level: str) -> TechnicianEntry:
    return TechnicianEntry(name, UUID(int=200 + TECHNICIANS.index(name)), name, {"level": level})


def _by_level(level: str) -> tuple[AttributeRule, ...]:
    return (AttributeRule("level", AttributeTest.ONE_OF, (level,)),)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Of a few tenants and technicians, so that two of them have much in common."""
    tenants = draw(st.sets(st.sampled_from(TENANTS), min_size=1))
    technicians = draw(st.sets(st.sampled_from(TECHNICIANS), min_size=1))
    levels = st.sampled_from(("L1", "L2"))
    mapped = st.builds(
        RoleMappingEntry,
        group=st.sampled_from((*GROUPS, ALL_TECHNICIANS)),
        tenant=st.sampled_from((None, *sorted(tenants))),
        roles=st.sampled_from([ROLES[:1], ROLES[1:], ROLES]),
        security_groups=st.just(()),
    )
    members = st.sets(st.sampled_from(sorted(technicians)))
    return Configuration(
        tenants=tuple(_tenant(name) for name in sorted(tenants)),
        technicians=tuple(_technician(name, draw(levels)) for name in sorted(technicians)),
        groups=tuple(GroupEntry(name, tuple(draw(members)), _by_level(draw(levels))) for name in GROUPS),
        role_mappings=tuple(draw(st.lists(mapped, max_size=5))),
    )


Held = set[tuple[str, str, str]]


def held(configured: Configured, of: Configured) -> Held:
    """What those who stand in ``of`` as well may have, technician by technician and tenant by tenant."""
    return {
        (name, tenant, item.name)
        for technician_id, (name, technician) in configured.technicians.items()
        for tenant_id, tenant in configured.tenants.items()
        if technician_id in of.technicians and tenant_id in of.tenants
        for item in entitled_access(technician, tenant_id, configured.groups, configured.mappings)
    }


def told(changes: tuple[AccessChange, ...], staying: set[str]) -> Held:
    """What a plan tells, in the same way."""
    return {
        (change.technician, tenant, item)
        for change in changes
        for tenant in ([change.tenant] if change.tenant else staying)
        for item in change.access
    }


@given(configurations(), configurations())
@settings(max_examples=150)
def test_gains_and_losses_are_those_of_entitlement(old: Configuration, new: Configuration) -> None:
    before, after = configured_by(old), configured_by(new)
    plan = plan_changes(before, new, ())
    had, has = held(before, after), held(after, before)
    staying = set(before.tenants.values()) & set(after.tenants.values())
    assert told(plan.losses, staying) == had - has
    assert told(plan.gains, staying) == has - had
    assert set(plan.tenants.removed) == set(before.tenants.values()) - set(after.tenants.values())
    assert plan.covers(plan)


@given(configurations())
def test_the_same_again_removes_and_gives_nothing(configuration: Configuration) -> None:
    plan = plan_changes(configured_by(configuration), configuration, ())
    assert not plan.narrows
    assert not plan.gains
    assert not any(changes.added for _, changes in plan.kinds())


def test_grants_end_with_their_technician_or_tenant_alone() -> None:
    configuration = configuration_of()
    (alex, robin), (contoso, fabrikam) = configuration.technicians, configuration.tenants
    live = [
        UnclosedGrant(
            TenantId(str(tenant.id)),
            TechnicianId(str(technician.id)),
            EndingGrant(request_id=f"{tenant.name}/{technician.name}", technician="-", tenant="-", expires_at=None),
        )
        for tenant in (contoso, fabrikam)
        for technician in (alex, robin)
    ]
    left = replace(configuration, tenants=(contoso,), technicians=(alex,))
    plan = plan_changes(configured_by(configuration), left, live)
    assert [grant.request_id for grant in plan.ending] == ["contoso/robin", "fabrikam/alex", "fabrikam/robin"]
    assert not plan_changes(configured_by(configuration), configuration, live).covers(plan)


@pytest.mark.parametrize(
    ("before", "removed", "many"),
    [(1, 1, False), (5, 1, False), (5, 2, True), (20, 2, False), (19, 2, True), (500, 50, False), (500, 51, True)],
)
def test_many_is_more_than_one_and_more_than_a_tenth(before: int, removed: int, many: bool) -> None:
    changes = EntryChanges(before=before, removed=tuple(map(str, range(removed))))
    assert changes.removes_many is many
