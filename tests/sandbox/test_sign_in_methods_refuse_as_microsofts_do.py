"""What Microsoft refuses of passes and sign-in methods, and in which words, as real tenants were seen to answer.

A sandbox that takes what Microsoft refuses hides the closing that is never proven, and the first grant that parks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.sandbox.seeded import ADELE, ELEVATE, REVOKE, Graph, refusal

AUTHENTICATION = f"/users/{ADELE}/authentication"
PASSES = f"{AUTHENTICATION}/temporaryAccessPassMethods"
NAME = "adele@contoso.com"
NOT_COVERED = (
    "Converged UserCredentialPolicy does not allow creating or updating this authentication method. "
    "AuthMethodType [TemporaryAccessPass]."
)


def register(control: httpx.Client, kind: str) -> str:
    made = control.post(f"/tenants/contoso/users/{ADELE}/methods", json={"kind": kind}).raise_for_status()
    return str(made.json()["method_id"])


def change_pass_policy(control: httpx.Client, **changes: object) -> None:
    control.post("/tenants/contoso", json={"temporary_access_pass": changes}).raise_for_status()


def a_minute_ago() -> str:
    return f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            lambda: {"lifetimeInMinutes": 481},
            "Invalid LifetimeInMinutes specified. The valid range between 60 and 480.",
        ),
        (
            lambda: {"startDateTime": a_minute_ago()},
            "Invalid StartDateTime specified. It can not be a time in the past.",
        ),
    ],
    ids=["lifetime", "start"],
)
def test_a_pass_outside_of_what_is_allowed(graph: Graph, body: Callable[[], dict[str, object]], message: str) -> None:
    answer = graph(ELEVATE).post(PASSES, json=body())
    found = refusal(answer)
    assert (found.status, found.code, found.message) == (400, "badRequest", message)
    assert answer.json()["error"]["innerError"]["message"] == message


def test_a_missing_permission_is_told_twice(graph: Graph, control: httpx.Client) -> None:
    withdrawn = {"app": REVOKE, "withdraw": ["UserAuthenticationMethod.ReadWrite.All"]}
    control.post("/tenants/contoso", json={"service_principals": [withdrawn]}).raise_for_status()
    error = graph(REVOKE).post(PASSES, json={}).json()["error"]
    assert (error["code"], error["message"]) == ("accessDenied", "Request Authorization failed")
    assert error["innerError"]["message"] == error["message"]


def test_a_pass_starts_a_little_before_it_was_made_and_names_the_user_as_the_caller_did(graph: Graph) -> None:
    made = graph(ELEVATE).post(f"/users/{NAME}/authentication/temporaryAccessPassMethods", json={}).json()
    assert made["startDateTime"] < made["createdDateTime"]
    named = "users('adele%40contoso.com')/authentication/temporaryAccessPassMethods/$entity"
    assert made["@odata.context"].endswith(f"/$metadata#{named}")


def test_a_pass_is_refused_to_an_account_that_is_too_new(graph: Graph, control: httpx.Client) -> None:
    change_pass_policy(control, new_accounts_refused=60)
    made = control.post("/tenants/contoso/users", json={"user_principal_name": "new@contoso.com"}).json()
    passes = f"/users/{made['id']}/authentication/temporaryAccessPassMethods"
    assert refusal(graph(ELEVATE).post(passes, json={})).message == NOT_COVERED
    control.post("/clock", json={"advance": 61})
    assert graph(ELEVATE).post(passes, json={}).status_code == 201


def test_a_pass_opens_nothing_for_its_first_seconds(graph: Graph, control: httpx.Client) -> None:
    change_pass_policy(control, new_passes_refused=10)
    made = graph(ELEVATE).post(PASSES, json={}).json()
    credential = {"username": NAME, "temporary_access_pass": made["temporaryAccessPass"]}
    assert control.post("/sign-in", json=credential).status_code == 401
    control.post("/clock", json={"advance": 11})
    assert control.post("/sign-in", json=credential).status_code == 200


def test_the_default_method_goes_last(graph: Graph, control: httpx.Client) -> None:
    default, other = register(control, "phone"), register(control, "fido2")
    client = graph(REVOKE)
    answer = client.delete(f"{AUTHENTICATION}/phoneMethods/{default}")
    message = (
        f"The requested authentication method id of [{default}] matches the user's current default authentication "
        "method, and cannot be deleted until the default authentication method is changed"
    )
    assert (answer.status_code, answer.json()["error"]["innerError"]["message"]) == (400, message)
    assert client.delete(f"{AUTHENTICATION}/fido2Methods/{other}").status_code == 204
    assert client.delete(f"{AUTHENTICATION}/phoneMethods/{default}").status_code == 204


@pytest.mark.parametrize("kind", ["qrCodePin", "hardwareOath"])
def test_some_kinds_are_listed_in_v1_and_deleted_in_beta_alone(graph: Graph, control: httpx.Client, kind: str) -> None:
    held = register(control, kind)
    path = AUTHENTICATION + {"qrCodePin": "/qrCodePinMethod", "hardwareOath": f"/hardwareOathMethods/{held}"}[kind]
    client = graph(REVOKE)
    (listed,) = [one for one in client.get(f"{AUTHENTICATION}/methods").json()["value"] if one["id"] == held]
    assert listed["@odata.type"] == f"#microsoft.graph.{kind}AuthenticationMethod"
    assert client.delete(path).status_code == 400
    beta = str(client.base_url.copy_with(path=f"/beta{path}"))
    assert client.delete(beta).status_code == 204
    assert client.delete(beta).status_code == 404
    assert held not in client.get(f"{AUTHENTICATION}/methods").text


def test_nothing_is_deleted_under_methods(graph: Graph, control: httpx.Client) -> None:
    answer = graph(REVOKE).delete(f"{AUTHENTICATION}/methods/{register(control, 'phone')}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"Message", "MessageDetail"}


def test_a_member_is_not_deleted_through_its_group(graph: Graph, control: httpx.Client) -> None:
    """Without ``/$ref`` the request names the account itself."""
    control.post(f"/tenants/contoso/users/{ADELE}/groups", json={"name": "Retail"})
    client = graph(REVOKE)
    (group,) = [one["id"] for one in client.get("/groups").json()["value"] if one["displayName"] == "Retail"]
    found = refusal(client.delete(f"/groups/{group}/members/{ADELE}"))
    assert (found.status, found.message) == (400, "Write requests are only supported on contained entities")
    assert client.get(f"/users/{ADELE}").status_code == 200


def test_a_deleted_account_has_its_id_before_its_name(graph: Graph, control: httpx.Client) -> None:
    client = graph(REVOKE)
    control.delete(f"/tenants/contoso/users/{ADELE}").raise_for_status()
    named = ADELE.replace("-", "") + NAME
    path = f"/directory/deletedItems/{ADELE}"
    assert client.get(path).json()["userPrincipalName"] == named
    assert "deletedDateTime" not in client.get(path).json(), "it is told to who selects it"
    assert client.get(f"{path}?$select=deletedDateTime").json()["deletedDateTime"]
    found = client.get(
        "/directory/deletedItems/graph.user",
        params={"$filter": f"startsWith(userPrincipalName,'{named}')", "$count": "true"},
        headers={"ConsistencyLevel": "eventual"},
    )
    assert [one["id"] for one in found.json()["value"]] == [ADELE]
    control.post(f"/tenants/contoso/users/{ADELE}/restore", json={})
    assert client.get(f"/users/{ADELE}").json()["userPrincipalName"] == NAME
