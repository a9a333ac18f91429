"""The portal has no key that opens a tenant: what it must ask Microsoft, a worker asks, and only for whom it may.

If the portal signed in to tenants itself, breaking into it would be breaking into every customer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated
from uuid import uuid4

import pytest
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import NotAllowedError
from entra_jit.operations import _at_a_worker
from entra_jit.operations.examine_tenant import examine_tenant
from models.actor import Actor, ActorKind, Role, Via
from models.checks import Check
from models.errors import NotFoundError
from models.messages import Errand, SignedErrand
from models.names import PORTAL_ERRAND
from tests.end_to_end.test_a_portal_that_is_broken_into import act, portal_of
from tests.stage import Scene

__all__ = ["act"]

DANA = Actor(kind=ActorKind.PERSON, id=str(uuid4()), name="Dana", via=Via.PORTAL, roles=frozenset({Role.ADMIN}))
MALLORY = DANA.model_copy(update={"roles": frozenset()})


@pytest.fixture
async def portal(act: Scene) -> AsyncIterator[App]:
    async with portal_of(act) as portal:
        yield portal


async def test_an_examination_is_asked_for_at_the_portal_and_done_by_a_worker(act: Scene, portal: App) -> None:
    [examination] = await examine_tenant(DANA, portal, [act.customer])
    assert {finding.check for finding in examination.findings} >= {Check.SIGN_IN}
    with pytest.raises(NotFoundError, match="no-such-tenant"):
        await examine_tenant(DANA, portal, ["no-such-tenant"])
    with pytest.raises(NotAllowedError):
        await examine_tenant(MALLORY, portal, [act.customer])


async def test_a_worker_judges_again_and_does_nothing_else(act: Scene, portal: App) -> None:
    """Who writes to the namespace asks past the portal's own checks."""
    client = await portal.temporal()
    before = len(act.journal())

    async def ask(operation: str, arguments: dict[str, object], actor: Actor, signer: App) -> str:
        errand = Errand(id=uuid4().hex, operation=operation, arguments=arguments, roles=tuple(actor.roles))
        signed = SignedErrand(errand=errand, assertion=signer.sign(actor, errand))
        await client.execute_workflow(
            PORTAL_ERRAND, signed, id=f"errand/{errand.id}", task_queue=act.settings.task_queue
        )
        [[outcome]] = act.sql(f"SELECT outcome FROM errands WHERE id = '{errand.id}'")  # noqa: S608
        return str(outcome["refusal"]["explanation"])

    assert "may not examine" in await ask("examine_tenant", {"tenants": [act.customer]}, MALLORY, portal)
    for operation in ("close_all", "reveal_credential", "_asking", "../../x", "no_such"):
        assert "nothing that a worker carries out" in await ask(operation, {}, DANA, portal)
    assert len(act.journal()) == before


async def test_a_secret_crosses_sealed(act: Scene, portal: App) -> None:
    secret = SecretStr("unmistakable secret")
    packed = _at_a_worker.packed(portal, "an-errand", SecretStr, secret)
    assert "unmistakable" not in str(packed)
    assert _at_a_worker.unpacked(act.app, "an-errand", SecretStr, packed) == secret
    with pytest.raises(Exception, match="cannot be opened"):
        _at_a_worker.unpacked(act.app, "another-errand", SecretStr, packed)
    answer = {"code": "unmistakable code"}
    kind = Annotated[Mapping[str, str], _at_a_worker.Confidential]
    packed = _at_a_worker.packed(portal, "an-errand", kind, answer)
    assert "unmistakable" not in str(packed), "a code of a sign-in is as good as one"
    assert _at_a_worker.unpacked(act.app, "an-errand", kind, packed) == answer
