"""``/organization`` and ``/domains``: what a tenant says of itself."""

from __future__ import annotations

from sandbox.clock import seconds
from sandbox.directory.rows import Domain, Organization
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.operations import Operations

operations = Operations()

_SERVICES = ("Email", "OfficeCommunicationsOnline")
_OBJECT_QUOTA = 300_000
_LIMITED_VIEW = frozenset({"id", "displayName", "verifiedDomains"})
"""What ``User.Read.All`` alone opens of the organization; the rest is null."""


@operations.get("/organization", permissions.READ_ORGANIZATION)
def list_organization(call: Call) -> Answer:
    """Always a collection of one."""
    body: dict[str, Json] = {"@odata.context": odata.context(call, "organization", entity=False)}
    return Answer(200, body | {"value": [_shown(call)]})


@operations.get("/organization/{organization}", permissions.READ_ORGANIZATION)
def get_organization(call: Call) -> Answer:
    if call.args["organization"].lower() != call.tenant.id:
        raise not_found(call.args["organization"])
    return Answer(200, {"@odata.context": odata.context(call, "organization", entity=True)} | _shown(call))


@operations.get("/domains", permissions.READ_DOMAINS)
def list_domains(call: Call) -> Answer:
    """All domains at once: this endpoint neither filters nor pages, and says nothing about being asked to."""
    body: dict[str, Json] = {"@odata.context": odata.context(call, "domains", entity=False)}
    domains = call.tenant.organization.domains
    return Answer(200, body | {"value": [odata.chosen(call, _domain(domain, domains)) for domain in domains]})


@operations.get("/domains/{domain}", permissions.READ_DOMAINS)
def get_domain(call: Call) -> Answer:
    domain = call.tenant.organization.domain(call.args["domain"])
    if domain is None:
        raise not_found(call.args["domain"])
    body: dict[str, Json] = {"@odata.context": odata.context(call, "domains", entity=True)}
    return Answer(200, body | odata.chosen(call, _domain(domain, call.tenant.organization.domains)))


def _shown(call: Call) -> dict[str, Json]:
    shown = _organization(call.tenant.organization, call.tenant)
    if call.actor.permissions & permissions.READ_ORGANIZATION <= {"User.Read.All"}:
        shown = {
            name: value if name in _LIMITED_VIEW else [] if isinstance(value, list) else None
            for name, value in shown.items()
        }
    return odata.chosen(call, shown)


def _organization(organization: Organization, tenant: Tenant) -> dict[str, Json]:
    used = len(tenant.users) + len(tenant.groups) + len(tenant.service_principals)
    created = seconds(organization.created)
    return {
        "id": organization.id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": organization.country,
        "createdDateTime": created,
        "defaultUsageLocation": None,
        "displayName": organization.display_name,
        "isMultipleDataLocationsForServicesEnabled": None,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": None,
        "onPremisesSyncEnabled": None,
        "partnerTenantType": None,
        "postalCode": None,
        "preferredLanguage": "en",
        "privacyProfile": None,
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": None,
        "street": None,
        "technicalNotificationMails": [f"postmaster@{organization.initial_domain}"],
        "tenantType": "AAD",
        "directorySizeQuota": {"used": used, "total": _OBJECT_QUOTA},
        "assignedPlans": [
            {
                "assignedDateTime": created,
                "capabilityStatus": "Enabled",
                "service": "AADPremiumService",
                "servicePlanId": plan,
            }
            for plan in organization.service_plans
        ],
        "provisionedPlans": [],
        "verifiedDomains": [
            {
                "capabilities": ", ".join(_SERVICES),
                "isDefault": domain.is_default,
                "isInitial": domain.is_initial,
                "name": domain.name,
                "type": domain.authentication_type,
            }
            for domain in organization.domains
            if domain.is_verified
        ],
    }


def _domain(domain: Domain, all_domains: tuple[Domain, ...]) -> dict[str, Json]:
    is_sub = any(domain.name.endswith(f".{other.name}") for other in all_domains)
    return {
        "authenticationType": domain.authentication_type,
        "availabilityStatus": None,
        "id": domain.name,
        "isAdminManaged": True,
        "isDefault": domain.is_default,
        "isInitial": domain.is_initial,
        "isRoot": not is_sub,
        "isVerified": domain.is_verified,
        "supportedServices": list(_SERVICES) if domain.is_verified else [],
        "passwordValidityPeriodInDays": 2147483647,
        "passwordNotificationWindowInDays": 14,
        "state": None,
    }
