"""What stands between a client and Microsoft answers too: with pages, halves and silence. Nothing of it may be taken
for Microsoft's word, so each kind has to be producible, at will or by chance.
"""

from __future__ import annotations

import json

import httpx
import pytest

from tests.patience import HELD_SECONDS, PATIENCE_SECONDS
from tests.sandbox.seeded import ADELE, NEW_ACCOUNT, Graph, new_user, token_of


def fault(control: httpx.Client, **specification: object) -> str:
    answer = control.post("/faults", json=specification)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_half_of_the_json_arrives_as_if_it_were_all(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    fault(control, method="POST", path="/users", body="malformed", count=1)
    answer = client.post("/users", json=new_user())
    assert answer.status_code == 201
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert client.get(f"/users/{NEW_ACCOUNT}").status_code == 200, "it took effect"


def test_a_connection_closes_half_way(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    fault(control, path="/organization", body="truncated", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/organization")
    assert client.get("/organization").status_code == 200


@pytest.mark.parametrize(("status", "effect"), [(None, True), (502, False)])
def test_a_proxys_page_comes_in_place_of_the_answer(
    graph: Graph, control: httpx.Client, status: int | None, effect: bool
) -> None:
    client = graph()
    fault(control, method="POST", path="/users", body="html", status=status, count=1)
    answer = client.post("/users", json=new_user())
    assert answer.status_code == (status or 201)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert (client.get(f"/users/{NEW_ACCOUNT}").status_code == 200) is effect


def test_a_body_can_be_missing_or_say_it_is_something_else(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    fault(control, path="/organization", body="empty", count=1)
    assert client.get("/organization").content == b""
    fault(control, path="/organization", content_type="text/plain", count=1)
    answer = client.get("/organization")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.json()["value"]


def test_a_body_that_drips_ends_whole_and_holds_up_nobody(graph: Graph, control: httpx.Client) -> None:
    client, other = graph(), graph()
    dripping = fault(control, path="/organization", drip=HELD_SECONDS, count=2)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/organization", timeout=httpx.Timeout(PATIENCE_SECONDS, read=0.3))
    with client.stream("GET", "/organization") as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        assert other.get("/domains").status_code == 200
        control.delete(f"/faults/{dripping}")
        rest = list(pieces)
    assert len(rest) > 1
    assert json.loads(first + b"".join(rest))["value"]


def test_a_read_can_be_answered_that_copying_is_under_way(graph: Graph, control: httpx.Client) -> None:
    fault(control, method="GET", path="/users/*", status=202, count=1)
    answer = graph().get(f"/users/{ADELE}")
    assert (answer.status_code, answer.content) == (202, b"")


def test_a_token_can_become_invalid_in_the_middle_of_its_life(
    graph: Graph, control: httpx.Client, login: httpx.Client
) -> None:
    client = graph()
    fault(control, path="/organization", status=401, until_new_token=True)
    answers = [client.get("/organization") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")
    fresh = {"Authorization": f"Bearer {token_of(login)}"}
    assert client.get("/organization", headers=fresh).status_code == 200
    assert client.get("/organization").status_code == 401


def test_chance_is_repeatable_and_about_as_likely_as_ordered(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    runs = []
    for seed in (5, 5, 6):
        control.delete("/faults")
        fault(control, path="/organization", status=503, rate=0.3, seed=seed)
        runs.append([client.get("/organization").status_code for _ in range(60)])
    assert runs[0] == runs[1] != runs[2]
    assert 8 <= runs[0].count(503) <= 28
    (shown,) = control.get("/faults").json()
    assert shown["seen"] == 60
    assert shown["hits"] == runs[2].count(503)


def test_chance_stops_at_its_count(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    fault(control, path="/organization", status=503, rate=0.5, count=3)
    assert [client.get("/organization").status_code for _ in range(40)].count(503) == 3


def test_several_faults_happen_in_their_order(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    ordered = control.post(
        "/faults",
        json=[
            {"path": "/organization", "status": 429, "retry_after": 1, "count": 1},
            {"path": "/organization", "status": 503, "count": 2},
            {"path": "/organization", "body": "html", "count": 1},
        ],
    ).json()["ids"]
    answers = [client.get("/organization") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [429, 503, 503, 200, 200]
    assert answers[3].text.startswith("<!DOCTYPE html>")
    assert answers[4].json()["value"]
    assert [(shown["id"], shown["hits"]) for shown in control.get("/faults").json()] == list(
        zip(ordered, [1, 2, 1], strict=True)
    )


@pytest.mark.parametrize(
    "specification",
    [
        {"drop": "after", "body": "html"},
        {"rate": 0, "status": 503},
        {"rate": 1.5, "status": 503},
        {"body": "chewed"},
        {"status": 201},
        {"content_type": "text/plain\r\nx: y"},
    ],
)
def test_damage_that_makes_no_sense_is_refused(control: httpx.Client, specification: dict[str, object]) -> None:
    for given in (specification, [specification]):
        answer = control.post("/faults", json=given)
        assert answer.status_code == 400
        assert answer.json()["error"]
    assert control.get("/faults").json() == []
