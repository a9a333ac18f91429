"""What clients read before they ask for a token: the tenant's configuration, the keys, the known hosts."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.directory.directory import Directory
from sandbox.exchange import Answer, Exchange
from sandbox.identity.errors import SignInError, parameter_missing
from sandbox.identity.signing import KeyRing
from sandbox.identity.tenant_names import resolve_tenant

_TENANT_TEMPLATE = "{tenantid}"
_MICROSOFT_HOSTS = frozenset(
    {"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"}
)


def openid_configuration(directory: Directory, exchange: Exchange, tenant_name: str) -> Answer:
    """For ``common`` and ``organizations`` the issuer is a template, to be filled with a token's ``tid``."""
    tenant = resolve_tenant(directory, tenant_name, "invalid_tenant")
    issuer_tenant = tenant.id if tenant else _TENANT_TEMPLATE
    here = f"{exchange.origin}/{tenant.id if tenant else tenant_name.lower()}"
    host = urlsplit(exchange.origin).netloc
    return Answer(
        200,
        {
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
                "self_signed_tls_client_auth",
            ],
            "jwks_uri": f"{here}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{exchange.origin}/{issuer_tenant}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": f"{exchange.origin}/oidc/userinfo",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{here}/oauth2/v2.0/logout",
            "claims_supported": [
                "sub",
                "iss",
                "cloud_instance_name",
                "cloud_instance_host_name",
                "cloud_graph_host_name",
                "msgraph_host",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
                "email",
            ],
            "kerberos_endpoint": f"{here}/kerberos",
            "tls_client_certificate_bound_access_tokens": True,
            "mtls_endpoint_aliases": {"token_endpoint": f"{here}/oauth2/v2.0/token"},
            "tenant_region_scope": "EU" if tenant else None,
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": host,
            "rbac_url": "https://pas.windows.net",
        },
    )


def keys(directory: Directory, exchange: Exchange, tenant_name: str, ring: KeyRing) -> Answer:
    """The public keys, with the issuer for which they speak."""
    tenant = resolve_tenant(directory, tenant_name, "invalid_tenant")
    issuer = f"{exchange.origin}/{tenant.id if tenant else _TENANT_TEMPLATE}/v2.0"
    return Answer(200, {"keys": [key.jwk(issuer) for key in ring.published]})


def instance_discovery(exchange: Exchange) -> Answer:
    """Which hosts belong together: this one, and Microsoft's for clients that think they talk to it."""
    endpoint = exchange.query().get("authorization_endpoint")
    if not endpoint:
        raise parameter_missing("authorization_endpoint")
    here = urlsplit(exchange.origin)
    asked = urlsplit(endpoint)
    if asked.netloc not in {here.netloc, here.hostname} and asked.hostname not in _MICROSOFT_HOSTS:
        raise SignInError(50049, "invalid_instance", "Unknown or invalid instance.")
    tenant = next((part for part in asked.path.split("/") if part), "common")
    body = {
        "tenant_discovery_endpoint": f"{exchange.origin}/{tenant}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [
            {
                "preferred_network": here.netloc,
                "preferred_cache": here.netloc,
                "aliases": [here.netloc, *([here.hostname] if here.hostname != here.netloc else [])],
            }
        ],
    }
    return Answer(200, body)
