"""Live grants survive a restart of the stack only if the tenant does: same authority, port, accounts and credentials.

Also after a kill, and after a kill in the middle of writing a line.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from sandbox.child import Addresses, Child, DidNotStartError, start
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.seeded import NEW_ACCOUNT, PASSWORD, new_user, token_of, trusting


def clients(addresses: Addresses) -> tuple[httpx.Client, httpx.Client, httpx.Client]:
    trust: ssl.SSLContext = trusting(addresses)
    urls = (addresses.graph_url, addresses.login_url, addresses.control_url)
    graph, login, control = (
        httpx.Client(base_url=url, verify=trust, trust_env=False, timeout=PATIENCE_SECONDS) for url in urls
    )
    return graph, login, control


def open_account(child: Child) -> tuple[str, str, dict[str, object]]:
    """An account with role, pass and method; its id, the pass, and how the control interface shows it."""
    graph, login, control = clients(child.addresses)
    graph.headers["Authorization"] = f"Bearer {token_of(login)}"
    user = graph.post("/users", json=new_user()).json()["id"]
    role = {"principalId": user, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/"}
    assert graph.post("/roleManagement/directory/roleAssignments", json=role).status_code == 201
    held = graph.post(f"/users/{user}/authentication/temporaryAccessPassMethods", json={}).json()["temporaryAccessPass"]
    control.post(f"/tenants/contoso/users/{user}/methods", json={"kind": "fido2"})
    control.post("/tenants/contoso/domains/contoso.com", json={"authentication_type": "Federated"})
    return user, held, control.get(f"/tenants/contoso/users/{user}").json()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_everything_is_as_before(tmp_path: Path, end: str) -> None:
    first = start(tmp_path)
    user, held, before = open_account(first)
    graph, login, _ = clients(first.addresses)
    token = token_of(login)
    if end == "kill":
        first.kill()
        with (tmp_path / "directory.jsonl").open("ab") as file:
            file.write(b'[["c0c0c0c0-2222-4222-8222-000000000002","user","' + user.encode())
    else:
        assert first.stop() == 0
    second = start(tmp_path)
    try:
        assert second.addresses.port == first.addresses.port
        # The clients of before, with their trust in the authority of before.
        assert graph.get(f"/users/{user}", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        _, _, control = clients(second.addresses)
        assert control.get(f"/tenants/contoso/users/{user}").json() == before
        for credential in ({"password": PASSWORD}, {"temporary_access_pass": held}):
            assert control.post("/sign-in", json={"username": NEW_ACCOUNT} | credential).status_code == 200
        shown = {domain["name"]: domain for domain in control.get("/tenants/contoso").json()["domains"]}
        assert shown["contoso.com"]["authentication_type"] == "Federated"
        state = (tmp_path / "directory.jsonl").read_text()
        assert PASSWORD not in state
        assert held not in state
        control.post("/reset")
        assert control.get(f"/tenants/contoso/users/{user}").status_code == 404
    finally:
        second.stop()


def test_a_port_that_was_taken_meanwhile_is_given_up(tmp_path: Path) -> None:
    first = start(tmp_path / "a")
    first.stop()
    squatter = start(tmp_path / "b", "--port", str(first.addresses.port))
    try:
        again = start(tmp_path / "a")
        again.stop()
        assert again.addresses.port != first.addresses.port
        with pytest.raises(DidNotStartError, match="cannot listen on"):
            start(tmp_path / "c", "--port", str(squatter.addresses.port))
        with pytest.raises(DidNotStartError, match="another sandbox is running"):
            start(tmp_path / "b")
    finally:
        squatter.stop()
