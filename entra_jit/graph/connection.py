"""How we are known in one tenant: which app we are there, and how it proves itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from models.messages import TenantId


def _canonical_guid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("must be a GUID") from None


def _certificates_alone(pem: str) -> str:
    """People keep key and certificate in one file; a key must not stay in a field that is shown."""
    try:
        certificates = load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise ValueError("must be a certificate, PEM") from None
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


class _Credential(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ClientSecret(_Credential):
    """A client secret: the simplest credential and the weakest. It expires, and Microsoft names no successor."""

    kind: Literal["secret"] = "secret"
    secret: Annotated[SecretStr, Field(min_length=1)]


class ClientCertificate(_Credential):
    """A key pair; the tenant's app knows the certificate. Signs with PS256 and names itself by SHA-256.

    ``private_key`` and ``certificate`` are PEM; the key has no passphrase, and intermediates may follow the
    certificate. That the two belong together is checked here, because a wrong pair would otherwise surface as an
    invalid signature in the middle of a grant.
    """

    kind: Literal["certificate"] = "certificate"
    private_key: SecretStr
    certificate: Annotated[str, AfterValidator(_certificates_alone)]

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        try:
            key = load_pem_private_key(self.private_key.get_secret_value().encode(), password=None)
            certificate = load_pem_x509_certificate(self.certificate.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("private_key must be PEM, without a passphrase") from None
        if key.public_key() != certificate.public_key():
            raise ValueError("private_key does not belong to certificate")
        return self


class FederatedAssertion(_Credential):
    """A token from another identity provider (a Kubernetes service account, a CI job), which keeps it in a file.

    The file is read at each use, since the provider renews it.
    """

    kind: Literal["federated"] = "federated"
    token_file: Path


Credential = Annotated[ClientSecret | ClientCertificate | FederatedAssertion, Field(discriminator="kind")]


class Connection(BaseModel):
    """One app in one tenant. A tenant has one for elevating and one for revoking; they may be the same."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tenant_id: Annotated[TenantId, AfterValidator(_canonical_guid)]
    tenant: Annotated[str, Field(min_length=1)]
    """What people call the tenant; it stands in errors and logs."""
    client_id: Annotated[str, AfterValidator(_canonical_guid)]
    """The app's id, a GUID (the "application (client) ID", not its object id)."""
    credential: Credential
    authorized_at: datetime | None = None
    """When the tenant's administrator consented last: a token from before does not have what was added then."""
