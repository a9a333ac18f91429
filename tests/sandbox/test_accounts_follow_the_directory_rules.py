"""An account that the sandbox takes and Microsoft would refuse makes the first real grant fail."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.seeded import (
    ADELE,
    FABRIKAM,
    NEW_ACCOUNT,
    SYNCED,
    Graph,
    Refusal,
    new_user,
    refusal,
)


def test_the_same_name_twice_is_an_error_that_names_the_property(graph: Graph, account: str) -> None:
    again = graph().post("/users", json=new_user(userPrincipalName=NEW_ACCOUNT.upper()))
    assert refusal(again).message == "Another object with the same value for property userPrincipalName already exists."
    (detail,) = again.json()["error"]["details"]
    assert (detail["code"], detail["target"]) == ("ObjectConflict", "userPrincipalName")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"userPrincipalName": "alex@nowhere.example"}, "The domain portion of the userPrincipalName property is"),
        ({"userPrincipalName": "a lex@contoso.com"}, "Property userPrincipalName is invalid."),
        ({"userPrincipalName": "alex.@contoso.com"}, "Property userPrincipalName is invalid."),
        ({"userPrincipalName": "älex@contoso.com"}, "Property userPrincipalName is invalid."),
        ({"mailNickname": "msp alex"}, "Invalid value specified for property 'mailNickname' of resource 'User'."),
        ({"mailNickname": None}, "A value is required for property 'mailNickname' of resource 'User'."),
        ({"passwordProfile": {"password": "short1A"}}, "The specified password does not comply"),
        ({"passwordProfile": {"password": "alllowercaseletters"}}, "The specified password does not comply"),
        ({"passwordProfile": {"password": "Xx1-msp-alex-yy"}}, "The specified password does not comply"),
        ({"accountEnabled": "yes"}, "Invalid value specified for property 'accountEnabled' of resource 'User'."),
        ({"displayname": "wrong case"}, "Property 'displayname' does not exist as a declared property"),
        ({"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}}, "Invalid value specified for property"),
        ({"onPremisesExtensionAttributes": {"extensionAttribute1": "x" * 1025}}, "Invalid value specified"),
    ],
)  # fmt: skip
def test_what_the_directory_refuses_is_refused(graph: Graph, changes: dict[str, object], message: str) -> None:
    answer = refusal(graph().post("/users", json=new_user(**changes)))
    assert (answer.status, answer.code) == (400, "Request_BadRequest")
    assert answer.message.startswith(message)


def test_a_body_that_is_not_declared_as_json_is_refused(graph: Graph, account: str) -> None:
    for content, kind in ((b"{", "application/json"), (b"{}", "text/plain"), (b"[]", "application/json")):
        answer = graph().patch(f"/users/{account}", content=content, headers={"Content-Type": kind})
        assert refusal(answer).code == "BadRequest"
        assert refusal(answer).message.startswith("Unable to read JSON request payload.")


def test_unverified_and_federated_domains_take_no_ordinary_account(graph: Graph) -> None:
    client = graph(tenant=FABRIKAM)
    unverified = client.post("/users", json=new_user(userPrincipalName="alex@new.fabrikam.com"))
    assert refusal(unverified).message.startswith("The domain portion of the userPrincipalName")
    federated = client.post("/users", json=new_user(userPrincipalName="alex@fabrikam.com"))
    assert refusal(federated).message == "A value is required for property 'onPremisesImmutableId' of resource 'User'."


def test_a_password_cannot_be_set_under_a_federated_domain(graph: Graph, control: httpx.Client, account: str) -> None:
    control.post("/tenants/contoso/domains/contoso.onmicrosoft.com", json={"authentication_type": "Federated"})
    body = {"passwordProfile": {"password": "sandbox-only-Other-2"}}
    assert refusal(graph().patch(f"/users/{account}", json=body)).status == 403
    assert graph().patch(f"/users/{account}", json={"accountEnabled": False}).status_code == 204


def test_disabling_twice_is_no_error_and_the_second_time_no_change(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    client = graph()
    for effect in (True, False):
        assert client.patch(f"/users/{account}", json={"accountEnabled": False}).status_code == 204
        assert control.get("/journal").json()[-1]["effect"] is effect
    assert client.get(f"/users/{account}?$select=accountEnabled").json()["accountEnabled"] is False


def test_enabling_and_marking_go_in_one_request(graph: Graph, account: str) -> None:
    client = graph()
    body = {"accountEnabled": False, "onPremisesExtensionAttributes": {"extensionAttribute2": "until"}}
    assert client.patch(f"/users/{account}", json=body).status_code == 204
    shown = client.get(f"/users/{account}?$select=accountEnabled,onPremisesExtensionAttributes").json()
    assert (shown["accountEnabled"], shown["onPremisesExtensionAttributes"]["extensionAttribute2"]) == (False, "until")


def test_accounts_mastered_on_premises_are_read_only(graph: Graph) -> None:
    answer = refusal(graph().patch(f"/users/{SYNCED}", json={"displayName": "Renamed"}))
    assert answer.message.startswith("Unable to update the specified properties for on-premises mastered")


def test_renaming_checks_the_new_name(graph: Graph, account: str) -> None:
    client = graph()
    taken = client.patch(f"/users/{account}", json={"userPrincipalName": "adele@contoso.com"})
    assert "already exists" in refusal(taken).message
    nowhere = client.patch(f"/users/{account}", json={"userPrincipalName": "alex@nowhere.example"})
    assert refusal(nowhere).message == "Property userPrincipalName is invalid."
    assert client.patch(f"/users/{account}", json={"userPrincipalName": "alex@contoso.com"}).status_code == 204
    assert client.get(f"/users/{NEW_ACCOUNT}").status_code == 404
    assert client.get("/users/alex@contoso.com").json()["id"] == account


def test_a_nobody_is_not_found_whatever_the_id_looks_like(graph: Graph) -> None:
    for key in ("00000000-0000-4000-8000-000000000000", "no-guid", "nobody@contoso.com"):
        for answer in (
            graph().get(f"/users/{key}"),
            graph().patch(f"/users/{key}", json={"accountEnabled": False}),
            graph().post(f"/users/{key}/revokeSignInSessions", json={}),
            graph().get(f"/users/{key}/authentication/methods"),
        ):
            assert refusal(answer) == Refusal(
                404,
                "Request_ResourceNotFound",
                f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
            )


def test_leaving_a_group_twice_is_refused_the_second_time(graph: Graph) -> None:
    client = graph("5e70ca7e-0000-4000-8000-000000005e70")
    path = f"/groups/c0c0c0c0-2222-4222-8222-00000000ee01/members/{ADELE}/$ref"
    assert client.delete(path).status_code == 204
    assert refusal(client.delete(path)).message.startswith("One or more removed object references do not exist")
