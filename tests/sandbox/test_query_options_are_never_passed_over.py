"""An answer that passes over an option has more or less in it than was asked for, and is believed.

That each option of each read is served or refused as the list says is tested with the operations themselves, in
``test_each_operation_answers_microsofts_sdk``. Here: the words, and what is asked in one option.
"""

from __future__ import annotations

import httpx
import pytest

from sandbox.graph.expand import LARGEST
from tests.sandbox.seeded import ADELE, ADMIN, GLOBAL_ADMINISTRATOR, Graph, new_user, refusal

ADVANCED = {"ConsistencyLevel": "eventual"}
RETAIL = "c0c0c0c0-2222-4222-8222-00000000ee01"
ROLES = "/roleManagement/directory"
COLLECTIONS_ALONE = "can be applied only on collections."
HEADER_MISSING = "Request with $search query parameter only works through MSGraph with a special request header"


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("/users?$nosuch=1", "BadRequest", "'$nosuch' is not supported"),
        ("/users?filter=id eq 'x'", "BadRequest", "'filter' is not supported"),
        ("/users?$top=1&$top=2", "BadRequest", "'$top' was specified more than once"),
        ("/users?$top=1&$Top=2", "BadRequest", "'$top' was specified more than once"),
        ("/users?$Filter=nosuch eq 'x'", "Request_UnsupportedQuery", "Property 'nosuch' does not exist"),
        ("/users?$skip=1", "Request_BadRequest", "'$skip' is not supported by the service."),
        (f"/users/{ADELE}?$filter=id eq 'x'", "BadRequest", COLLECTIONS_ALONE),
        (f"/users/{ADELE}?$top=1", "BadRequest", COLLECTIONS_ALONE),
        (f"/groups/{RETAIL}?$count=true", "BadRequest", COLLECTIONS_ALONE),
        (f"{ROLES}/roleDefinitions?$top=5", "Request_UnsupportedQuery", "does not support custom page sizes"),
        ("/organization?$filter=id eq 'x'", "Request_UnsupportedQuery", ""),
        ("/directoryRoles/delta?$filter=id eq 'x'", "Request_UnsupportedQuery", ""),
        ('/users?$search="displayName:a"', "Request_UnsupportedQuery", HEADER_MISSING),
        (f'/users/{ADELE}/memberOf?$search="displayName:a"', "Request_UnsupportedQuery", HEADER_MISSING),
        # microsoft-graph-docs#96, msgraph-sdk-powershell#2103, docs-contrib#9157
        (
            "/users?$expand=memberOf,ownedObjects",
            "BadRequest",
            "contained at least 2 items, but the maximum allowed is",
        ),
        (
            "/users?$expand=photo",
            "BadRequest",
            "Could not find a property named 'photo' on type 'microsoft.graph.user'",
        ),
        (f"/users/{ADELE}?$expand=memberOf($filter=id eq 'x')", "InvalidFilter", ""),
        (f"{ROLES}/roleAssignments?$expand=nosuch", "BadRequest", "named 'nosuch' on type"),
    ],
)
def test_it_is_refused(graph: Graph, url: str, code: str, words: str) -> None:
    answer = refusal(graph().get(url))
    assert (answer.status, answer.code) == (400, code)
    assert words in answer.message


def test_a_write_takes_no_query(graph: Graph, account: str) -> None:
    answer = graph().patch(f"/users/{account}?$filter=accountEnabled eq false", json={"department": "IT"})
    assert refusal(answer).status == 400


