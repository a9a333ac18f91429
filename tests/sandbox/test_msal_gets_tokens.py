"""The real MSAL against the real protocol: what it takes here, errors included, it has to meet at Microsoft's too."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import msal
import pytest
import requests
from cryptography.hazmat.primitives import hashes

from sandbox.child import Addresses
from tests.certificates import Certificate
from tests.sandbox.granted import grant
from tests.sandbox.seeded import ADELE, CONTOSO, ELEVATE, FABRIKAM, REVOKE, SECRETS, Graph, token_of

SCOPE = ["https://graph.microsoft.com/.default"]
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
def session(addresses: Addresses, control: httpx.Client) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        # The machine's own bundle would win over ours: requests prefers the environment.
        opened.trust_env = False
        opened.verify = addresses.ca_file
        yield opened


def application(session: requests.Session, addresses: Addresses, credential: object, tenant: str = CONTOSO):
    return msal.ConfidentialClientApplication(
        ELEVATE,
        client_credential=credential,
        authority=f"{addresses.login_url}/{tenant}",
        instance_discovery=False,
        http_client=session,
    )


def payload(token: str, part: int = 1) -> dict[str, object]:
    text = token.split(".")[part]
    return dict(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))


def test_an_applications_own_api_has_tokens_of_its_own(
    session: requests.Session, addresses: Addresses, control: httpx.Client, login: httpx.Client, graph: Graph
) -> None:
    """A portal's API checks them with the published keys. Graph takes none of them."""
    grant(control, "Application.Read.All")
    client = application(session, addresses, SECRETS[ELEVATE])
    for resource, audience in ((f"api://{ELEVATE}", f"api://{ELEVATE}"), (ELEVATE, ELEVATE), (REVOKE, REVOKE)):
        token = client.acquire_token_for_client([f"{resource}/.default"])["access_token"]
        (key,) = login.get(f"/{CONTOSO}/discovery/v2.0/keys").json()["keys"]
        claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=audience)
        assert (claims["appid"], claims["tid"], claims["idtyp"]) == (ELEVATE, CONTOSO, "app")
        assert not claims.keys() & {"roles", "wids", "scp", "xms_tcdt", "app_displayname"}
        answer = graph().get("/users", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    named = graph().get(f"/servicePrincipals(appId='{ELEVATE}')").json()["servicePrincipalNames"]
    assert named == [ELEVATE, f"api://{ELEVATE}"]


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture
def uploaded(control: httpx.Client, certificate: Certificate) -> Certificate:
    path = f"/tenants/contoso/applications/{ELEVATE}/certificates"
    assert control.post(path, json={"pem": certificate.pem}).status_code == 200
    return certificate


def test_a_secret_gives_a_graph_token_of_version_one(session: requests.Session, addresses: Addresses) -> None:
    result = application(session, addresses, SECRETS[ELEVATE]).acquire_token_for_client(SCOPE)
    claims = payload(result["access_token"])
    assert claims["ver"] == "1.0"
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["iss"] == f"https://sts.windows.net/{CONTOSO}/"
    assert (claims["appid"], claims["appidacr"], claims["idtyp"], claims["tid"]) == (ELEVATE, "1", "app", CONTOSO)
    assert claims["oid"] == claims["sub"]
    assert "RoleManagement.ReadWrite.Directory" in claims["roles"]
    assert claims["wids"] == ["7be44c8a-adaf-4e2a-84d6-ab2649e08a13"]
    assert payload(result["access_token"], 0)["nonce"]


def test_the_answer_has_exactly_four_fields(login: httpx.Client) -> None:
    form = {
        "client_id": ELEVATE,
        "client_secret": SECRETS[ELEVATE],
        "grant_type": "client_credentials",
        "scope": SCOPE[0],
    }
    for tenant in (CONTOSO, "contoso.com", "CONTOSO.onmicrosoft.com"):
        answer = login.post(f"/{tenant}/oauth2/v2.0/token", data=form)
        assert set(answer.json()) == {"token_type", "expires_in", "ext_expires_in", "access_token"}


@pytest.mark.parametrize("form", ["certificate", "thumbprint"])
def test_a_certificate_does_as_well_in_both_of_msals_forms(
    session: requests.Session, addresses: Addresses, uploaded: Certificate, form: str
) -> None:
    credential = {"private_key": uploaded.key_pem}
    if form == "certificate":  # PS256 with x5t#S256
        credential["public_certificate"] = uploaded.pem
    else:  # RS256 with x5t
        credential["thumbprint"] = uploaded.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303
    result = application(session, addresses, credential).acquire_token_for_client(SCOPE)
    assert payload(result["access_token"])["appidacr"] == "2"


def assertion(addresses: Addresses, certificate: Certificate, **changes: object) -> str:
    now = datetime.now(UTC)
    claims: dict[str, object] = {
        "aud": f"{addresses.login_url}/{CONTOSO}/oauth2/v2.0/token",
        "iss": ELEVATE,
        "sub": ELEVATE,
        "jti": "1",
        "nbf": now,
        "exp": now + timedelta(minutes=5),
    } | changes
    thumbprint = base64.urlsafe_b64encode(certificate.certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
    return jwt.encode(claims, certificate.key, algorithm="PS256", headers={"x5t#S256": thumbprint})


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"aud": "https://elsewhere.example/token"}, 700023),
        ({"iss": REVOKE}, 700023),
        ({"exp": datetime(2026, 1, 1, tzinfo=UTC)}, 700024),
        ({"nbf": datetime.now(UTC) + timedelta(hours=1)}, 700024),
    ],
)
def test_an_assertion_for_somebody_or_sometime_else_is_refused(
    login: httpx.Client, addresses: Addresses, uploaded: Certificate, changes: dict[str, object], number: int
) -> None:
    assert _refused(login, assertion(addresses, uploaded, **changes)) == (401, "invalid_client", number)


