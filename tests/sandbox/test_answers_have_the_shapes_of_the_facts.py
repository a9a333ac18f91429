"""A property that is missing, misspelt or of another type is read well here only, and wrongly at Microsoft's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sandbox.directory.roles import assignment_id
from sandbox.graph.app_roles import app_role_ids
from sandbox.graph.licences import P1, P2
from tests.sandbox.granted import grant, license_with, own_principal
from tests.sandbox.seeded import REPORTS_READER, USER_ADMINISTRATOR, Graph, new_user

SHAPES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "fixtures" / "shapes.yaml").read_text())
_GUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_PATTERNS = {
    "guid": _GUID,
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "ticks": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z",
    "text": r".*",
}
_TYPES: dict[str, type] = {"flag": bool, "number": int, "list": list, "object": dict, "null": type(None)}


def fits(value: object, kind: str) -> bool:
    if kind.endswith("-or-null"):
        return value is None or fits(value, kind.removesuffix("-or-null"))
    if pattern := _PATTERNS.get(kind):
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None
    return type(value) is _TYPES[kind]


def differences(found: Mapping[str, object], wanted: Mapping[str, str]) -> list[str]:
    told = [f"missing {name}" for name in wanted.keys() - found.keys()]
    told += [f"unexpected {name}" for name in found.keys() - wanted.keys() - {"@odata.context"}]
    named = wanted.keys() & found.keys()
    return told + [f"{name} is {found[name]!r}" for name in named if not fits(found[name], wanted[name])]


@pytest.fixture
def ids(graph: Graph, control: httpx.Client) -> dict[str, str]:
    """A tenant in which everything has happened once."""
    license_with(control, P1, P2)
    grant(control, *app_role_ids())
    client = graph()
    user = client.post("/users", json=new_user()).json()["id"]
    deleted = client.post("/users", json=new_user(userPrincipalName="gone@contoso.com")).json()["id"]
    client.delete(f"/users/{deleted}")
    client.post(f"/users/{user}/authentication/temporaryAccessPassMethods", json={})
    role = {"principalId": user, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
    client.post("/roleManagement/directory/roleAssignments", json=role)
    for_a_time = role | {
        "roleDefinitionId": USER_ADMINISTRATOR,
        "action": "adminAssign",
        "justification": "because",
        "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT1H"}},
    }
    request = client.post("/roleManagement/directory/roleAssignmentScheduleRequests", json=for_a_time).json()["id"]
    unit = client.post("/directory/administrativeUnits", json={"displayName": "Unit"}).json()["id"]
    control.post("/sign-in", json={"username": "adele@contoso.com", "password": "sandbox-only-Adele1"})
    return {
        "user": user,
        "deleted": deleted,
        "role": assignment_id(REPORTS_READER, user),
        "request": request,
        "unit": unit,
        "group": "c0c0c0c0-2222-4222-8222-00000000ee02",
        "principal": own_principal(control),
    }


def filled(text: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], text)


def test_every_shape(graph: Graph, ids: dict[str, str]) -> None:
    client = graph()
    wrong: dict[str, list[str]] = {}
    for shape in SHAPES:
        asked = shape["request"]
        method = asked.get("method", "GET")
        headers = {"Content-Type": "application/json"} if method != "GET" else {}
        answer = client.request(method, filled(asked["path"], ids), json=asked.get("body"), headers=headers)
        assert answer.status_code == shape.get("status", 200), (shape["name"], answer.text)
        if "context" not in shape:
            assert answer.content == b""
            continue
        body = answer.json()
        told = [] if body["@odata.context"].endswith(f"#{filled(shape['context'], ids)}") else [body["@odata.context"]]
        told += differences(body, shape["properties"]) if "properties" in shape else []
        if "item" in shape:
            assert body["value"], shape["name"]
            told += [difference for item in body["value"] for difference in differences(item, shape["item"])]
        if told:
            wrong[shape["name"]] = sorted(set(told))
    assert not wrong
    assert len(SHAPES) > 25
