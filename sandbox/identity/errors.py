"""The sign-in service's refusals: an AADSTS number, an OAuth error and a text, in the envelope of facts 12.2."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.exchange import Answer, Exchange

_WITHOUT_URI = frozenset({700038, 70003})
"""Numbers whose captured answers carried no ``error_uri``."""


@dataclass(slots=True)
class SignInError(Exception):
    """A refusal; clients should look at the number and never at the text."""

    number: int
    error: str
    text: str
    status: int = 400

    def answer(self, exchange: Exchange) -> Answer:
        """The envelope, with ids and time in the description too, as the service has it."""
        timestamp = exchange.at.strftime("%Y-%m-%d %H:%M:%SZ")
        body: dict[str, object] = {
            "error": self.error,
            "error_description": (
                f"AADSTS{self.number}: {self.text} Trace ID: {exchange.request_id} "
                f"Correlation ID: {exchange.client_request_id} Timestamp: {timestamp}"
            ),
            "error_codes": [self.number],
            "timestamp": timestamp,
            "trace_id": exchange.request_id,
            "correlation_id": exchange.client_request_id,
        }
        if self.number not in _WITHOUT_URI:
            body["error_uri"] = f"{exchange.origin}/error?code={self.number}"
        return Answer(self.status, body)


def tenant_not_found(name: str, error: str = "invalid_request") -> SignInError:
    return SignInError(
        90002,
        error,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def not_a_tenant(name: str) -> SignInError:
    return SignInError(
        900023,
        "invalid_request",
        f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain.",
    )


def parameter_missing(name: str) -> SignInError:
    return SignInError(900144, "invalid_request", f"The request body must contain the following parameter: '{name}'.")


def unsupported_grant(grant: str) -> SignInError:
    return SignInError(70003, "unsupported_grant_type", f"The app requested an unsupported grant type '{grant}'.")


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


def scope_without_default(scope: str) -> SignInError:
    return SignInError(
        1002012,
        "invalid_scope",
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    )


def invalid_scope(scope: str) -> SignInError:
    return SignInError(
        70011,
        "invalid_scope",
        f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
    )


def resource_not_found(resource: str, directory: str) -> SignInError:
    return SignInError(
        500011,
        "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {directory}. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You might have sent your authentication request to the wrong tenant.",
    )


def no_such_user(directory: str) -> SignInError:
    return SignInError(
        50034,
        "invalid_grant",
        f"The user account {{EUII Hidden}} does not exist in the {directory} directory. "
        "To sign into this application, the account must be added to the directory.",
    )


def user_disabled() -> SignInError:
    return SignInError(50057, "invalid_grant", "The user account is disabled.")


def wrong_password() -> SignInError:
    return SignInError(50126, "invalid_grant", "Error validating credentials due to invalid username or password.")


def password_must_change() -> SignInError:
    return SignInError(50055, "invalid_grant", "The password is expired.")


def pass_not_accepted() -> SignInError:
    """A Temporary Access Pass that is wrong, used up, expired, not yet valid, or gone."""
    return SignInError(130507, "invalid_grant", "An access pass could not be found or verified for the user.")


def grant_revoked() -> SignInError:
    return SignInError(
        50173,
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    )


def refresh_token_expired() -> SignInError:
    return SignInError(70008, "invalid_grant", "The provided authorization code or refresh token has expired.")


def malformed_refresh_token() -> SignInError:
    return SignInError(9002313, "invalid_request", "Invalid request. Request is malformed or invalid.")
