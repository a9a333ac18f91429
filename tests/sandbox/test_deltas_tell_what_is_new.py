"""A reconciler that follows changes misses a tampered account for good if a change is not in the next round."""

from __future__ import annotations

from datetime import timedelta

import httpx

from tests.sandbox.granted import grant
from tests.sandbox.seeded import ADELE, HELPDESK, REPORTS_READER, REVOKE, Graph, new_user, refusal

LATEST = "/users/delta?$select=accountEnabled,displayName&$deltatoken=latest"


def follow(client: httpx.Client, link: str) -> tuple[list[dict[str, object]], str]:
    """All items of a round, and the link to the next one."""
    items: list[dict[str, object]] = []
    while True:
        page = client.get(link).json()
        items += page["value"]
        if "@odata.deltaLink" in page:
            return items, str(page["@odata.deltaLink"])
        link = page["@odata.nextLink"]


def test_the_first_round_lists_everybody_and_the_next_only_what_changed(graph: Graph, account: str) -> None:
    client = graph(REVOKE)
    everybody, link = follow(client, "/users/delta?$select=accountEnabled,displayName")
    assert account in {item["id"] for item in everybody}
    assert all(set(item) == {"accountEnabled", "displayName", "id"} for item in everybody)
    assert follow(client, link)[0] == []
    client.patch(f"/users/{account}", json={"accountEnabled": False})
    client.patch(f"/users/{HELPDESK}", json={"department": "not asked for"})
    changed, link = follow(client, link)
    assert changed == [{"accountEnabled": False, "displayName": "MSP Alex", "id": account}]
    assert follow(client, link)[0] == []


def test_many_accounts_come_in_pages_and_none_is_lost(graph: Graph, control: httpx.Client) -> None:
    for number in range(220):
        control.post("/tenants/contoso/users", json={"user_principal_name": f"many{number}@contoso.com"})
    client = graph()
    first = client.get("/users/delta?$select=id").json()
    assert "@odata.nextLink" in first
    everybody, _ = follow(client, "/users/delta?$select=id")
    listed = control.get("/tenants/contoso/users").json()
    assert {item["id"] for item in everybody} == {user["id"] for user in listed}


def test_deletion_says_whether_it_is_for_good(graph: Graph, control: httpx.Client, account: str) -> None:
    grant(control, "User.DeleteRestore.All", app=REVOKE)
    client = graph(REVOKE)
    _, link = follow(client, LATEST)
    client.delete(f"/users/{account}")
    removed, link = follow(client, link)
    assert removed == [{"id": account, "@removed": {"reason": "changed"}}]
    assert client.delete(f"/directory/deletedItems/{account}").status_code == 204
    assert follow(client, link)[0] == [{"id": account, "@removed": {"reason": "deleted"}}]


def test_minimal_answers_have_only_what_changed(graph: Graph, account: str) -> None:
    client = graph()
    _, link = follow(client, LATEST)
    client.patch(f"/users/{account}", json={"accountEnabled": False})
    minimal = client.get(link, headers={"Prefer": "return=minimal"}).json()["value"]
    assert minimal == [{"id": account, "accountEnabled": False}]


def test_only_those_asked_for_are_followed(graph: Graph, account: str) -> None:
    client = graph()
    everybody, link = follow(client, f"/users/delta?$filter=id eq '{account}'")
    assert [item["id"] for item in everybody] == [account]
    client.patch(f"/users/{HELPDESK}", json={"displayName": "another name"})
    assert follow(client, link)[0] == []


def test_a_token_of_seven_days_is_gone(graph: Graph, control: httpx.Client) -> None:
    _, link = follow(graph(), LATEST)
    control.post("/clock", json={"advance": timedelta(days=7, minutes=1).total_seconds()})
    client = graph()
    gone = client.get(link)
    assert (gone.status_code, refusal(gone).code) == (410, "syncStateNotFound")
    assert client.get(gone.headers["Location"]).status_code == 200


def test_roles_tell_who_came_and_who_went(graph: Graph) -> None:
    client = graph(REVOKE)
    _, link = follow(client, "/directoryRoles/delta")
    body = {"principalId": ADELE, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
    held = client.post("/roleManagement/directory/roleAssignments", json=body).json()["id"]
    (role,), link = follow(client, link)
    assert role["roleTemplateId"] == REPORTS_READER
    assert role["members@delta"] == [{"@odata.type": "#microsoft.graph.user", "id": ADELE}]
    client.delete(f"/roleManagement/directory/roleAssignments/{held}")
    (role,), _ = follow(client, link)
    assert role["members@delta"][0]["@removed"] == {"reason": "deleted"}  # type: ignore[index]


def test_a_restored_account_is_new_again(graph: Graph, account: str) -> None:
    client = graph(REVOKE)
    client.delete(f"/users/{account}")
    _, link = follow(client, LATEST)
    client.post(f"/directory/deletedItems/{account}/restore", json={})
    client.post("/users", json=new_user(userPrincipalName="second@contoso.com"))
    changed, _ = follow(client, link)
    assert account in {item["id"] for item in changed}
    assert len(changed) == 2