def test_an_assertion_of_an_unknown_or_pretended_key_is_refused(
    login: httpx.Client, addresses: Addresses, uploaded: Certificate
) -> None:
    stranger = Certificate()
    assert _refused(login, assertion(addresses, stranger)) == (401, "invalid_client", 700027)
    pretended = Certificate()
    pretended.certificate = uploaded.certificate
    assert _refused(login, assertion(addresses, pretended)) == (401, "invalid_client", 700027)
    assert _refused(login, "garbage")[2] == 50027


def _refused(login: httpx.Client, proof: str) -> tuple[int, str, int]:
    form = {
        "client_id": ELEVATE,
        "client_assertion_type": ASSERTION,
        "client_assertion": proof,
        "grant_type": "client_credentials",
        "scope": SCOPE[0],
    }
    answer = login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)
    return answer.status_code, answer.json()["error"], answer.json()["error_codes"][0]


@pytest.mark.parametrize(
    ("changes", "tenant", "expected"),
    [
        ({"client_secret": "sandbox-only-wrong"}, CONTOSO, (401, "invalid_client", 7000215)),
        ({"client_secret": ""}, CONTOSO, (401, "invalid_client", 7000218)),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, CONTOSO, (400, "unauthorized_client", 700016)),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, CONTOSO, (400, "unauthorized_client", 700038)),
        ({"grant_type": "junk"}, CONTOSO, (400, "unsupported_grant_type", 70003)),
        ({"scope": "User.Read"}, CONTOSO, (400, "invalid_scope", 1002012)),
        ({"scope": "a/.default b/.default"}, CONTOSO, (400, "invalid_scope", 70011)),
        ({"scope": "api://nothing/.default"}, CONTOSO, (400, "invalid_resource", 500011)),
        ({}, "99999999-2222-4333-8444-555555555555", (400, "invalid_request", 90002)),
        ({}, "nowhere.example", (400, "invalid_request", 90002)),
        ({}, "nonsense", (400, "invalid_request", 900023)),
        ({}, "new.fabrikam.com", (400, "invalid_request", 90002)),
    ],
)
def test_refusals_carry_microsofts_envelope(
    login: httpx.Client, changes: dict[str, str], tenant: str, expected: tuple[int, str, int]
) -> None:
    form = {
        "client_id": ELEVATE,
        "client_secret": SECRETS[ELEVATE],
        "grant_type": "client_credentials",
        "scope": SCOPE[0],
    } | changes
    mine = "11111111-2222-4333-8444-666666666666"
    answer = login.post(f"/{tenant}/oauth2/v2.0/token", data=form, headers={"client-request-id": mine})
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"][0]) == expected
    assert body["error_description"].startswith(f"AADSTS{expected[2]}: ")
    assert f"Correlation ID: {mine} Timestamp: {body['timestamp']}" in body["error_description"]
    assert ("error_uri" in body) is (expected[2] not in {700038, 70003})


