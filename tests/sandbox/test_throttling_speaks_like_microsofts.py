"""A client that ignores how Microsoft throttles gets a tenant's every tool refused; one that was never throttled
in a test finds out at a customer's.
"""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.seeded import ADELE, CONTOSO, ELEVATE, FABRIKAM, REVOKE, Graph, refusal

METHODS = f"/users/{ADELE}/authentication/methods"


def throttle(control: httpx.Client, limits: object, tenant: str | None = None) -> None:
    """What was used up comes back with time, so none passes by itself."""
    assert control.post("/clock", json={"stands": True}).status_code == 200
    answer = control.post("/throttle", json={"throttle": limits, "tenant": tenant})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "units"),
    [
        ("GET", "/users", 2),
        ("GET", "/users?$select=id", 1),
        ("GET", "/users?$top=5&$select=id", 1),
        ("GET", f"/users/{ADELE}", 1),
        ("GET", "/organization", 1),
        ("GET", "/roleManagement/directory/roleAssignments?$expand=principal", 2),
        ("PATCH", f"/users/{ADELE}", 1),
        ("GET", "/users/nobody@contoso.com", 1),
    ],
)
def test_every_answer_says_what_it_cost(graph: Graph, method: str, path: str, units: int) -> None:
    body = {"department": "x"} if method == "PATCH" else None
    answer = graph().request(method, path, json=body)
    assert answer.headers["x-ms-resource-unit"] == str(units)
    assert "x-ms-throttle-limit-percentage" not in answer.headers


def test_resource_units_run_out_are_announced_and_come_back(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    throttle(control, 0.01)  # 35 units in ten seconds for a tenant so small
    answers = [client.get("/organization") for _ in range(60)]
    statuses = [answer.status_code for answer in answers]
    served = statuses.index(429)
    assert served == 35
    warned = [answer.headers.get("x-ms-throttle-limit-percentage") for answer in answers]
    assert warned[:25] == [None] * 25
    assert float(warned[served - 1] or 0) > 0.8
    assert float(warned[-1] or 0) > 1

    refused = answers[served]
    assert refusal(refused).code == "TooManyRequests"
    assert refused.headers["x-ms-throttle-scope"] == f"Tenant_Application/ReadWrite/{ELEVATE}/{CONTOSO}"
    assert refused.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert int(refused.headers["Retry-After"]) >= 1
    control.post("/clock", json={"advance": 10})
    assert client.get("/organization").status_code == 200


def test_limits_are_of_one_app_in_one_tenant(graph: Graph, control: httpx.Client) -> None:
    busy, other_app, other_tenant = graph(), graph(REVOKE), graph(tenant=FABRIKAM)
    throttle(control, 0.01)
    while busy.get("/organization").status_code != 429:
        pass
    assert other_app.get("/organization").status_code == 200
    assert other_tenant.get("/organization").status_code == 200


def test_writes_have_a_limit_of_their_own(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    throttle(control, 0.01)  # 30 writes in 150 seconds
    written = 0
    while (answer := client.patch(f"/users/{ADELE}", json={"department": str(written)})).status_code != 429:
        written += 1
        control.post("/clock", json={"advance": 0.5})
    assert written == 33
    assert answer.headers["x-ms-throttle-scope"] == f"Tenant_Application/Write/{ELEVATE}/{CONTOSO}"
    assert answer.headers["x-ms-throttle-information"] == "WriteLimitExceeded"
    assert client.get("/organization").status_code == 200, "reads are not writes"
    kept = control.get(f"/tenants/contoso/users/{ADELE}").json()["properties"]["department"]
    assert kept == str(written - 1), "what is refused has no effect"


def test_sign_in_methods_and_audit_logs_allow_five_calls_in_ten_seconds(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    throttle(control, "real")
    answers = [client.get(METHODS) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert "Retry-After" not in answers[-1].headers
    assert "x-ms-throttle-scope" not in answers[-1].headers
    assert client.get(f"/users/{ADELE}").status_code == 200
    control.post("/clock", json={"advance": 2})
    assert client.get(METHODS).status_code == 200


def test_throttling_concerns_the_tenant_that_has_it(graph: Graph, control: httpx.Client) -> None:
    throttle(control, "real", "fabrikam")
    assert {graph().get(METHODS).status_code for _ in range(8)} == {200}
    assert control.get("/throttle").json() == {"default": None, "tenants": {"fabrikam": 1.0}}
    throttle(control, "off")
    assert control.get("/throttle").json() == {"default": None, "tenants": {}}


@pytest.mark.parametrize("given", ["sometimes", 0, -1, "nan"])
def test_limits_that_are_none_are_refused(control: httpx.Client, given: object) -> None:
    answer = control.post("/throttle", json={"throttle": given})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("throttle: ")
