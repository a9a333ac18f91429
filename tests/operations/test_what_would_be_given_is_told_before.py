"""What the form shows before a request is what the request gives: the same decision, and why, and what else there is.

Products that answer only after submitting have people ask for the most, to be sure that it is enough.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from entra_jit.app import App
from entra_jit.identity.authorize import NotAllowedError
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.list_customers import list_customers, set_favourite
from entra_jit.operations.pause_tenant import pause_tenant
from entra_jit.operations.preview_access import Previewed, preview_access
from models.actor import Actor, ActorKind, Role, Via
from tests.actors import TESTER
from tests.ledger.books import ALEX, ROBIN, a_configuration

PERSON = Actor(
    kind=ActorKind.PERSON, id=str(ALEX), name="Alex Winter", via=Via.PORTAL, roles=frozenset({Role.TECHNICIAN})
)


@pytest.fixture(autouse=True)
async def _configured(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOT_READ_HERE", "a secret")
    file = tmp_path / "msp.yaml"
    mappings = [
        {"group": "all-technicians", "roles": ["Helpdesk Administrator", "Reports Reader"]},
        {"group": "senior", "tenant": "contoso", "roles": ["Global Administrator", "Reports Reader"]},
    ]
    groups = [{"name": "senior", "members": ["alex"]}]
    file.write_text(yaml.safe_dump(a_configuration(groups=groups, role_mappings=mappings)))
    await apply_configuration(TESTER, app, file, yes=True, prune=True, unproven=True)


async def previewed(app: App, **asked: object) -> Previewed:
    return await preview_access(PERSON, app, tenant="contoso", technician="alex", **asked)  # type: ignore[arg-type]


async def test_it_says_what_and_why_and_for_how_long(app: App) -> None:
    found = await previewed(app)

    assert {one.item.name: (one.privileged, one.because) for one in found.access.possible} == {
        "Global Administrator": (True, ("Group senior, in contoso",)),
        "Helpdesk Administrator": (True, ("All technicians, in every tenant",)),
        "Reports Reader": (False, ("All technicians, in every tenant", "Group senior, in contoso")),
    }
    assert found.access.limit == "contoso allows at most 8 h, extensions included (max_hours)."
    assert [choice.refused for choice in found.access.choices] == [None] * 5
    assert found.technician == "alex"
    assert found.access.refused is None


async def test_it_narrows_and_refuses_like_the_request(app: App) -> None:
    fewer = await previewed(app, access=["reports reader"], duration=timedelta(minutes=15))
    assert fewer.access.decision.terms
    assert [item.name for item in fewer.access.decision.terms.access] == ["Reports Reader"]
    assert "Asked for 1 of 3." in [reason.line for reason in fewer.access.decision.reasons]
    assert (await previewed(app, access=[])).access.refused == "No role was selected. Select at least one."
    refused = (await previewed(app, duration=timedelta(hours=9))).access.refused
    assert refused == "9 h cannot be granted in contoso: from 10 s to 8 h."


async def test_it_says_what_makes_a_request_wait_or_fail(app: App) -> None:
    await pause_tenant(TESTER, app, tenant="contoso", reason="an outage")
    assert (hold := (await previewed(app)).hold)
    assert hold.sentence.endswith("an outage.")


async def test_it_is_for_the_technician_alone(app: App) -> None:
    """A name in the address is not who asks."""
    with pytest.raises(NotAllowedError):
        await preview_access(PERSON, app, tenant="contoso", technician="robin")
    with pytest.raises(NotAllowedError):
        await list_customers(PERSON, app, technician="robin")
    with pytest.raises(NotAllowedError):
        await set_favourite(PERSON, app, tenant="contoso", technician="robin")
    stranger = PERSON.model_copy(update={"id": "0a0a0a0a-1111-4111-8111-0000000000ff"})
    with pytest.raises(NotAllowedError):
        await list_customers(stranger, app, technician="alex")

    await set_favourite(PERSON, app, tenant="fabrikam", technician="alex")
    assert [one.name for one in (await list_customers(PERSON, app, technician="alex")).found if one.favourite] == [
        "fabrikam"
    ]
    robin = await list_customers(PERSON.model_copy(update={"id": str(ROBIN)}), app, technician="robin")
    assert not any(one.favourite for one in robin.found)
    await set_favourite(PERSON, app, tenant="fabrikam", technician="alex", wanted=False)
    assert not any(one.favourite for one in (await list_customers(PERSON, app, technician="alex")).found)