def test_without_consent_the_token_comes_without_roles_and_graph_refuses(
    login: httpx.Client, control: httpx.Client, addresses: Addresses, session: requests.Session
) -> None:
    shown = control.get("/tenants/contoso").json()["service_principals"]
    granted = next(principal["permissions"] for principal in shown if principal["app_id"] == ELEVATE)
    control.post("/tenants/contoso", json={"service_principals": [{"app": ELEVATE, "withdraw": granted}]})
    token = token_of(login)
    assert "roles" not in payload(token)
    answer = session.get(f"{addresses.graph_url}/organization", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_a_disabled_application_gets_no_token(login: httpx.Client, control: httpx.Client) -> None:
    control.post("/tenants/contoso", json={"service_principals": [{"app": ELEVATE, "enabled": False}]})
    form = {"client_id": ELEVATE, "client_secret": SECRETS[ELEVATE], "grant_type": "client_credentials", "scope": SCOPE}
    assert login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form).json()["error_codes"] == [7000112]
    assert token_of(login, ELEVATE, FABRIKAM), "one tenant's administrator disables it in one tenant"


def test_discovery_names_this_server_and_the_tenant(login: httpx.Client, addresses: Addresses) -> None:
    found = login.get("/contoso.com/v2.0/.well-known/openid-configuration").json()
    assert found["issuer"] == f"{addresses.login_url}/{CONTOSO}/v2.0"
    assert found["token_endpoint"] == f"{addresses.login_url}/{CONTOSO}/oauth2/v2.0/token"
    common = login.get("/common/v2.0/.well-known/openid-configuration").json()
    assert common["issuer"] == f"{addresses.login_url}/{{tenantid}}/v2.0"
    unknown = login.get("/nowhere.example/v2.0/.well-known/openid-configuration")
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_tenant")
    host = addresses.login_url.removeprefix("https://")
    query = {"api-version": "1.1", "authorization_endpoint": f"{addresses.login_url}/{CONTOSO}/oauth2/v2.0/authorize"}
    instance = login.get("/common/discovery/instance", params=query).json()
    assert host in instance["metadata"][0]["aliases"]
    other = {"api-version": "1.1", "authorization_endpoint": "https://elsewhere.example/x/oauth2/v2.0/authorize"}
    assert login.get("/common/discovery/instance", params=other).json()["error"] == "invalid_instance"


def test_msal_finds_its_way_with_instance_discovery_pointed_here(
    session: requests.Session, addresses: Addresses
) -> None:
    app = msal.ConfidentialClientApplication(
        ELEVATE,
        client_credential=SECRETS[ELEVATE],
        authority=f"{addresses.login_url}/{CONTOSO}",
        instance_discovery=f"{addresses.login_url}/common/discovery/instance",
        http_client=session,
    )
    assert "access_token" in app.acquire_token_for_client(SCOPE)


def test_a_person_gets_tokens_for_a_password_and_the_id_token_verifies(login: httpx.Client) -> None:
    # By the plain protocol: MSAL asks for the user realm without the port.
    form = {
        "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        "grant_type": "password",
        "username": "adele@contoso.com",
        "password": "sandbox-only-Adele1",
        "scope": "User.Read openid offline_access",
    }
    result = login.post("/organizations/oauth2/v2.0/token", data=form).json()
    found = login.get(f"/{CONTOSO}/v2.0/.well-known/openid-configuration").json()
    (key,) = login.get(found["jwks_uri"]).json()["keys"]
    claims = jwt.decode(
        result["id_token"],
        jwt.PyJWK(key).key,
        algorithms=["RS256"],
        audience=form["client_id"],
        issuer=found["issuer"],
    )
    assert (claims["oid"], claims["preferred_username"]) == (ADELE, "adele@contoso.com")
    assert result["refresh_token"]
    wrong = login.post("/organizations/oauth2/v2.0/token", data=form | {"password": "sandbox-only-wrong"})
    assert (wrong.status_code, wrong.json()["error_codes"]) == (400, [50126])


def test_nobody_outside_can_verify_a_graph_token(login: httpx.Client) -> None:
    (key,) = login.get(f"/{CONTOSO}/discovery/v2.0/keys").json()["keys"]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token_of(login), jwt.PyJWK(key).key, algorithms=["RS256"], audience="https://graph.microsoft.com")