def test_what_is_no_option_is_nobodys_business(graph: Graph) -> None:
    assert graph().get("/users?$format=json&trace=1&$Select=id").json()["value"][0].keys() == {"id"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"displayName:vance"', ["Adele Vance"]),
        ('"displayName:Van Ade"', ["Adele Vance"]),
        ('"displayName:ance"', []),
        ('"displayName:AdeleVance"', ["Adele Vance"]),
        ('"displayName:onevideo"', ["One.Video"]),
        ('"displayName:Video"', ["One.Video"]),
        ('"userPrincipalName:adele@" OR "displayName:Video"', ["Adele Vance", "One.Video"]),
        ('"displayName:Contoso" AND ("displayName:Helpdesk" OR "displayName:Video")', ["Contoso Helpdesk"]),
        ('"userPrincipalName:dele"', []),
    ],
)
def test_a_search_finds_words(graph: Graph, text: str, expected: list[str]) -> None:
    client = graph()
    assert client.post("/users", json=new_user(displayName="One.Video")).status_code == 201
    found = client.get("/users", params={"$search": text}, headers=ADVANCED).json()["value"]
    assert sorted(user["displayName"] for user in found) == expected


@pytest.mark.parametrize(
    "text", ["displayName:x", '"x"', '"nosuch:x"', '"displayName:x" or "displayName:y"', '("mail:x"']
)
def test_a_search_that_cannot_be_read_is_refused(graph: Graph, text: str) -> None:
    answer = refusal(graph().get("/users", params={"$search": text}, headers=ADVANCED))
    assert (answer.status, answer.code) == (400, "BadRequest")


def test_a_search_is_narrowed_by_a_filter(graph: Graph) -> None:
    query = {"$search": '"displayName:Contoso"', "$filter": "startsWith(userPrincipalName,'helpdesk')"}
    found = graph().get("/users", params=query, headers=ADVANCED).json()["value"]
    assert [user["displayName"] for user in found] == ["Contoso Helpdesk"]
    assert graph().get("/users/$count", params=query, headers=ADVANCED).text == "1"


def test_a_relationship_is_shown_inside(graph: Graph, control: httpx.Client) -> None:
    """Twenty items at most and no next page (microsoft-graph-docs#2632, #12502)."""
    for number in range(LARGEST + 1):
        for path in ("groups", f"users/{ADELE}/groups"):
            control.post(f"/tenants/contoso/{path}", json={"name": f"Team {number}"}).raise_for_status()
    client = graph()
    one = client.get(f"/users/{ADELE}?$select=displayName&$expand=memberOf($select=displayName)").json()
    assert one["@odata.context"].endswith("users(displayName,memberOf(displayName))/$entity")
    assert len(one["memberOf"]) == LARGEST
    assert one["memberOf"][0].keys() == {"@odata.type", "displayName"}
    listed = client.get("/users?$expand=transitiveMemberOf&$top=999").json()["value"]
    assert {user["id"]: bool(user["transitiveMemberOf"]) for user in listed}[ADMIN]


def test_who_holds_a_role_is_shown_with_every_property(graph: Graph) -> None:
    """More than the default ones, whatever is selected inside (docs-contrib#8876)."""
    query = {"$filter": f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'", "$expand": "principal($select=displayName)"}
    listed = graph().get(f"{ROLES}/roleAssignments", params=query).json()["value"]
    assert all(held["principal"]["accountEnabled"] for held in listed)
    assert "resourceScope" not in listed[0]


def test_what_belongs_to_an_object_comes_in_pages(graph: Graph, control: httpx.Client) -> None:
    for user in (ADELE, ADMIN):
        control.post(f"/tenants/contoso/users/{user}/groups", json={"name": "Retail"}).raise_for_status()
    url = f"/groups/{RETAIL}/members?$top=1&$select=displayName&$count=true"
    client = graph()
    first = client.get(url, headers=ADVANCED).json()
    second = client.get(first["@odata.nextLink"], headers=ADVANCED).json()
    user = "#microsoft.graph.user"
    assert first["value"] == [{"@odata.type": user, "displayName": "Contoso Administrator"}]
    assert second["value"] == [{"@odata.type": user, "displayName": "Adele Vance"}]
    assert (first["@odata.count"], second.get("@odata.count"), second.get("@odata.nextLink")) == (2, None, None)
