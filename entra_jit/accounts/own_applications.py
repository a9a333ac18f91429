"""The MSP's own multi-tenant applications: one credential each, for every tenant without a registration of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates
from pydantic import SecretStr, ValidationError

from entra_jit.graph import ClientCertificate, ClientSecret, Connection, Credential, FederatedAssertion
from entra_jit.settings import OwnApplication, Settings
from models.errors import SettingsError
from models.messages import TenantId


@dataclass(frozen=True)
class OwnCredential:
    """One of our applications with its credential, ready to use."""

    client_id: str
    credential: Credential
    expires_at: datetime | None
    """None: it does not expire, as the trust in another identity provider."""

    def connection(self, tenant_id: TenantId, tenant: str, authorized_at: datetime | None = None) -> Connection:
        """The application in ``tenant_id``, which people call ``tenant``; ``authorized_at``: last, if that is known."""
        return Connection(
            tenant_id=tenant_id,
            tenant=tenant,
            client_id=self.client_id,
            credential=self.credential,
            authorized_at=authorized_at,
        )


def read_own_applications(settings: Settings) -> Mapping[str, OwnCredential]:
    """Our applications by the name of their setting (``elevate``, ``revoke``, ``sign_in``); those not set are missing.

    ``revoke`` is ``elevate`` where it is not set. Raises ``SettingsError``, which quotes no secret.
    """
    named = {"elevate": settings.elevate, "revoke": settings.revoke or settings.elevate, "sign_in": settings.sign_in}
    return {name: _read(name, application) for name, application in named.items() if application is not None}


def end_of(certificates: str) -> datetime:
    """When the first of these certificates ends, PEM: the application's own one and those above it."""
    return min(one.not_valid_after_utc for one in load_pem_x509_certificates(certificates.encode()))


def _read(name: str, application: OwnApplication) -> OwnCredential:
    client_id = str(application.client_id)
    if application.secret is not None and application.secret_expires is not None:
        ends = datetime.combine(application.secret_expires, time(), UTC) + timedelta(days=1)
        return OwnCredential(client_id, ClientSecret(secret=application.secret), ends)
    if application.federated_token_file is not None:
        return OwnCredential(client_id, FederatedAssertion(token_file=application.federated_token_file), None)
    certificate = _certificate(f"ENTRA_JIT_{name.upper()}__CERTIFICATE_FILE", application.certificate_file or Path())
    return OwnCredential(client_id, certificate, end_of(certificate.certificate))


def _certificate(setting: str, file: Path) -> ClientCertificate:
    try:
        text = file.read_text(encoding="utf-8-sig")
        return ClientCertificate(private_key=SecretStr(text), certificate=text)
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{setting}: {file} cannot be read") from None
    except ValidationError as error:
        said = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{setting}: {file}: {said}") from None
