"""Microsoft's own client for Python, pointed at a sandbox: another base URL, authority and CA, and nothing else."""

from __future__ import annotations

from dataclasses import make_dataclass

import httpx
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import CertificateCredential, ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.graph_request_adapter import options
from msgraph_core import GraphClientFactory

from sandbox.child import Addresses
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.seeded import SECRETS, trusting

Credential = ClientSecretCredential | CertificateCredential


def with_secret(addresses: Addresses, app: str, tenant: str) -> Credential:
    return ClientSecretCredential(
        tenant,
        app,
        SECRETS[app],
        authority=addresses.login_url,
        disable_instance_discovery=True,
        transport=_transport(addresses),
    )


def with_certificate(addresses: Addresses, app: str, tenant: str, pem: bytes) -> Credential:
    return CertificateCredential(
        tenant,
        app,
        certificate_data=pem,
        authority=addresses.login_url,
        disable_instance_discovery=True,
        transport=_transport(addresses),
    )


def http_client(addresses: Addresses) -> httpx.AsyncClient:
    """With the SDK's own middleware, and without the environment's idea of whom to trust."""
    plain = httpx.AsyncClient(verify=trusting(addresses), trust_env=False, http2=False, timeout=PATIENCE_SECONDS)
    return GraphClientFactory.create_with_default_middleware(client=plain, options=options)


def client_of(addresses: Addresses, credential: Credential, http: httpx.AsyncClient) -> GraphServiceClient:
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["localhost"]
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = addresses.graph_url
    return GraphServiceClient(request_adapter=adapter)


def asking(**parameters: object) -> RequestConfiguration[object]:
    """Query parameters by their names without the dollar, as the SDK's own classes (one an operation) spell them."""
    kind = make_dataclass("Query", parameters, namespace={"get_query_parameter": lambda _, name: f"%24{name}"})
    return RequestConfiguration(query_parameters=kind(**parameters))


def declared_as_json() -> RequestConfiguration[object]:
    """For actions without a body: the SDK sends them without a content type."""
    configuration = RequestConfiguration[object]()
    configuration.headers.add("Content-Type", "application/json")
    return configuration


def _transport(addresses: Addresses) -> RequestsTransport:
    # A bundle named in the environment would override the sandbox's authority.
    return RequestsTransport(use_env_settings=False, connection_verify=addresses.ca_file)
