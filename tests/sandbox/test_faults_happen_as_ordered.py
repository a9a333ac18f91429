"""Every failure drill of the product rests on these: a fault that struck elsewhere, or not at all, proves nothing.

The one that matters most is the answer lost after the effect.
"""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from tests.patience import HELD_SECONDS, PATIENCE_SECONDS
from tests.sandbox.seeded import ADELE, CONTOSO, ELEVATE, FABRIKAM, NEW_ACCOUNT, REVOKE, Graph, new_user, token_of


def fault(control: httpx.Client, **specification: object) -> str:
    answer = control.post("/faults", json=specification)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def wait_until_met(control: httpx.Client, identity: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not next(shown["hits"] for shown in control.get("/faults").json() if shown["id"] == identity):
        assert time.monotonic() < deadline, "no request has met it"
        time.sleep(0.02)


@pytest.mark.parametrize(("when", "happened"), [("after", True), ("before", False)])
def test_a_dropped_connection_answers_nothing(graph: Graph, control: httpx.Client, when: str, happened: bool) -> None:
    client = graph()
    identity = fault(control, method="POST", path="/users", drop=when, count=1)
    with pytest.raises(httpx.TransportError):
        client.post("/users", json=new_user())
    assert (client.get(f"/users/{NEW_ACCOUNT}").status_code == 200) is happened
    entry = control.get("/journal?method=POST&path=/v1.0/users").json()[-1]
    assert (entry["status"], entry["fault"], entry["effect"]) == (None, identity, happened)


def test_a_status_has_microsofts_body_and_no_effect(graph: Graph, control: httpx.Client, account: str) -> None:
    client = graph()
    for status, code in ((429, "TooManyRequests"), (503, "ServiceUnavailable"), (500, "UnknownError"),
                         (409, "Directory_ConcurrencyViolation"), (403, "Authorization_RequestDenied")):  # fmt: skip
        fault(control, method="PATCH", path="/users/*", status=status, retry_after=7, count=1)
        answer = client.patch(f"/users/{account}", json={"accountEnabled": False})
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        assert answer.headers["Retry-After"] == "7"
        assert answer.headers["request-id"] == answer.json()["error"]["innerError"]["request-id"]
    assert client.get(f"/users/{account}?$select=accountEnabled").json()["accountEnabled"] is True


def test_code_and_message_can_be_ones_own(graph: Graph, control: httpx.Client) -> None:
    fault(control, path="/organization", status=400, code="Directory_QuotaExceeded", message="No.", count=1)
    error = graph().get("/organization").json()["error"]
    assert (error["code"], error["message"]) == ("Directory_QuotaExceeded", "No.")


def test_skip_and_count_are_exact(graph: Graph, control: httpx.Client) -> None:
    identity = fault(control, method="GET", path="/organization", status=503, skip=2, count=3)
    client = graph()
    statuses = [client.get("/organization").status_code for _ in range(7)]
    assert statuses == [200, 200, 503, 503, 503, 200, 200]
    (shown,) = control.get("/faults").json()
    assert (shown["id"], shown["hits"], shown["seen"]) == (identity, 3, 7)
    control.delete(f"/faults/{identity}")
    assert control.get("/faults").json() == []
    assert control.delete(f"/faults/{identity}").status_code == 200


@pytest.mark.parametrize(
    ("conditions", "strikes"),
    [
        ({"method": "get", "path": "/users/*"}, True),
        ({"path": "*"}, True),
        ({"path": "/users/**"}, True),
        ({"path": "^/users/[^/]+$"}, True),
        ({"path": "/USERS/" + ADELE}, True),
        ({"path": "/users"}, False),
        ({"path": "/users/*/authentication/methods"}, False),
        ({"method": "PATCH"}, False),
        ({"tenant": "contoso"}, True),
        ({"tenant": CONTOSO}, True),
        ({"tenant": "contoso.com"}, True),
        ({"tenant": "fabrikam"}, False),
        ({"app": ELEVATE}, True),
        ({"app": REVOKE}, False),
    ],
)
def test_conditions_choose_the_request(
    graph: Graph, control: httpx.Client, conditions: dict[str, object], strikes: bool
) -> None:
    client = graph()
    fault(control, status=503, **conditions)
    assert (client.get(f"/users/{ADELE}").status_code == 503) is strikes


def test_the_body_can_choose_the_request(graph: Graph, control: httpx.Client, account: str) -> None:
    fault(control, method="PATCH", body_contains="accountEnabled", status=503)
    assert graph().patch(f"/users/{account}", json={"department": "x"}).status_code == 204
    assert graph().patch(f"/users/{account}", json={"accountEnabled": True}).status_code == 503


def test_sign_in_fails_with_its_own_envelope(control: httpx.Client, login: httpx.Client) -> None:
    form = {"client_id": ELEVATE, "grant_type": "client_credentials"}
    fault(control, path="/*/oauth2/v2.0/token", status=503, retry_after=2, count=1)
    answer = login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)
    assert (answer.status_code, answer.json()["error_codes"], answer.headers["Retry-After"]) == (503, [90033], "2")
    fault(control, path="/*/oauth2/v2.0/token", status=401, code="7000222", count=1, tenant="fabrikam")
    assert token_of(login, tenant=CONTOSO)
    expired = login.post(f"/{FABRIKAM}/oauth2/v2.0/token", data=form)
    assert (expired.status_code, expired.json()["error_codes"]) == (401, [7000222])


