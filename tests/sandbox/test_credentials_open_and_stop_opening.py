"""A credential has to open nothing after the grant: a sandbox that forgave would hide a broken promise.

Passwords, Temporary Access Passes, refresh tokens: each is tried before and after what should end it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.sandbox.seeded import (
    ADELE,
    FABRIKAM,
    GUEST,
    NEW_ACCOUNT,
    PASSWORD,
    REVOKE,
    Graph,
    new_user,
    refusal,
)

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def sign_in(control: httpx.Client, **credential: str) -> httpx.Response:
    return control.post("/sign-in", json={"username": NEW_ACCOUNT} | credential)


def number(answer: httpx.Response) -> int:
    assert answer.status_code in {400, 401}, answer.text
    return int(answer.json()["error_codes"][0])


def issue_pass(graph: Graph, account: str, **wanted: object) -> dict[str, object]:
    answer = graph().post(f"/users/{account}/authentication/temporaryAccessPassMethods", json=wanted)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_password_signs_in_and_the_token_shows_the_own_account(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    signed_in = sign_in(control, password=PASSWORD).json()
    assert (signed_in["signed_in"], signed_in["user_id"]) == (True, account)
    me = graph().get("/me", headers={"Authorization": f"Bearer {signed_in['access_token']}"})
    assert me.json()["userPrincipalName"] == NEW_ACCOUNT
    others = graph().get("/users", headers={"Authorization": f"Bearer {signed_in['access_token']}"})
    assert others.status_code == 403


def test_each_refusal_has_its_number(graph: Graph, control: httpx.Client, account: str) -> None:
    assert number(sign_in(control, password="sandbox-only-Wrong-1")) == 50126
    assert number(sign_in(control, username="nobody@contoso.com", password=PASSWORD)) == 50034
    assert number(sign_in(control, username="x@nowhere.example", password=PASSWORD)) == 90002
    assert number(sign_in(control, temporary_access_pass="no-such-pass")) == 130507
    graph().patch(f"/users/{account}", json={"accountEnabled": False})
    assert number(sign_in(control, password=PASSWORD)) == 50057
    graph(REVOKE).delete(f"/users/{account}")
    assert number(sign_in(control, password=PASSWORD)) == 50034


def test_a_scrambled_password_opens_nothing(graph: Graph, control: httpx.Client, account: str) -> None:
    body = {"passwordProfile": {"password": "sandbox-only-Scrambled-2", "forceChangePasswordNextSignIn": True}}
    assert graph(REVOKE).patch(f"/users/{account}", json=body).status_code == 204
    assert number(sign_in(control, password=PASSWORD)) == 50126
    assert sign_in(control, password="sandbox-only-Scrambled-2").json()["must_change_password"] is True


def test_a_pass_signs_in_until_it_is_deleted(graph: Graph, control: httpx.Client, account: str) -> None:
    held = issue_pass(graph, account, lifetimeInMinutes=60, isUsableOnce=False)
    value = str(held["temporaryAccessPass"])
    assert (held["isUsable"], held["methodUsabilityReason"], len(value)) == (True, "EnabledByPolicy", 8)
    for _ in range(2):
        assert sign_in(control, temporary_access_pass=value).status_code == 200
    path = f"/users/{account}/authentication/temporaryAccessPassMethods"
    (shown,) = graph().get(path).json()["value"]
    assert shown["temporaryAccessPass"] is None
    assert graph().delete(f"{path}/{held['id']}").status_code == 204
    assert graph().get(path).json()["value"] == []
    assert number(sign_in(control, temporary_access_pass=value)) == 130507
    assert graph().delete(f"{path}/{held['id']}").status_code == 404


def test_a_second_pass_replaces_the_first(graph: Graph, control: httpx.Client, account: str) -> None:
    first, second = issue_pass(graph, account), issue_pass(graph, account)
    assert number(sign_in(control, temporary_access_pass=str(first["temporaryAccessPass"]))) == 130507
    assert sign_in(control, temporary_access_pass=str(second["temporaryAccessPass"])).status_code == 200


def test_a_one_time_pass_works_once(graph: Graph, control: httpx.Client, account: str) -> None:
    held = issue_pass(graph, account, isUsableOnce=True)
    value = str(held["temporaryAccessPass"])
    assert sign_in(control, temporary_access_pass=value).status_code == 200
    assert number(sign_in(control, temporary_access_pass=value)) == 130507
    shown = graph().get(f"/users/{account}/authentication/temporaryAccessPassMethods/{held['id']}").json()
    assert (shown["isUsable"], shown["methodUsabilityReason"]) == (False, "OneTimeUsed")


def test_a_pass_for_later_opens_nothing_now_and_one_from_before_nothing_more(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    passes = f"/users/{account}/authentication/temporaryAccessPassMethods"
    held = issue_pass(graph, account, startDateTime=(datetime.now(UTC) + timedelta(minutes=30)).isoformat())
    for later, reason in ((timedelta(), "NotYetValid"), (timedelta(hours=2), "Expired")):
        control.post("/clock", json={"advance": later.total_seconds()})
        (shown,) = graph().get(passes).json()["value"]
        assert (shown["isUsable"], shown["methodUsabilityReason"]) == (False, reason)
        assert number(sign_in(control, temporary_access_pass=str(held["temporaryAccessPass"]))) == 130507


def test_the_policy_decides_about_passes(graph: Graph, control: httpx.Client, account: str) -> None:
    path = f"/users/{account}/authentication/temporaryAccessPassMethods"
    client = graph()
    for lifetime in (9, 59, 481, "60"):
        assert refusal(client.post(path, json={"lifetimeInMinutes": lifetime})).code == "badRequest"
    control.post("/tenants/contoso", json={"temporary_access_pass": {"one_time_only": True}})
    assert client.post(path, json={"isUsableOnce": False}).status_code == 400
    assert client.post(path, json={}).json()["isUsableOnce"] is True
    control.post("/tenants/contoso", json={"temporary_access_pass": {"enabled": False}})
    refused = refusal(client.post(path, json={}))
    assert refused.message.startswith("Converged UserCredentialPolicy does not allow")
    (shown,) = client.get(path).json()["value"]
    assert shown["methodUsabilityReason"] == "DisabledByPolicy"


def test_guests_get_no_pass_and_fabrikam_gives_none(graph: Graph, control: httpx.Client) -> None:
    guest = graph().post(f"/users/{GUEST}/authentication/temporaryAccessPassMethods", json={})
    assert refusal(guest).message == "Temporary Access Pass cannot be added to an external guest user"
    policy = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
    assert graph(tenant=FABRIKAM).get(policy).json()["state"] == "disabled"
    shown = graph().get(policy).json()
    assert (shown["state"], shown["minimumLifetimeInMinutes"], shown["maximumLifetimeInMinutes"]) == (
        "enabled",
        60,
        480,
    )


def test_a_method_registered_during_the_grant_is_seen_and_can_be_deleted(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    kinds = ["phone", "fido2", "microsoftAuthenticator", "softwareOath", "email", "windowsHelloForBusiness"]
    for kind in kinds:
        control.post(f"/tenants/contoso/users/{account}/methods", json={"kind": kind})
    client = graph(REVOKE)
    listed = client.get(f"/users/{account}/authentication/methods").json()["value"]
    types = {item["@odata.type"]: item["id"] for item in listed}
    assert set(types) == {f"#microsoft.graph.{kind}AuthenticationMethod" for kind in [*kinds, "password"]}
    for kind in reversed(kinds):  # the default method, which is the first that can be one, goes last
        path = f"/users/{account}/authentication/{kind}Methods"
        (held,) = client.get(path).json()["value"]
        assert client.get(f"{path}/{held['id']}").json()["@odata.type"] in types
        assert client.delete(f"{path}/{held['id']}").status_code == 204
        assert client.delete(f"{path}/{held['id']}").status_code == 404
    assert len(client.get(f"/users/{account}/authentication/methods").json()["value"]) == 1


def refresh(login: httpx.Client, token: str) -> httpx.Response:
    form = {"client_id": AZURE_CLI, "grant_type": "refresh_token", "refresh_token": token, "scope": "offline_access"}
    return login.post("/organizations/oauth2/v2.0/token", data=form)


@pytest.mark.parametrize(
    ("end", "expected"), [("revoke", 50173), ("disable", 50057), ("reset", 50173), ("delete", 50034)]
)
def test_a_session_ends_with_what_should_end_it(
    graph: Graph, control: httpx.Client, login: httpx.Client, account: str, end: str, expected: int
) -> None:
    client = graph(REVOKE)
    first = sign_in(control, password=PASSWORD).json()["refresh_token"]
    renewed = refresh(login, first)
    assert renewed.status_code == 200
    ends = {
        "revoke": lambda: client.post(f"/users/{account}/revokeSignInSessions", json={}),
        "disable": lambda: client.patch(f"/users/{account}", json={"accountEnabled": False}),
        "reset": lambda: client.patch(f"/users/{account}", json={"passwordProfile": {"password": "sandbox-only-Z9"}}),
        "delete": lambda: client.delete(f"/users/{account}"),
    }
    assert ends[end]().status_code in {200, 204}
    for token in (first, renewed.json()["refresh_token"]):
        assert number(refresh(login, token)) == expected
    assert number(refresh(login, "garbage")) == 9002313


def test_access_tokens_outlive_the_revocation(graph: Graph, control: httpx.Client, account: str) -> None:
    token = sign_in(control, password=PASSWORD).json()["access_token"]
    graph().patch(f"/users/{account}", json={"accountEnabled": False})
    assert graph().get("/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_revocation_is_shown(graph: Graph, account: str) -> None:
    client = graph(REVOKE)
    before = datetime.now(UTC).replace(microsecond=0)
    answer = client.post(f"/users/{account}/revokeSignInSessions", json={})
    assert answer.status_code == 200
    assert answer.json()["value"] is True
    assert answer.json()["@odata.context"].endswith("$metadata#Edm.Boolean")
    shown = client.get(f"/users/{account}?$select=signInSessionsValidFromDateTime").json()
    moment = datetime.fromisoformat(shown["signInSessionsValidFromDateTime"])
    assert before <= moment <= datetime.now(UTC)


def test_a_federated_domain_signs_in_elsewhere(graph: Graph, control: httpx.Client, login: httpx.Client) -> None:
    graph().post("/users", json=new_user())
    control.post("/tenants/contoso/domains/contoso.onmicrosoft.com", json={"authentication_type": "Federated"})
    assert number(sign_in(control, password=PASSWORD)) == 50126
    realm = login.get(f"/common/userrealm/{NEW_ACCOUNT}?api-version=1.0").json()
    assert realm["account_type"] == "Federated"
    assert login.get("/common/userrealm/x@nowhere.example").json()["account_type"] == "Unknown"
    assert ADELE
