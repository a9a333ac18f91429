"""A batch hides failures inside a 200; were one part's refusal not its own, a sweep would take silence for success."""

from __future__ import annotations

import httpx
import pytest
from msgraph import GraphServiceClient
from msgraph.generated.models.user import User

from tests.sandbox.seeded import ADELE, HELPDESK, Graph, new_user, refusal


def part(number: int, url: str, method: str = "GET", **more: object) -> dict[str, object]:
    return {"id": str(number), "method": method, "url": url} | more


def sent(client: httpx.Client, *parts: dict[str, object]) -> httpx.Response:
    return client.post("/$batch", json={"requests": list(parts)})


def by_id(answer: httpx.Response) -> dict[str, dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return {one["id"]: one for one in answer.json()["responses"]}


def test_parts_have_statuses_headers_and_bodies_of_their_own(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    found = by_id(
        sent(
            client,
            part(1, f"/users/{ADELE}?$select=displayName"),
            part(2, "users/nobody"),
            part(3, f"/users/{ADELE}", "PATCH", body={"city": "Here"}, headers={"Content-Type": "application/json"}),
            part(4, "/nothing"),
        )
    )
    assert {key: one["status"] for key, one in found.items()} == {"1": 200, "2": 404, "3": 204, "4": 400}
    assert found["1"]["body"]["displayName"] == "Adele Vance"  # type: ignore[index]
    assert found["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"  # type: ignore[index]
    assert found["3"]["body"] is None
    assert found["1"]["headers"]["OData-Version"] == "4.0"  # type: ignore[index]
    journal = control.get("/journal", params={"path": "/users/"}).json()
    assert [entry["status"] for entry in journal] == [200, 404, 204]


def test_each_waits_for_the_one_before_and_a_failure_stops_the_rest(graph: Graph) -> None:
    headers = {"Content-Type": "application/json"}
    user = new_user(userPrincipalName="batch@contoso.com")
    found = by_id(
        sent(
            graph(),
            part(1, "/users", "POST", body=user, headers=headers),
            part(2, "/users/batch@contoso.com", dependsOn=["1"]),
            part(3, "/users/nobody", dependsOn=["2"]),
            part(4, f"/users/{ADELE}", "PATCH", body={"city": "Never"}, headers=headers, dependsOn=["3"]),
        )
    )
    assert [found[number]["status"] for number in "1234"] == [201, 200, 404, 424]
    assert found["4"]["body"]["error"]["code"] == "FailedDependency"  # type: ignore[index]
    assert graph().get(f"/users/{ADELE}?$select=city").json()["city"] is None


def test_a_part_is_throttled_alone(graph: Graph, control: httpx.Client) -> None:
    fault = {"path": f"/users/{HELPDESK}", "status": 429, "retry_after": 7}
    assert control.post("/faults", json=fault).status_code == 200
    found = by_id(sent(graph(), part(1, f"/users/{ADELE}"), part(2, f"/users/{HELPDESK}")))
    assert (found["1"]["status"], found["2"]["status"]) == (200, 429)
    assert found["2"]["headers"]["Retry-After"] == "7"  # type: ignore[index]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part(number, "/organization") for number in range(21)],
        [part(1, "/organization"), part(1, "/domains")],
        [part(1, "https://graph.microsoft.com/v1.0/organization")],
        [part(1, "/organization", dependsOn=["2"]), part(2, "/domains")],
        [part(1, "/domains"), part(2, "/domains", dependsOn=["1"]), part(3, "/domains")],
        [part(1, "/users", "POST", body={})],
        [{"id": "1"}],
    ],
    ids=["empty", "21", "same ids", "absolute", "depends on later", "branches", "body without type", "no url"],
)
def test_a_malformed_batch_is_refused_as_a_whole(
    graph: Graph, control: httpx.Client, parts: list[dict[str, object]]
) -> None:
    refused = refusal(sent(graph(), *parts))
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert control.get("/journal", params={"path": "/organization"}).json() == []


def test_a_batch_needs_a_token_and_survives_a_lost_part(graph: Graph, control: httpx.Client) -> None:
    control.post("/faults", json={"path": "/domains", "drop": "after"})
    found = by_id(sent(graph(), part(1, "/domains"), part(2, "/organization")))
    assert (found["1"]["status"], found["2"]["status"]) == (504, 200)
    client = graph()
    client.headers.pop("Authorization")
    assert sent(client, part(1, "/domains")).status_code == 401


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # it warns of its own classes
async def test_microsofts_own_batch_client_sends_and_reads_every_part(
    microsoft: GraphServiceClient, graph: Graph
) -> None:
    from msgraph_core.requests.batch_request_content import BatchRequestContent

    users = microsoft.users
    asked = BatchRequestContent(
        {
            "read": users.by_user_id(ADELE).to_get_request_information(),
            "changed": users.by_user_id(HELPDESK).to_patch_request_information(User(city="Here")),
            "absent": users.by_user_id("nobody@contoso.com").to_get_request_information(),
        }
    )
    read, changed, absent = asked.requests  # it gives its parts ids of its own

    answered = await microsoft.batch.post(asked)

    assert answered.get_response_status_codes() == {read: 200, changed: 204, absent: 404}
    # It cannot read their bodies from any server: its reader of JSON takes them for base64.
    for one in (read, absent):
        assert answered.get_response_by_id(one).content_type.startswith("application/json")
    assert graph().get(f"/users/{HELPDESK}?$select=city").json()["city"] == "Here"
