"""A credential that cannot work must be refused when it is entered, and must not show wherever it goes."""

from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from entra_jit.graph import ClientCertificate, ClientSecret, Connection
from tests.certificates import Certificate

GUID = "11111111-2222-3333-4444-555555555555"


def connected_with(tenant_id: str, secret: str) -> Connection:
    """A connection as it is read from a file."""
    credential = {"kind": "secret", "secret": secret}
    return Connection.model_validate(
        {"tenant_id": tenant_id, "tenant": "Contoso", "client_id": GUID, "credential": credential}
    )


def test_a_key_that_does_not_belong_to_its_certificate_is_refused() -> None:
    """Microsoft would say "signature failed" in the middle of a grant, and nobody would think of the pair."""
    key, certificate = Certificate().both
    other, _ = Certificate().both
    assert ClientCertificate(private_key=SecretStr(key), certificate=certificate)
    with pytest.raises(ValidationError, match="does not belong") as refused:
        ClientCertificate(private_key=SecretStr(other), certificate=certificate)
    assert "PRIVATE" not in str(refused.value)


def test_a_key_that_comes_along_with_the_certificate_is_left_behind() -> None:
    """People keep both in one file; the certificate is shown wherever a connection is, and the key would be too."""
    key, certificate = Certificate().both
    credential = ClientCertificate(private_key=SecretStr(certificate + key), certificate=key + certificate)
    assert credential.certificate == certificate
    assert "PRIVATE" not in repr(credential)


LABEL = "PRIVATE KEY-----"


@pytest.mark.parametrize("key", ["", "not a key", f"-----BEGIN {LABEL}\nAAAA\n-----END {LABEL}\n"])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    """What was pasted by mistake may be another secret."""
    certificate = Certificate().pem
    with pytest.raises(ValidationError, match="must be PEM") as refused:
        ClientCertificate(private_key=SecretStr(key), certificate=certificate)
    assert not key or key not in str(refused.value)


def test_a_tenant_is_connected_by_its_guid() -> None:
    """A domain name works for Microsoft, and names another tenant once it is moved."""
    with pytest.raises(ValidationError, match="must be a GUID"):
        connected_with("contoso.com", "x")


def test_a_connection_does_not_show_its_secret() -> None:
    """A connection is the first thing somebody logs when a tenant does not answer."""
    secret = "Xq8~the-client-secret"
    connection = connected_with(GUID, secret)
    assert isinstance(connection.credential, ClientSecret)
    assert secret not in f"{connection!r}{connection}{connection.model_dump_json()}"
