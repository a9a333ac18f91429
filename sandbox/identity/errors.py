"""The sign-in service's refusals: an AADSTS number, an OAuth error and a text, in the envelope of facts 12.2.

Here are those that concern the request itself; those of applications and of people have modules of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.exchange import Answer, Exchange

_WITHOUT_URI = frozenset({700038, 70003})
"""Numbers whose captured answers carried no ``error_uri``."""
_CONSENT_SUBCODES = {65004: "cancel"}
"""What a redirect says more closely than its ``error``."""


@dataclass(slots=True)
class SignInError(Exception):
    """A refusal; clients should look at the number and never at the text."""

    number: int
    error: str
    text: str
    status: int = 400
    general: int | None = None
    """The number of a more general refusal that is told before this one, as the service did at least until 2017."""

    def answer(self, exchange: Exchange) -> Answer:
        """The envelope, with ids and time in the description too, as the service has it."""
        body: dict[str, object] = {
            "error": self.error,
            "error_description": self.description(exchange),
            "error_codes": [self.number] if self.general is None else [self.general, self.number],
            "timestamp": _timestamp(exchange),
            "trace_id": exchange.request_id,
            "correlation_id": exchange.client_request_id,
        }
        if self.number not in _WITHOUT_URI:
            body["error_uri"] = f"{exchange.origin}/error?code={self.number}"
        return Answer(self.status, body)

    def description(self, exchange: Exchange) -> str:
        """The text with number, ids and time, in one line as the service writes it today."""
        return (
            f"AADSTS{self.number}: {self.text} Trace ID: {exchange.request_id} "
            f"Correlation ID: {exchange.client_request_id} Timestamp: {_timestamp(exchange)}"
        )

    def parameters(self, exchange: Exchange) -> dict[str, str]:
        """The refusal as it is sent to an application's redirect address."""
        found = {"error": self.error, "error_description": self.description(exchange)}
        if subcode := _CONSENT_SUBCODES.get(self.number):
            found["error_subcode"] = subcode
        return found | {"error_uri": f"{exchange.origin}/error?code={self.number}"}


def _timestamp(exchange: Exchange) -> str:
    return exchange.at.strftime("%Y-%m-%d %H:%M:%SZ")


def tenant_not_found(name: str, error: str = "invalid_request") -> SignInError:
    return SignInError(
        90002,
        error,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def tenant_deleted() -> SignInError:
    """The tenant was there once. Number and words are what programs for service providers look for (CIPP-API)."""
    return SignInError(5000224, "invalid_request", "We are sorry, this resource is not available.")


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


def malformed_request() -> SignInError:
    return SignInError(9002313, "invalid_request", "Invalid request. Request is malformed or invalid.")


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


def scope_does_not_exist(scope: str, application: str) -> SignInError:
    return SignInError(
        650053,
        "invalid_client",
        f"The application '{application}' asked for scope '{scope}' that doesn't exist on the resource "
        "'00000003-0000-0000-c000-000000000000'. Contact the app vendor.",
    )


def unsupported_response_type(response_type: str) -> SignInError:
    return SignInError(
        70005,
        "unsupported_response_type",
        f"The application requested an unsupported response type '{response_type}'.",
    )


def id_token_not_enabled() -> SignInError:
    return SignInError(700054, "unsupported_response", "response_type 'id_token' is not enabled for the application.")


def unsupported_response_mode(mode: str) -> SignInError:
    return SignInError(
        70007,
        "invalid_request",
        f"'{mode}' is not a supported value of 'response_mode' when requesting a token.",
    )


def unsupported_prompt(prompt: str) -> SignInError:
    return SignInError(90023, "invalid_request", f"The value '{prompt}' of the parameter 'prompt' is not valid.")


def bad_code_challenge_method() -> SignInError:
    return SignInError(50149, "invalid_request", "Invalid Code_Challenge_method parameter.")


def bad_code_challenge() -> SignInError:
    return SignInError(501491, "invalid_request", "Invalid size of Code_Challenge parameter.")


def code_challenge_missing() -> SignInError:
    return SignInError(
        9002325,
        "invalid_request",
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
    )


def redirect_not_registered(redirect_uri: str, client_id: str) -> SignInError:
    return SignInError(
        50011,
        "invalid_request",
        f"The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for "
        f"the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your "
        "application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how "
        "to fix this.",
    )


def no_redirect_registered() -> SignInError:
    return SignInError(500113, "invalid_request", "No reply address is registered for the application.")
