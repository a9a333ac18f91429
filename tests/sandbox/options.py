"""One query option of one read, asked: what is served has its effect, and nothing else is answered as if it had."""

from __future__ import annotations

from urllib.parse import unquote

import httpx

from sandbox.graph.options import OPTIONS, State, options_of
from tests.sandbox.seeded import refusal

SENSELESS = {
    "$filter": "nosuch eq 'x'",
    "$orderby": "nosuch",
    "$search": '"nosuch:x"',
    "$expand": "nosuch",
    "$top": "0",
}
"""What is refused wherever the option is read at all."""
ADVANCED = {"ConsistencyLevel": "eventual"}
NOBODY = "99999999-9999-4999-8999-999999999999"
_FILTERED_BY = {
    "oauth2PermissionGrants": "clientId",
    "roleAssignments": "principalId",
    "roleManagementPolicyAssignments": "scopeId",
}
_EXPANDED = (
    ("roleManagementPolicyAssignments", "policy"),
    ("roleManagementPolicies", "rules"),
    ("roleManagement/directory", "principal"),
    ("users", "memberOf"),
    ("me", "memberOf"),
    ("applications", "owners"),
    ("servicePrincipals", "owners"),
    ("", "members"),
)


def check_options(graph: httpx.Client, path: str, url: str) -> None:
    """Ask a read, at its address and by its name with ``{parameters}``, with each option in turn."""
    row = options_of(path)
    for option in OPTIONS:
        state = row.state(option)
        query = {option: _value(path, option)}
        if "$count" in row.served and option != "$expand":
            query |= {"$count": "true"}
        answer = graph.get(unquote(url), params=query, headers=ADVANCED)
        if state in {State.REFUSED, State.LACKING}:
            assert refusal(answer).status == 400, (path, query)
            assert refusal(answer).code in {"BadRequest", "Request_BadRequest", "Request_UnsupportedQuery"}, (
                path,
                query,
            )
        else:
            assert answer.status_code == 200, (path, query, answer.text)
            if state is State.SERVED and option in SENSELESS:
                senseless = graph.get(unquote(url), params=query | {option: SENSELESS[option]}, headers=ADVANCED)
                assert senseless.status_code == 400, (path, query)
            if state is State.SERVED and not path.endswith(("/$count", "/delta")):
                assert _has_effect(option, query, answer.json()), (path, query)


def _value(path: str, option: str) -> str:
    last = path.rpartition("/")[2]
    values = {
        "$select": "id",
        "$filter": f"{_FILTERED_BY.get(last, 'id')} eq '{NOBODY}'",
        "$orderby": {"directoryAudits": "activityDateTime", "signIns": "createdDateTime"}.get(last, "displayName"),
        "$search": '"displayName:no such name"',
        "$count": "true",
        "$expand": next(name for part, name in _EXPANDED if f"/{part}" in path),
        "$top": "1",
        "$skip": "1",
    }
    return values[option]


def _has_effect(option: str, query: dict[str, str], body: dict[str, object]) -> bool:
    items = body.get("value", [body])
    assert isinstance(items, list)
    keys = [{key for key in item if not key.startswith("@odata.")} for item in items]
    match option:
        case "$select":
            return all(held <= {"id"} for held in keys)
        case "$filter" | "$search":
            return not items
        case "$top":
            return len(items) <= 1
        case "$count":
            return "@odata.count" in body
        case "$expand":
            return all(query[option] in held for held in keys)
        case _:
            found = [str(item[query[option]]).lower() for item in items]
            return found == sorted(found)
