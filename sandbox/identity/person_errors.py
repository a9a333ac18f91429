"""Refusals of people: their accounts, credentials and sessions, and what they did not consent to."""

from __future__ import annotations

from sandbox.identity.errors import SignInError


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


def passkey_not_accepted() -> SignInError:
    """A passkey that is unknown, not allowed, or did not sign what it was asked to."""
    return SignInError(135016, "invalid_grant", "FIDO sign-in failed.")


def grant_revoked() -> SignInError:
    return SignInError(
        50173,
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    )


def user_in_other_tenant(home: str, tenant: str, client_id: str, name: str) -> SignInError:
    return SignInError(
        50020,
        "invalid_request",
        f"User account '{{EUII Hidden}}' from identity provider 'https://sts.windows.net/{home}/' does not exist in "
        f"tenant '{tenant}' and cannot access the application '{client_id}'({name}) in that tenant. The account needs "
        "to be added as an external user in the tenant first. Sign out and sign in again with a different Microsoft "
        "Entra user account.",
    )


def no_one_signed_in() -> SignInError:
    return SignInError(50058, "login_required", "A silent sign-in request was sent but no user is signed in.")


def several_signed_in() -> SignInError:
    return SignInError(
        16000,
        "interaction_required",
        "Either multiple user identities are available for the current request or selected account is not supported "
        "for the scenario.",
    )


def mfa_required(resource: str) -> SignInError:
    return SignInError(
        50076,
        "interaction_required",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        f"use multi-factor authentication to access '{resource}'.",
    )


def mfa_registration_required(resource: str) -> SignInError:
    return SignInError(
        50079,
        "interaction_required",
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        f"enroll in multi-factor authentication to access '{resource}'.",
    )


def second_factor_failed() -> SignInError:
    return SignInError(500121, "interaction_required", "Authentication failed during strong authentication request.")


def strength_not_met() -> SignInError:
    """Conditional Access wants a stronger method than was used. Number and words rest on no observation."""
    return SignInError(53003, "access_denied", "Access has been blocked by Conditional Access policies.")


def code_already_redeemed() -> SignInError:
    return SignInError(
        54005,
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh "
        "token.",
    )


def code_expired() -> SignInError:
    return SignInError(
        70008,
        "invalid_grant",
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive "
        "authorization request for this user and resource.",
    )


def invalid_grant() -> SignInError:
    return SignInError(70000, "invalid_grant", "Provided grant is invalid or malformed.")


def code_for_another_tenant() -> SignInError:
    return SignInError(
        700005,
        "invalid_grant",
        "Provided Authorization Code is intended to use against other tenant, thus rejected. OAuth2 Authorization Code "
        "must be redeemed against same tenant it was acquired for (/common or /{tenant-ID} as appropriate).",
    )


def code_for_another_address(given: str, asked: str) -> SignInError:
    return SignInError(
        500112,
        "invalid_grant",
        f"The reply address '{given}' does not match the reply address '{asked}' provided when requesting "
        "Authorization code.",
    )


def verifier_missing() -> SignInError:
    return SignInError(
        50148,
        "invalid_grant",
        "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE.",
    )


def verifier_mismatch() -> SignInError:
    return SignInError(
        501481,
        "invalid_grant",
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    )


def consent_missing(client_id: str, name: str, *, error: str = "invalid_grant") -> SignInError:
    return SignInError(
        65001,
        error,
        f"The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'. "
        "Send an interactive authorization request for this user and resource.",
    )


def consent_declined() -> SignInError:
    return SignInError(65004, "access_denied", "User declined to consent to access the app.")


def administrator_declined() -> SignInError:
    """What the administrator's consent page answers on cancel (version 2)."""
    return SignInError(65004, "access_denied", "The resource owner or authorization server denied the request.")


def administrator_needed(client_id: str, name: str) -> SignInError:
    return SignInError(
        90094,
        "access_denied",
        f"An administrator of the tenant has to grant '{client_id}'({name}) the permissions that it asks for.",
    )
