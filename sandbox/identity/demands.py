"""What a tenant demands after a sign-in, before anything is given out."""

from __future__ import annotations

from dataclasses import replace

from sandbox.audit.sign_ins import AUTHENTICATOR, PASSWORD, attempted, interrupted
from sandbox.clock import seconds
from sandbox.directory.digest import Digest
from sandbox.exchange import Answer
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID
from sandbox.graph.user_schema import is_acceptable_password
from sandbox.identity.client_errors import blocked_by_conditional_access
from sandbox.identity.errors import SignInError
from sandbox.identity.person_errors import (
    mfa_registration_required,
    mfa_required,
    password_must_change,
    second_factor_failed,
    strength_not_met,
)
from sandbox.identity.second_factor import can_confirm, code_now, is_demanded, is_right, with_authenticator
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.visit import Visit

_MET_ON_A_PAGE = frozenset({50076, 50079})
_STEPS = (PASSWORD, AUTHENTICATOR)


def unmet(visit: Visit, signed_in: SignedIn) -> Answer | None:
    """The page for the first demand that is not met; None if all are.

    Raises ``SignInError`` for what no page can mend, and on a silent visit for what a page could.
    """
    if signed_in.must_change_password:
        refusal = password_must_change()
        interrupted(visit.services.directory, refusal)
        return _page(visit, refusal, "new_password.html")
    try:
        meet(signed_in, visit.client_id)
    except SignInError as refusal:
        interrupted(visit.services.directory, refusal)
        if refusal.number not in _MET_ON_A_PAGE:
            raise
        return _code_page(visit, signed_in, refusal)
    return None


def meet(signed_in: SignedIn, client_id: str) -> None:
    """Raises ``SignInError`` for what the tenant, or Microsoft, demands and this sign-in does not meet."""
    policy = signed_in.tenant.organization.sign_in
    if policy.block_people:
        raise blocked_by_conditional_access()
    if policy.require_phishing_resistant and signed_in.method != "passkey":
        # In place of the page that has a person register one: no person can, at a grant's or an emergency account.
        raise strength_not_met()
    if is_demanded(signed_in.tenant, signed_in.user, client_id) and not signed_in.has_mfa:
        registered = can_confirm(signed_in.user)
        raise (mfa_required if registered else mfa_registration_required)(MICROSOFT_GRAPH_APP_ID)


def take_code(visit: Visit, signed_in: SignedIn) -> Answer | SignedIn:
    """The sign-in with its second factor, registered now if there was none; or the page again for a wrong code."""
    keys, now = visit.services.tokens.keys, visit.services.clock.now()
    user = signed_in.user
    try:
        with attempted(visit.services.directory, user.user_principal_name, signed_in.tenant, now, *_STEPS):
            if not is_right(keys, user, visit.form.get("code", ""), now):
                raise second_factor_failed()
    except SignInError as problem:
        return _code_page(visit, signed_in, problem=problem)
    if not can_confirm(user):
        user = with_authenticator(user, now)
        signed_in.tenant.users.put(user)
    return replace(signed_in, user=user, second_factor=True)


def take_new_password(visit: Visit, signed_in: SignedIn) -> Answer | SignedIn:
    """The sign-in with the password that its owner chose; or the page again if the directory does not take it."""
    wanted, user = visit.form.get("new_password", ""), signed_in.user
    problem = None
    if wanted != visit.form.get("confirmed_password"):
        problem = "The two passwords are not the same."
    elif user.password is not None and user.password.matches(wanted):
        problem = "Choose a password that you have not used before."
    elif not is_acceptable_password(wanted, user.user_principal_name):
        problem = "Choose a password that is harder to guess: at least 8 characters of three kinds, without your name."
    if problem:
        return visit.show("new_password.html", problem)
    now = visit.services.clock.now()
    user = replace(
        user,
        password=Digest.of(wanted),
        must_change_password=False,
        sessions_valid_from=now,
        properties=user.properties | {"lastPasswordChangeDateTime": seconds(now)},
    )
    signed_in.tenant.users.put(user)
    # Dated after the change, which ends every session that began before it.
    return replace(signed_in, user=user, at=visit.services.clock.now())


def _page(visit: Visit, refusal: SignInError, template: str) -> Answer:
    if visit.silent:
        raise refusal
    return visit.show(template)


def _code_page(
    visit: Visit, signed_in: SignedIn, refusal: SignInError | None = None, problem: SignInError | None = None
) -> Answer:
    if visit.silent and refusal is not None:
        raise refusal
    digits = code_now(visit.services.tokens.keys, signed_in.user, visit.services.clock.now())
    return visit.show(
        "code.html", problem, registers=not can_confirm(signed_in.user), phone=f"{digits[:3]} {digits[3:]}"
    )
