"""One visit of a technician, and the calls that its opening takes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from models.messages import GrantState
from tests.stage import ELEVATE, Scene

OPENING_A_KNOWN_ACCOUNT = Counter(
    {
        # At the same time: is the domain fit, and is there an account?
        "GET /organization": 1,
        "GET /domains/*": 1,
        "GET /users/*": 1,
        # At the same time: roles, one call for each, and what the account could be signed in to with.
        "POST /roleManagement/directory/roleAssignments": 2,
        "GET /users/*/authentication/methods": 1,
        "GET /policies/*": 1,
        # At the same time: the roles are read back, the pass is made.
        "GET /roleManagement/directory/roleAssignments": 1,
        "POST /users/*/authentication/temporaryAccessPassMethods": 1,
        # Last: the revoking application shows that it may disable the account; then enabled and marked in one.
        "PATCH /users/*": 2,
    }
)


def shape(call: dict[str, Any]) -> str:
    """The call without the ids in it."""
    path = call["path"].removeprefix("/v1.0").partition("?")[0]
    path = re.sub(r"(?<=/users/)[^/]+|(?<=/domains/).+|(?<=/policies/).+|(?<=/groups/)[^/]+", "*", path)
    return f"{call['method']} {path}"


async def visit(scene: Scene) -> tuple[dict[str, Any], Counter[str]]:
    """The open account, and the calls that opening it took, without those that read what it has beside them."""
    before = len(scene.journal())
    request_id = await scene.ask(held=True)
    await scene.until(request_id, GrantState.OPEN)
    calls = [call for call in scene.journal()[before:] if call["app_id"] == ELEVATE or call["method"] != "GET"]
    user = scene.user()
    assert user is not None
    await scene.time_passes(request_id)
    scene.assert_closed()
    return user, Counter(map(shape, calls))
