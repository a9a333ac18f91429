"""A client tested here and wrong there: projections, contexts, headers and pages must be the service's own.

The commonest harm is a property that comes unasked: ``accountEnabled`` read from a default projection is absent at
Microsoft's, and a naive client takes an enabled account for closed.
"""

from __future__ import annotations

import re
from datetime import datetime

import httpx
import pytest

from tests.sandbox.seeded import ADELE, CONTOSO, FABRIKAM, NEW_ACCOUNT, Graph, new_user, refusal

DEFAULT_PROJECTION = {
    "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName",
}  # fmt: skip
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_a_user_has_exactly_the_default_projection_unasked(graph: Graph) -> None:
    answer = graph().get(f"/users/{ADELE}")
    assert set(answer.json()) == DEFAULT_PROJECTION | {"@odata.context"}
    assert answer.json()["@odata.context"].endswith("/v1.0/$metadata#users/$entity")
    created = graph().post("/users", json=new_user())
    assert created.status_code == 201
    assert set(created.json()) == DEFAULT_PROJECTION | {"@odata.context"}
    assert created.headers["Location"].endswith(f"{created.json()['id']}/Microsoft.DirectoryServices.User")


def test_select_gives_only_what_it_names_not_even_the_id(graph: Graph) -> None:
    answer = graph().get(f"/users/{ADELE}?$select=displayName").json()
    assert answer == {
        "@odata.context": answer["@odata.context"],
        "displayName": "Adele Vance",
    }
    assert answer["@odata.context"].endswith("#users(displayName)/$entity")
    listed = graph().get("/users?$select=accountEnabled&$top=1").json()
    assert listed["@odata.context"].endswith("#users(accountEnabled)")
    assert listed["value"] == [{"accountEnabled": True}]


def test_a_typing_error_in_select_is_silent(graph: Graph) -> None:
    answer = graph().get(f"/users/{ADELE}?$select=acountEnabled")
    assert answer.status_code == 200
    assert list(answer.json()) == ["@odata.context"]


def test_passwords_are_never_shown(graph: Graph, account: str) -> None:
    assert graph().get(f"/users/{account}?$select=id,passwordProfile").json()["passwordProfile"] is None


def test_all_fifteen_extension_attributes_are_shown_and_merged(graph: Graph, account: str) -> None:
    client = graph()
    for attributes in ({"extensionAttribute1": "owner", "extensionAttribute2": "open"}, {"extensionAttribute2": None}):
        assert client.patch(f"/users/{account}", json={"onPremisesExtensionAttributes": attributes}).status_code == 204
    shown = client.get(f"/users/{account}?$select=onPremisesExtensionAttributes").json()
    held = shown["onPremisesExtensionAttributes"]
    assert len(held) == 15
    assert {name: value for name, value in held.items() if value is not None} == {"extensionAttribute1": "owner"}


def test_a_user_is_found_by_id_by_name_in_any_case_and_in_parentheses(graph: Graph) -> None:
    client = graph()
    for path in (
        f"/users/{ADELE.upper()}",
        "/users/ADELE@contoso.com",
        "/users('adele@contoso.com')",
        "/USERS/" + ADELE,
    ):
        assert client.get(path).json()["id"] == ADELE, path


def test_pages_are_followed_verbatim_and_lose_nobody(graph: Graph) -> None:
    client = graph()
    everyone = {user["id"] for user in client.get("/users?$select=id").json()["value"]}
    seen: list[str] = []
    link = "/users?$select=id&$top=2&$filter=accountEnabled eq true"
    while link:
        page = client.get(link).json()
        seen += [user["id"] for user in page["value"]]
        link = page.get("@odata.nextLink")
        assert link is None or link.startswith(str(client.base_url))
    assert sorted(seen) == sorted(everyone)
    assert len(seen) == 6


def test_every_answer_carries_the_ids_that_support_asks_for(graph: Graph) -> None:
    client = graph()
    mine = "11111111-2222-4333-8444-555555555555"
    answer = client.get("/organization", headers={"client-request-id": mine})
    assert answer.headers["client-request-id"] == mine
    assert GUID.fullmatch(answer.headers["request-id"])
    assert answer.headers["OData-Version"] == "4.0"
    assert "odata.metadata=minimal" in answer.headers["Content-Type"]
    refused = client.get("/users/nobody")
    inner = refused.json()["error"]["innerError"]
    assert inner["request-id"] == inner["client-request-id"] == refused.headers["request-id"]
    assert datetime.fromisoformat(inner["date"]).tzinfo is None


