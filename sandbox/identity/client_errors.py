"""Refusals of applications: not known here, not proven, not welcome."""

from __future__ import annotations

from sandbox.identity.errors import SignInError


def not_an_application(client_id: str) -> SignInError:
    return SignInError(700038, "unauthorized_client", f"{client_id} is not a valid application identifier.")


def application_not_found(client_id: str, directory: str) -> SignInError:
    return SignInError(
        700016,
        "unauthorized_client",
        f"Application with identifier '{client_id}' was not found in the directory '{directory}'. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You may have sent your authentication request to the wrong tenant.",
    )


def principal_missing(client_id: str, tenant_id: str) -> SignInError:
    """Registered, and not in this tenant (azure-sdk-for-net#46762, Commercial-Marketplace-SaaS-Accelerator#830)."""
    return SignInError(
        7000229,
        "invalid_client",
        f"The client application {client_id} is missing service principal in the tenant {tenant_id}. See instructions "
        "here: https://go.microsoft.com/fwlink/?linkid=2225119",
        401,
    )


def application_disabled(client_id: str) -> SignInError:
    return SignInError(7000112, "unauthorized_client", f"Application '{client_id}' is disabled.", 401)


def credential_missing() -> SignInError:
    return SignInError(
        7000218,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        401,
    )


def wrong_secret(client_id: str) -> SignInError:
    return SignInError(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        f"the client secret ID, for a secret added to app '{client_id}'.",
        401,
    )


def expired_secret(client_id: str) -> SignInError:
    return SignInError(
        7000222,
        "invalid_client",
        f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys "
        "for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds.",
        401,
    )


def malformed_assertion() -> SignInError:
    return SignInError(50027, "invalid_request", "JWT token is invalid or malformed.")


def bad_assertion_signature(reason: str) -> SignInError:
    return SignInError(
        700027, "invalid_client", f"Client assertion failed signature validation. [Reason - {reason}]", 401
    )


def assertion_out_of_time() -> SignInError:
    return SignInError(700024, "invalid_client", "Client assertion is not within its valid time range.", 401)


def assertion_for_another(what: str) -> SignInError:
    return SignInError(700023, "invalid_client", f"Client assertion {what} does not match the request.", 401)


def single_tenant_only(client_id: str, name: str) -> SignInError:
    return SignInError(
        50194,
        "invalid_request",
        f"Application '{client_id}'({name}) is not configured as a multi-tenant application. Usage of the /common "
        "endpoint is not supported for such applications created after '10/15/2018'. Use a tenant-specific endpoint "
        "or configure the application to be multi-tenant.",
    )


def client_is_public() -> SignInError:
    return SignInError(
        700025,
        "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        401,
    )


def origin_missing() -> SignInError:
    """A browser application's code that something else than a browser redeems."""
    return SignInError(
        9002327,
        "invalid_request",
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    )


def blocked_by_conditional_access() -> SignInError:
    return SignInError(
        53003,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    )


_FEDERATION_HELP = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


def no_federated_issuer(issuer: str) -> SignInError:
    return _no_federated_record(700211, f"issuer '{issuer}'")


def no_federated_audience(audience: str) -> SignInError:
    return _no_federated_record(700212, f"audience '{audience}'")


def no_federated_subject(subject: str) -> SignInError:
    return _no_federated_record(700213, f"subject '{subject}'")


def _no_federated_record(number: int, what: str) -> SignInError:
    return SignInError(
        number,
        "invalid_client",
        f"No matching federated identity record found for presented assertion {what}. {_FEDERATION_HELP}",
        401,
    )