def test_a_delayed_write_takes_effect_although_the_caller_has_gone(
    graph: Graph, control: httpx.Client, account: str
) -> None:
    client = graph()
    late = fault(control, method="PATCH", path="/users/*", delay=HELD_SECONDS, count=1)
    with pytest.raises(httpx.ReadTimeout):
        client.patch(
            f"/users/{account}", json={"accountEnabled": False}, timeout=httpx.Timeout(PATIENCE_SECONDS, read=0.1)
        )
    wait_until_met(control, late)
    assert client.get(f"/users/{account}?$select=accountEnabled").json()["accountEnabled"] is True
    control.delete(f"/faults/{late}")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while client.get(f"/users/{account}?$select=accountEnabled").json()["accountEnabled"]:
        assert time.monotonic() < deadline, "the request was forgotten"
        time.sleep(0.02)


def test_a_delay_ends_by_itself(graph: Graph, control: httpx.Client, account: str) -> None:
    delayed = fault(control, method="PATCH", path="/users/*", delay=0.2, count=1)
    began = time.monotonic()
    assert graph().patch(f"/users/{account}", json={"accountEnabled": False}).status_code == 204
    assert time.monotonic() - began >= 0.2
    assert control.get("/faults").json()[0]["id"] == delayed


def test_a_delay_holds_up_nobody_else(graph: Graph, control: httpx.Client) -> None:
    slow, quick = graph(), graph()
    delayed = fault(control, method="GET", path="/organization", delay=HELD_SECONDS, count=1)
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(slow.get("/organization")))
    waiting.start()
    wait_until_met(control, delayed)
    assert quick.get("/domains").status_code == 200
    assert not answers, "it was not delayed"
    control.delete(f"/faults/{delayed}")
    waiting.join()
    assert answers[0].status_code == 200


@pytest.mark.parametrize(
    "specification",
    [
        {},
        {"path": "/users"},
        {"status": 200},
        {"status": 503, "drop": "after"},
        {"path": "^(", "status": 503},
        {"status": 503, "colour": "red"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(control: httpx.Client, specification: dict[str, object]) -> None:
    answer = control.post("/faults", json=specification)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_journal_has_every_request_and_no_secret(graph: Graph, control: httpx.Client, login: httpx.Client) -> None:
    client = graph()
    client.post("/users", json=new_user())
    client.get("/users?$top=1&$select=id", headers={"client-request-id": "mine"})
    entries = control.get("/journal").json()
    assert [(entry["method"], entry["status"], entry["effect"]) for entry in entries] == [
        ("POST", 200, False),
        ("POST", 201, True),
        ("GET", 200, False),
    ]
    sign_in, created, listed = entries
    assert sign_in["path"] == f"/{CONTOSO}/oauth2/v2.0/token"
    assert {entry["tenant"] for entry in entries} == {CONTOSO}
    assert {entry["app_id"] for entry in entries} == {ELEVATE}
    assert listed["path"] == "/v1.0/users?$top=1&$select=id"
    assert listed["client_request_id"] == "mine"
    assert "sandbox-only" not in control.get("/journal").text
    after = control.get("/journal", params={"after": created["sequence"]}).json()
    assert after == [listed]
    assert control.get("/journal", params={"tenant": "fabrikam"}).json() == []
    assert control.get("/journal", params={"path": "/*/oauth2/*"}).json() == [sign_in]
    control.delete("/journal")
    assert control.get("/journal").json() == []