def test_the_organization_is_a_collection_of_one_with_verified_domains_only(graph: Graph) -> None:
    (organization,) = graph(tenant=FABRIKAM).get("/organization").json()["value"]
    assert organization["id"] == FABRIKAM
    assert {domain["name"]: domain["type"] for domain in organization["verifiedDomains"]} == {
        "fabrikam.onmicrosoft.com": "Managed",
        "fabrikam.com": "Federated",
    }


def test_domains_say_whether_they_are_verified_and_who_signs_in_there(graph: Graph, control: httpx.Client) -> None:
    client = graph(tenant=FABRIKAM)
    shown = {domain["id"]: domain for domain in client.get("/domains?$top=1&$filter=junk").json()["value"]}
    assert shown["fabrikam.com"]["authenticationType"] == "Federated"
    assert shown["new.fabrikam.com"]["isVerified"] is False
    assert shown["new.fabrikam.com"]["isRoot"] is False
    assert shown["fabrikam.onmicrosoft.com"]["isInitial"] is True
    path = "/tenants/fabrikam/domains/fabrikam.onmicrosoft.com"
    assert control.post(path, json={"authentication_type": "Federated"}).status_code == 200
    assert client.get("/domains/FABRIKAM.onmicrosoft.com").json()["authenticationType"] == "Federated"
    assert refusal(client.get("/domains/nowhere.example")).code == "Request_ResourceNotFound"


def test_memberships_mix_groups_and_roles_and_say_which_is_which(graph: Graph, control: httpx.Client) -> None:
    control.post(f"/tenants/contoso/users/{ADELE}/groups", json={"name": "Tier 1 Operators"})
    client = graph()
    direct = client.get(f"/users/{ADELE}/memberOf").json()["value"]
    assert {item["displayName"]: item["@odata.type"] for item in direct} == {
        "Retail": "#microsoft.graph.group",
        "Tier 1 Operators": "#microsoft.graph.group",
    }
    through = client.get(f"/users/{ADELE}/transitiveMemberOf/microsoft.graph.directoryRole").json()
    assert through["@odata.context"].endswith("#directoryRoles")
    assert [role["displayName"] for role in through["value"]] == ["User Administrator"]
    assert "@odata.type" not in through["value"][0]


def test_unknown_paths_are_a_400_before_anybody_asks_who_calls(graph: Graph, addresses: object) -> None:
    client = graph()
    client.headers.pop("Authorization")
    assert refusal(client.get("/nothing/here")).message == "Resource not found for the segment 'nothing'."
    assert refusal(client.get(f"/users/{ADELE}/nothing")).status == 400
    assert refusal(client.put("/users", json={})).status == 405
    unknown = refusal(client.get("/users"))
    assert (unknown.status, unknown.code, unknown.message) == (
        401,
        "InvalidAuthenticationToken",
        "Access token is empty.",
    )


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "e30.e30.e30"])
def test_a_forged_token_is_refused(graph: Graph, token: str) -> None:
    answer = graph().get("/users", headers={"Authorization": f"Bearer {token}"})
    assert refusal(answer).message.startswith("CompactToken parsing failed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_deleted_users_are_gone_from_users_and_shown_among_the_deleted_items(graph: Graph, account: str) -> None:
    client = graph("5e70ca7e-0000-4000-8000-000000005e70")
    assert client.delete(f"/users/{account}").status_code == 204
    assert client.get(f"/users/{account}").status_code == 404
    assert client.delete(f"/users/{account}").status_code == 404
    item = client.get(f"/directory/deletedItems/{account}").json()
    assert item["@odata.type"] == "#microsoft.graph.user"
    assert item["userPrincipalName"] == account.replace("-", "") + NEW_ACCOUNT
    listed = client.get("/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime").json()["value"]
    assert [user["id"] for user in listed] == [account]
    assert client.post("/users", json=new_user()).status_code == 201, "the name is free at once"
    assert "already exists" in refusal(client.post(f"/directory/deletedItems/{account}/restore", json={})).message
    restored = client.post(
        f"/directory/deletedItems/{account}/restore",
        json={"newUserPrincipalName": "msp-alex-2@contoso.onmicrosoft.com"},
    )
    assert restored.json()["id"] == account
    assert client.get(f"/users/{account}").status_code == 200


def test_tenants_do_not_see_each_other(graph: Graph) -> None:
    assert graph(tenant=FABRIKAM).get(f"/users/{ADELE}").status_code == 404
    assert graph(tenant=FABRIKAM).get(f"/organization/{CONTOSO}").status_code == 404
