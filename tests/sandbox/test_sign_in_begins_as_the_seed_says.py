"""A drill starts in a state that is tedious to click together: expired secrets, blocked and disabled applications.

And the state survives a restart: a sandbox that forgot its rotated key or its cookies would sign all people out.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.child import Addresses, start
from sandbox.seed import BUNDLED, SeedError, load_seed
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.person import CALLBACK, SIGN_IN_APP, Person, arrived
from tests.sandbox.seeded import ELEVATE, FABRIKAM, REVOKE, SECRETS, trusting

OTHER = "0b5e55ed-0000-4000-8000-00000b5e55ed"


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    content = yaml.safe_load(BUNDLED.read_bytes())
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    content["applications"].append(
        {
            "client_id": OTHER,
            "name": "old one",
            "home": "northwind",
            "secrets": [{"value": "sandbox-only-old-secret", "expires": "2025-01-01T00:00:00Z"}],
            "federated_credentials": [
                {"name": "build", "issuer": "https://issuer.example", "subject": "a", "public_keys": [pem]}
            ],
            "single_tenant": True,
        }
    )
    northwind, contoso, fabrikam = content["tenants"]
    northwind["applications"].append("old one")
    contoso["sign_in"] = {"blocked_applications": [ELEVATE], "require_mfa": True}
    fabrikam["applications"] = [{"name": "entra-jit elevate", "enabled": False}]
    content["sign_in_service"] = {"token_lifetime": 1800}
    file = tmp_path / "seed.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def service(addresses: Addresses) -> httpx.Client:
    return httpx.Client(
        base_url=addresses.login_url, verify=trusting(addresses), trust_env=False, timeout=PATIENCE_SECONDS
    )


def ask(client: httpx.Client, tenant: str, app: str, secret: str) -> dict[str, object]:
    form = {
        "client_id": app,
        "client_secret": secret,
        "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default",
    }
    return dict(client.post(f"/{tenant}/oauth2/v2.0/token", data=form).json())


def test_every_switch_can_be_set_from_the_start_and_outlives_a_restart(tmp_path: Path, seed: Path) -> None:
    first = start(tmp_path / "state", "--seed", str(seed))
    with service(first.addresses) as client:
        assert ask(client, "northwindmsp.com", OTHER, "sandbox-only-old-secret")["error_codes"] == [7000222]
        assert ask(client, "contoso.com", ELEVATE, SECRETS[ELEVATE])["error_codes"] == [53003]
        assert ask(client, FABRIKAM, ELEVATE, SECRETS[ELEVATE])["error_codes"] == [7000112]
        assert client.post("/sandbox/keys/rotate").status_code == 200
        token = ask(client, "contoso.com", REVOKE, SECRETS[REVOKE])
        assert token["expires_in"] == 1800
        person, request = Person(client), f"/organizations/oauth2/v2.0/authorize?client_id={SIGN_IN_APP}"
        request += f"&response_type=code&redirect_uri={CALLBACK}&scope=openid"
        person.open(request)
        person.sign_in("kim@northwindmsp.com", "sandbox-only-Kim1")
        cookies = client.cookies
        keys = client.get("/common/discovery/v2.0/keys").json()
    first.kill()
    second = start(tmp_path / "state", "--seed", str(seed))
    try:
        with service(second.addresses) as client:
            assert client.get("/common/discovery/v2.0/keys").json()["keys"][0]["kid"] == keys["keys"][0]["kid"]
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            assert client.get("/v1.0/organization", headers=headers).status_code == 200
            client.cookies = cookies
            assert "code" in arrived(Person(client).open(f"{request}&prompt=none")).parameters
            assert ask(client, "contoso.com", ELEVATE, SECRETS[ELEVATE])["error_codes"] == [53003]
    finally:
        second.stop()


def test_a_switch_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    content = yaml.safe_load(BUNDLED.read_bytes())
    content["sign_in_service"] = {"token_lifetime": 0}
    file = tmp_path / "seed.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(SeedError, match=r"sign_in_service\.token_lifetime"):
        load_seed(file)
