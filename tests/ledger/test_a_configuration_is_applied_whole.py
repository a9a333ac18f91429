"""A configuration is applied as a whole or not at all, and can be applied again.

Half a configuration is a group without its restriction. And people leave: a technician who is no longer in the file
gets nothing new, must still be closed, and must not keep the name from a successor.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from entra_jit.ledger import applying, events
from entra_jit.ledger import configuration as configurations
from entra_jit.policy.entitlement import AttributeRule, AttributeTest
from models.events import EventKind
from models.messages import TenantId, Verdict
from tests.actors import TESTER
from tests.ledger.books import ALEX, CONTOSO, FABRIKAM, KEYRING, NOON, ROBIN, Books, a_configuration, configuration_of

SEALED = {"tenant_credentials"}


def told(books: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """What the ledger says by now: each row without its number, and what is sealed, or happened, not at all."""
    left_out = SEALED | {table for table in books if table.startswith(("events", "texts"))}
    return {table: [row[1:] for row in rows] for table, rows in books.items() if table not in left_out}


async def test_applying_the_same_file_twice_changes_nothing_but_the_seals(books: Books) -> None:
    before = await books.everything()
    await books.configure()
    assert told(await books.everything()) == told(before)
    first, second = await books.do(events.newest, EventKind.CONFIGURATION_APPLIED, {}, limit=2)
    assert first.body == second.body
    proofs = await books.do(configurations.connection_secrets, KEYRING, TenantId(str(CONTOSO)))
    assert {purpose: proof.get_secret_value() for purpose, (_, _, proof) in proofs.items()} == {
        "elevate": "proof of contoso, elevate",
        "revoke": "proof of contoso, revoke",
    }
    assert "proof of contoso" not in repr(proofs)


async def test_a_configuration_that_fails_half_way_leaves_the_old_one(books: Books) -> None:
    before = await books.everything()
    here = a_configuration()
    changed = configuration_of(tenants=[{**tenant, "hours": 1} for tenant in here["tenants"]])
    # Nobody can write two technicians of one name into a file; it stands for whatever fails in the middle.
    double = replace(changed.technicians[0], id=UUID(int=9))
    unapplicable = replace(changed, technicians=(*changed.technicians, double))
    proofs = {
        (tenant.id, purpose): SecretStr("x") for tenant in changed.tenants for purpose, _ in tenant.applications()
    }
    with pytest.raises(IntegrityError):
        await books.do(applying.apply, TESTER, KEYRING, unapplicable, proofs, NOON)
    assert await books.everything() == before


async def test_who_is_no_longer_in_the_file_gets_nothing_new_and_can_still_be_closed(books: Books) -> None:
    grant = await books.armed()
    here = a_configuration()
    await books.configure(tenants=here["tenants"][1:], technicians=here["technicians"][1:])

    assert "no tenant 'contoso'" in (await books.answer(books.a_request("robin"))).sentence
    assert "no technician 'alex'" in (await books.answer(books.a_request("alex", "fabrikam"))).sentence
    assert await books.do(configurations.connection_secrets, KEYRING, TenantId(grant.tenant_id)), "needed for closing"
    assert {tenant.id for tenant in await books.do(configurations.all_tenants)} == {CONTOSO, FABRIKAM}


async def test_a_successor_may_have_the_name_of_one_who_left(books: Books) -> None:
    """The next Alex is another person: other id, other account, and none of the first one's groups."""
    grant = await books.granted("alex")
    new = UUID(int=77)
    await books.configure(technicians=[{"name": "alex", "id": str(new)}])
    terms = await books.do(configurations.technician_terms, "alex")
    assert terms is not None
    assert UUID(terms.id) == new
    assert terms.active
    decision = await books.answer(books.a_request("alex"))
    assert decision.verdict is Verdict.ALLOWED, "the lock is the person's, not the name's"
    assert decision.grant is not None
    assert decision.grant.technician_id != grant.technician_id
    await books.configure()
    terms = await books.do(configurations.technician_terms, "alex")
    assert terms is not None
    assert UUID(terms.id) == ALEX, "and back again"


async def test_two_may_swap_their_names(books: Books) -> None:
    """Applied row by row, the first would find its new name taken by the second."""
    here = a_configuration()
    await books.configure(
        technicians=[{"name": "robin", "id": str(ALEX)}, {"name": "alex", "id": str(ROBIN)}],
        tenants=[{**here["tenants"][0], "name": "fabrikam"}, {**here["tenants"][1], "name": "contoso"}],
    )
    terms = await books.do(configurations.technician_terms, "alex")
    assert terms is not None
    assert UUID(terms.id) == ROBIN
    tenant = await books.do(configurations.tenant_by_name, "contoso")
    assert tenant is not None
    assert tenant.id == FABRIKAM


async def test_a_taken_away_mapping_is_gone_and_a_group_says_who_is_in_it(books: Books) -> None:
    alex, robin = a_configuration()["technicians"]
    await books.configure(
        technicians=[alex, {**robin, "attributes": {"level": "L1"}}],
        groups=[{"name": "senior", "members": ["alex"]}, {"name": "level-2", "attributes": {"level": "L2"}}],
        role_mappings=[{"group": "senior", "tenant": "contoso", "roles": ["User Administrator"]}],
    )
    assert (await books.answer(books.a_request("robin"))).verdict is Verdict.DENIED
    assert [item.name for item in (await books.granted("alex")).access] == ["User Administrator"]
    assert (await books.answer(books.a_request("alex", "fabrikam"))).verdict is Verdict.DENIED
    groups = await books.do(configurations.groups)
    assert {(group.name, len(group.members), group.rules) for group in groups} == {
        ("senior", 1, ()),
        ("level-2", 0, (AttributeRule("level", AttributeTest.ONE_OF, ("L2",)),)),
        ("all-technicians", 0, ()),
    }


async def test_a_name_gives_each_tenant_its_own_security_group(books: Books) -> None:
    """A mapping for all tenants that carried one tenant's id into another would give a group that is not there."""
    here = a_configuration()
    ids = {"contoso": str(UUID(int=101)), "fabrikam": str(UUID(int=102))}
    both = {"group": "all-technicians", "roles": ["Helpdesk Administrator"], "security_groups": ["Operators"]}
    await books.configure(
        tenants=[
            {**tenant, "security_groups": [{"name": "Operators", "id": ids[tenant["name"]]}]}
            for tenant in here["tenants"]
        ],
        role_mappings=[both, {**both, "tenant": "contoso"}],  # said twice, it is given once
    )
    for tenant, group in ids.items():
        grant = (await books.answer(books.a_request("alex", tenant))).grant
        assert grant is not None
        assert [(item.kind.value, item.name) for item in grant.access] == [
            ("role", "Helpdesk Administrator"),
            ("group", "Operators"),
        ]
        assert grant.access[1].id == group


async def test_two_who_apply_at_once_take_turns(books: Books) -> None:
    groups = [{"name": f"group-{number}", "members": ["alex"]} for number in range(5)]
    await asyncio.gather(*(books.configure(groups=groups) for _ in range(6)))
    assert len(await books.do(configurations.groups)) == 6
