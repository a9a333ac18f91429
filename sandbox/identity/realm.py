"""Where a name signs in: here, or at another identity provider. Undocumented at Microsoft's, no more than a hint."""

from __future__ import annotations

from sandbox.directory.directory import Directory
from sandbox.directory.rows import Domain
from sandbox.exchange import Answer, Json


def user_realm(directory: Directory, username: str, version: str) -> Answer:
    """``/common/userrealm/{user}``: in small letters for version 1, else as the page's own form."""
    if version != "1.0":
        return account_realm(directory, username)
    domain, held, _ = _domain(directory, username)
    kind = held.authentication_type if held else "Unknown"
    body: dict[str, Json] = {"ver": "1.0", "account_type": kind, "domain_name": domain}
    if kind == "Federated":
        body |= {
            "federation_protocol": "WSTrust",
            "federation_metadata_url": f"https://sts.{domain}/adfs/services/trust/mex",
            "federation_active_auth_url": f"https://sts.{domain}/adfs/services/trust/2005/usernamemixed",
        }
    cloud = {"cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline"}
    return Answer(200, body | cloud)


def account_realm(directory: Directory, username: str) -> Answer:
    """``/GetUserRealm.srf``: as the sign-in page asks it."""
    domain, held, brand = _domain(directory, username)
    body: dict[str, Json] = {"State": 4, "UserState": 1, "Login": username, "NameSpaceType": "Unknown"}
    if held is not None:
        body |= {"NameSpaceType": held.authentication_type, "DomainName": domain, "FederationBrandName": brand}
    if held is not None and held.authentication_type == "Federated":
        body |= {
            "State": 3,
            "UserState": 2,
            "FederationGlobalVersion": -1,
            "AuthURL": f"https://sts.{domain}/adfs/ls/?username={username}&wa=wsignin1.0&wtrealm=urn%3afederation%3a"
            "MicrosoftOnline&wctx=",
        }
    cloud = {"CloudInstanceName": "microsoftonline.com", "CloudInstanceIssuerUri": "urn:federation:MicrosoftOnline"}
    return Answer(200, body | cloud)


def _domain(directory: Directory, username: str) -> tuple[str, Domain | None, str | None]:
    name = username.rpartition("@")[2].lower()
    tenant = directory.tenant(name)
    if tenant is None:
        return name, None, None
    return name, tenant.organization.domain(name), tenant.organization.display_name
