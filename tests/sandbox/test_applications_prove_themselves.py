"""The credential of an application is all that protects every customer's tenant from a stranger.

Each kind is shown to the real MSAL and the real azure-identity, unchanged but for authority and certificate authority,
and so is each way in which a credential is not good: too new, too old, another's, blocked.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientAssertionCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.child import Addresses
from tests.sandbox.seeded import CONTOSO, ELEVATE, FABRIKAM, NORTHWIND, SECRETS, Graph, refusal, token_of

SCOPE = "https://graph.microsoft.com/.default"
ISSUER = "https://issuer.example"
SUBJECT = "repo:northwind/entra-jit:environment:production"
AUDIENCE = "api://AzureADTokenExchange"
MANAGING = ["Application.Read.All", "Application.ReadWrite.All"]


def pem_of(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def azure(addresses: Addresses) -> dict[str, Any]:
    """What azure-identity is told of this place; its transport would follow REQUESTS_CA_BUNDLE otherwise."""
    return {
        "authority": addresses.login_url,
        "disable_instance_discovery": True,
        "connection_verify": addresses.ca_file,
    }


@pytest.fixture
def session(addresses: Addresses) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = addresses.ca_file
        yield opened


@pytest.fixture
def federated(control: httpx.Client, key: rsa.RSAPrivateKey) -> Callable[..., str]:
    """Trust one foreign subject, and sign as its issuer would."""
    credential = {"name": "build", "issuer": ISSUER, "subject": SUBJECT, "public_keys": [pem_of(key)]}
    changed = control.patch(f"/applications/{ELEVATE}", json={"federated_credentials": [credential]})
    assert changed.status_code == 200, changed.text

    def sign(signer: rsa.RSAPrivateKey = key, **changes: object) -> str:
        now = datetime.now(UTC)
        claims: dict[str, object] = {
            "iss": ISSUER,
            "sub": SUBJECT,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + timedelta(minutes=5),
        }
        return jwt.encode(claims | changes, signer, algorithm="RS256", headers={"kid": "foreign"})

    return sign


def claims_of(token: str) -> dict[str, Any]:
    text = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def ask(login: httpx.Client, tenant: str = CONTOSO, **changes: str) -> httpx.Response:
    form = {
        "client_id": ELEVATE,
        "client_secret": SECRETS[ELEVATE],
        "grant_type": "client_credentials",
        "scope": SCOPE,
    } | changes
    return login.post(f"/{tenant}/oauth2/v2.0/token", data={name: text for name, text in form.items() if text})


def refused(answer: httpx.Response) -> tuple[int, str, int]:
    body = answer.json()
    return answer.status_code, body["error"], body["error_codes"][0]


def test_azure_identity_gets_a_token_for_a_secret(azure: dict[str, Any], login: httpx.Client) -> None:
    before = int(datetime.now(UTC).timestamp())
    with ClientSecretCredential(CONTOSO, ELEVATE, SECRETS[ELEVATE], **azure) as credential:
        token = credential.get_token(SCOPE)
    assert claims_of(token.token)["appidacr"] == "1"
    assert before + 3599 <= token.expires_on <= datetime.now(UTC).timestamp() + 3599
    with (
        ClientSecretCredential(CONTOSO, ELEVATE, "sandbox-only-wrong", **azure) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000215"),
    ):
        credential.get_token(SCOPE)


def test_azure_identity_gets_a_token_for_a_certificate(
    azure: dict[str, Any], control: httpx.Client, key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox-only")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    control.post(f"/tenants/contoso/applications/{ELEVATE}/certificates", json={"pem": pem.decode()})
    file = tmp_path / "both.pem"
    file.write_bytes(
        pem
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with CertificateCredential(CONTOSO, ELEVATE, str(file), **azure) as credential:
        assert claims_of(credential.get_token(SCOPE).token)["appidacr"] == "2"


def test_another_issuers_token_does_in_place_of_a_secret(
    azure: dict[str, Any],
    federated: Callable[..., str],
    addresses: Addresses,
    session: requests.Session,
) -> None:
    with ClientAssertionCredential(CONTOSO, ELEVATE, federated, **azure) as credential:
        assert claims_of(credential.get_token(SCOPE).token)["appidacr"] == "2"
    application = msal.ConfidentialClientApplication(
        ELEVATE,
        client_credential={"client_assertion": federated},
        authority=f"{addresses.login_url}/{CONTOSO}",
        instance_discovery=False,
        http_client=session,
    )
    assert "access_token" in application.acquire_token_for_client([SCOPE])


def test_a_federated_credential_made_by_graph_opens_and_stops_opening(
    azure: dict[str, Any], federated: Callable[..., str], control: httpx.Client, graph: Graph
) -> None:
    control.post("/tenants/northwind", json={"service_principals": [{"app": ELEVATE, "grant": MANAGING}]})
    client = graph(tenant=NORTHWIND)
    credentials = f"/applications(appId='{ELEVATE}')/federatedIdentityCredentials"
    body = {"issuer": ISSUER, "subject": "another", "audiences": ["api://AzureADTokenExchange"]}
    made = client.post(credentials, json={"name": "second", **body})
    assert made.status_code == 201, made.text
    for name, changes, status, code in (
        ("second", {"subject": "a third"}, 409, "Request_MultipleObjectsWithSameKeyValue"),
        ("third", {}, 400, "InvalidFederatedIdentityCredentialValue"),
        ("third", {"subject": "a third", "audiences": []}, 400, "InvalidFederatedIdentityCredentialValue"),
    ):
        refused = refusal(client.post(credentials, json={"name": name, **body, **changes}))
        assert (refused.status, refused.code) == (status, code)
    other = ClientAssertionCredential(CONTOSO, ELEVATE, lambda: federated(sub="another"), **azure)
    with other:
        assert claims_of(other.get_token(SCOPE).token)["appidacr"] == "2"
    one = f"{credentials}/{made.json()['id']}"
    assert client.patch(one, json={"subject": "renamed"}).status_code == 204
    with pytest.raises(ClientAuthenticationError, match="AADSTS700213"):
        ClientAssertionCredential(CONTOSO, ELEVATE, lambda: federated(sub="another"), **azure).get_token(SCOPE)
    assert client.get(one).json()["subject"] == "renamed"
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"restrictionType": "passwordAddition"}, "CredentialTypeNotAllowedAsPerAppPolicy"),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P90D"}, "CredentialInvalidLifetimeAsPerAppPolicy"),
        ({"restrictionType": "passwordAddition", "state": "disabled"}, None),
        ({"restrictionType": "passwordLifetime", "maxLifetime": "P800D"}, None),
    ],
)
def test_a_tenant_can_forbid_new_secrets(
    control: httpx.Client, graph: Graph, rule: dict[str, str], code: str | None
) -> None:
    control.post("/tenants/northwind", json={"service_principals": [{"app": ELEVATE, "grant": MANAGING}]})
    control.post("/tenants/northwind", json={"app_restrictions": {"passwordCredentials": [rule]}})
    answer = graph(tenant=NORTHWIND).post(f"/applications(appId='{ELEVATE}')/addPassword", json={})
    assert (answer.status_code, answer.json().get("error", {}).get("code")) == ((400, code) if code else (200, None))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://other.example"}, (401, "invalid_client", 700211)),
        ({"iss": ISSUER + "/"}, (401, "invalid_client", 700211)),
        ({"aud": "api://other"}, (401, "invalid_client", 700212)),
        ({"sub": "repo:northwind/entra-jit:environment:test"}, (401, "invalid_client", 700213)),
        ({"sub": SUBJECT.upper()}, (401, "invalid_client", 700213)),
        ({"exp": datetime(2026, 1, 1, tzinfo=UTC)}, (401, "invalid_client", 700024)),
    ],
)
def test_a_foreign_token_has_to_fit_in_every_letter(
    login: httpx.Client,
    federated: Callable[..., str],
    changes: dict[str, object],
    expected: tuple[int, str, int],
) -> None:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    shown = {"client_secret": "", "client_assertion_type": kind}
    assert refused(ask(login, **shown, client_assertion=federated(**changes))) == expected


def test_a_foreign_token_that_somebody_else_signed_is_refused(
    login: httpx.Client, federated: Callable[..., str]
) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = federated(stranger)
    assert refused(ask(login, client_secret="", client_assertion=forged)) == (401, "invalid_client", 700027)
    unsigned = jwt.encode({"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": 9_999_999_999}, None, "none")
    assert refused(ask(login, client_secret="", client_assertion=unsigned))[2] == 700027


def test_a_new_secret_is_called_wrong_for_a_while_and_ends_in_time(login: httpx.Client, control: httpx.Client) -> None:
    control.post("/sign-in-service", json={"new_secret_refused": 20})
    made = control.post(f"/applications/{ELEVATE}/secrets", json={"lifetime": 3600}).json()
    assert refused(ask(login, client_secret=made["secret"])) == (401, "invalid_client", 7000215)
    assert ask(login).status_code == 200, "the old one goes on"
    control.post("/clock", json={"advance": 21})
    assert ask(login, client_secret=made["secret"]).status_code == 200
    control.post("/clock", json={"advance": 3600})
    assert refused(ask(login, client_secret=made["secret"])) == (401, "invalid_client", 7000222)
    control.post(f"/applications/{ELEVATE}/secrets/expire")
    assert refused(ask(login)) == (401, "invalid_client", 7000222)


def test_a_policy_for_workloads_blocks_one_application_in_one_tenant(
    login: httpx.Client, control: httpx.Client
) -> None:
    control.post("/tenants/contoso/sign-in-policy", json={"blocked_applications": [ELEVATE]})
    assert refused(ask(login)) == (400, "invalid_grant", 53003)
    assert refused(ask(login, client_secret="sandbox-only-wrong"))[2] == 7000215, "who one is comes first"
    assert ask(login, FABRIKAM).status_code == 200


def test_a_single_tenant_application_is_known_at_home_only(login: httpx.Client, control: httpx.Client) -> None:
    control.patch(f"/applications/{ELEVATE}", json={"single_tenant": True})
    query = {"client_id": ELEVATE, "redirect_uri": "http://localhost/x", "response_type": "code", "scope": "openid"}
    assert "AADSTS50194" in login.get("/common/oauth2/v2.0/authorize", params=query).text
    assert "AADSTS700016" in login.get("/contoso.com/oauth2/v2.0/authorize", params=query).text


def test_keys_rotate_without_a_token_noticing(login: httpx.Client, control: httpx.Client) -> None:
    before = token_of(login)
    (first,) = control.get("/keys").json()["published"]
    control.post("/keys/rotate")
    after = token_of(login)
    head = json.loads(urlsafe_b64decode(after.split(".")[0] + "=="))
    shown = login.get(f"/{CONTOSO}/discovery/v2.0/keys").json()["keys"]
    assert [one["kid"] for one in shown] == [head["kid"], first], "an unknown kid means: fetch again"
    person = {
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "grant_type": "password",
        "username": "adele@contoso.com",
        "password": "sandbox-only-Adele1",
        "scope": "openid",
    }
    signed = login.post("/organizations/oauth2/v2.0/token", data=person).json()["id_token"]
    assert jwt.get_unverified_header(signed)["kid"] == head["kid"], "people's tokens, too"
    for token in (before, after):
        assert login.get("/v1.0/organization", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    control.post("/keys/retire")
    (only,) = login.get(f"/{CONTOSO}/discovery/v2.0/keys").json()["keys"]
    assert only["kid"] == head["kid"]
    assert login.get("/v1.0/organization", headers={"Authorization": f"Bearer {before}"}).status_code == 401
    assert login.get("/v1.0/organization", headers={"Authorization": f"Bearer {after}"}).status_code == 200


def test_lifetimes_are_as_ordered_and_random_ones_repeat(login: httpx.Client, control: httpx.Client) -> None:
    def lifetimes() -> list[int]:
        control.post("/sign-in-service", json={"random_token_lifetimes": True, "random_seed": 7})
        return [ask(login).json()["expires_in"] for _ in range(5)]

    drawn = lifetimes()
    assert all(3599 <= seconds <= 5399 for seconds in drawn)
    assert len(set(drawn)) > 1
    assert lifetimes() == drawn
    control.post("/sign-in-service", json={"random_token_lifetimes": False, "token_lifetime": 90})
    answer = ask(login).json()
    assert (answer["expires_in"], answer["ext_expires_in"]) == (90, 90)
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert login.get("/v1.0/organization", headers=headers).status_code == 200
    control.post("/clock", json={"advance": 92})
    expired = login.get("/v1.0/organization", headers=headers)
    assert expired.json()["error"]["message"] == "Lifetime validation failed, the token is expired."
