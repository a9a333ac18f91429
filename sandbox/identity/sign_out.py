"""Signing out: the browser forgets its session; tokens that were given out live on."""

from __future__ import annotations

from sandbox.directory.directory import Directory
from sandbox.exchange import Answer, Exchange
from sandbox.identity.interaction import Memory
from sandbox.identity.pages import page
from sandbox.identity.replies import is_registered, redirect, with_parameters


def sign_out(directory: Directory, memory: Memory, exchange: Exchange) -> Answer:
    """``/{tenant}/oauth2/v2.0/logout``: of the account that is hinted at, or of all.

    The browser goes on only to an address that an application registered; otherwise it stays on a page.
    """
    parameters = exchange.query() | (exchange.form() if exchange.method == "POST" else {})
    hint = parameters.get("logout_hint", "").lower()
    kept = [one for one in memory.accounts(exchange) if hint and one.user.user_principal_name.lower() != hint]
    target = parameters.get("post_logout_redirect_uri", "")
    registered = tuple(
        uri
        for application in directory.applications
        for uri in (*application.redirect_uris, *application.public_redirect_uris, *application.spa_redirect_uris)
    )
    if target and is_registered(target, registered):
        state = {"state": parameters["state"]} if "state" in parameters else {}
        answer = redirect(with_parameters(target, state))
    else:
        answer = page("signed_out.html", application="")
    answer.headers["Set-Cookie"] = memory.cookie(kept)
    return answer
