"""The page is shown to people: it must change nothing, tell no secret and load nothing from elsewhere. And a state
that shows a defect must be there again tomorrow, on another machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from sandbox.child import running
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.seeded import ADELE, CONTOSO, NEW_ACCOUNT, REPORTS_READER, Graph, new_user, token_of, trusting


def test_the_page_runs_its_own_script_and_nothing_from_elsewhere(control: httpx.Client) -> None:
    page = control.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.findall(r"(?:src|href)=|https?://|innerHTML", page.text)


def test_what_the_page_asks_for_shows_the_directory_and_no_secret(graph: Graph, control: httpx.Client) -> None:
    client = graph()
    user = client.post("/users", json=new_user()).json()["id"]
    body = {"principalId": user, "roleDefinitionId": REPORTS_READER, "directoryScopeId": "/"}
    client.post("/roleManagement/directory/roleAssignments", json=body)
    issued = client.post(f"/users/{user}/authentication/temporaryAccessPassMethods", json={}).json()
    before = control.get("/journal").json()
    answer = control.get("/watch", params={"tenant": "contoso", "find": "msp"})
    state = answer.json()
    (account,) = state["tenant"]["accounts"]
    assert (account["upn"], account["state"]) == (NEW_ACCOUNT, "enabled")
    assert [role["name"] for role in account["roles"]] == ["Reports Reader"]
    assert account["pass"]["usability"] == "EnabledByPolicy"
    assert [tenant["slug"] for tenant in state["tenants"]] == ["northwind", "contoso", "fabrikam"]
    assert [entry["app"] for entry in state["journal"]] == ["entra-jit elevate"] * 4
    assert issued["temporaryAccessPass"] not in answer.text
    assert "sandbox-only" not in answer.text
    assert not {"digest", "sha256", "salt"} & set(re.findall(r"\w+", answer.text))
    assert control.get("/journal").json() == before, "watching is not journalled"
    later = control.get("/watch", params={"tenant": "contoso", "after": state["journal"][-1]["sequence"]}).json()
    assert later["journal"] == []


def test_an_export_is_a_seed_that_brings_everything_back_and_tells_no_secret(
    graph: Graph, control: httpx.Client, tmp_path: Path
) -> None:
    client = graph()
    user = client.post("/users", json=new_user()).json()["id"]
    client.delete(f"/users/{ADELE}")
    exported = control.get("/export")
    assert "sandbox-only" not in exported.text
    before = control.get("/tenants/contoso/users").json()

    control.post("/reset")
    assert control.get("/tenants/contoso/users").json() != before
    assert control.post("/seed", content=exported.content).json() == {"tenants": 3}
    assert control.get("/tenants/contoso/users").json() == before
    control.delete(f"/tenants/contoso/users/{user}")
    control.post("/reset")
    assert control.get("/tenants/contoso/users").json() == before, "a reset comes back to it"

    seed = tmp_path / "kept.json"
    seed.write_bytes(exported.content)
    with running(tmp_path / "state", "--seed", str(seed)) as elsewhere:
        trust = trusting(elsewhere)
        with httpx.Client(verify=trust, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            found = http.get(f"{elsewhere.control_url}/tenants/contoso/users").json()
            assert found == before
            with httpx.Client(
                base_url=elsewhere.login_url, verify=trust, trust_env=False, timeout=PATIENCE_SECONDS
            ) as login:
                assert token_of(login), "digests open what the secrets opened"
    bundled = Path("sandbox/data/seed.yaml").read_bytes()
    assert control.post("/seed", content=bundled).status_code == 200


@pytest.mark.parametrize("content", ["{", "{}", json.dumps({"rows": [[CONTOSO, "user", "1", {"id": 5}]]})])
def test_a_seed_that_is_none_leaves_everything_as_it_is(control: httpx.Client, content: str) -> None:
    before = control.get("/tenants").json()
    answer = control.post("/seed", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the seed")
    assert control.get("/tenants").json() == before


def test_the_clock_can_be_set_and_everything_obeys_it(graph: Graph, control: httpx.Client, login: httpx.Client) -> None:
    client = graph()
    user = client.post("/users", json=new_user()).json()["id"]
    passes = f"/users/{user}/authentication/temporaryAccessPassMethods"
    held = client.post(passes, json={"lifetimeInMinutes": 60}).json()["id"]
    client.delete(f"/users/{ADELE}")

    def move(minutes: float) -> httpx.Client:
        control.post("/clock", json={"advance": minutes * 60})
        client.headers["Authorization"] = f"Bearer {token_of(login)}"
        return client

    assert move(59).get(f"{passes}/{held}").json()["methodUsabilityReason"] == "EnabledByPolicy"
    assert move(2).get(f"{passes}/{held}").json()["methodUsabilityReason"] == "Expired"
    control.post("/clock", json={"advance": 2 * 3600})
    expired = client.get("/organization")
    assert (expired.status_code, expired.json()["error"]["message"]) == (
        401,
        "Lifetime validation failed, the token is expired.",
    )
    deleted = f"/directory/deletedItems/{ADELE}"
    assert move(29 * 24 * 60).get(deleted).status_code == 200
    assert move(24 * 60).get(deleted).status_code == 404, "purged after thirty days"

    assert control.post("/clock", json={"now": "2031-05-01T12:00:00Z"}).json()["now"].startswith("2031-05-01T12:00:0")
    for wrong in ({}, {"now": "2031-05-01T12:00:00"}, {"now": "2031-05-01T12:00:00Z", "advance": 5}):
        assert control.post("/clock", json=wrong).status_code == 400


def test_every_divergence_says_what_differs_and_why(control: httpx.Client) -> None:
    listed = control.get("/divergences").json()
    assert len(listed) > 10
    for divergence in listed:
        assert set(divergence) == {"area", "microsoft", "here", "reason"}
        assert all(isinstance(text, str) and text.strip() for text in divergence.values())


def test_random_seed_is_shown_and_given_back_by_a_reset(control: httpx.Client) -> None:
    assert control.post("/random-seed", json={"seed": 42}).json() == {"seed": 42}
    control.post("/reset")
    assert control.get("/random-seed").json() == {"seed": 1}
