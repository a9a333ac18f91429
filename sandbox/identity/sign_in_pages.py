"""The authorize and consent endpoints for people: page by page to the person, then to what was asked for.

All pages post to ``/{tenant}/login``. The button says what was done, the hidden field what it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from sandbox import passkeys
from sandbox.exchange import Answer, Exchange
from sandbox.identity import admin_consent, authorization, demands, sign_in
from sandbox.identity.admin_consent import ConsentRequest, read_consent_request
from sandbox.identity.authorize_request import AuthorizeRequest, read_authorize_request
from sandbox.identity.errors import SignInError, malformed_request, parameter_missing, tenant_not_found
from sandbox.identity.interaction import Interaction, Purpose
from sandbox.identity.person_errors import (
    consent_declined,
    no_one_signed_in,
    no_such_user,
    several_signed_in,
)
from sandbox.identity.replies import RefusalToApplication
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.visit import Services, Visit, refused

_Request = AuthorizeRequest | ConsentRequest


class SignInPages:
    """Takes people from an application's request to its answer."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._actions: dict[str, Callable[[Visit, _Request], Answer]] = {
            "username": self._take_username,
            "password": self._take_password,
            "pass": self._take_pass,
            "passkey": self._take_passkey,
            "use-passkey": lambda visit, _: self._passkey_page(visit),
            "use-password": lambda visit, _: self._password_page(visit),
            "use-pass": lambda visit, _: visit.show("pass.html"),
            "account": self._take_account,
            "other": lambda visit, _: visit.show("username.html", hint=""),
            "code": lambda visit, request: self._meet(visit, request, demands.take_code),
            "new-password": lambda visit, request: self._meet(visit, request, demands.take_new_password),
            "accept": self._accept,
            "decline": self._decline,
        }

    def authorize(self, exchange: Exchange, tenant_name: str) -> Answer:
        """``/{tenant}/oauth2/v2.0/authorize``."""
        parameters = exchange.form() if exchange.method == "POST" else exchange.query()
        return self._begin(exchange, Interaction(purpose="authorize", tenant_name=tenant_name, parameters=parameters))

    def admin_consent(self, exchange: Exchange, tenant_name: str, purpose: Purpose) -> Answer:
        """``/{tenant}/adminconsent`` and ``/{tenant}/v2.0/adminconsent``."""
        interaction = Interaction(purpose=purpose, tenant_name=tenant_name, parameters=exchange.query())
        return self._begin(exchange, interaction)

    def step(self, exchange: Exchange, tenant_name: str) -> Answer:
        """``POST /{tenant}/login``: what the person did on the last page."""

        def run() -> Answer:
            interaction = self._services.memory.read(exchange.form().get("ctx", ""))
            action = self._actions.get(exchange.form().get("action", "").partition(":")[0])
            if action is None or interaction.tenant_name != tenant_name:
                raise malformed_request()
            visit, request = self._visit(exchange, interaction)
            return action(visit, request)

        return self._told(exchange, run)

    def _begin(self, exchange: Exchange, interaction: Interaction) -> Answer:
        def run() -> Answer:
            visit, request = self._visit(exchange, interaction)
            return self._who(visit, request)

        return self._told(exchange, run)

    def _told(self, exchange: Exchange, run: Callable[[], Answer]) -> Answer:
        try:
            return run()
        except RefusalToApplication as refusal:
            return refusal.answer(exchange)
        except SignInError as refusal:
            return refused(refusal, exchange)

    def _visit(self, exchange: Exchange, interaction: Interaction) -> tuple[Visit, _Request]:
        services = self._services
        request: _Request
        if interaction.purpose == "authorize":
            request = read_authorize_request(
                interaction.parameters, interaction.tenant_name, services.directory, services.clients, exchange.origin
            )
            silent = request.prompt == "none"
        else:
            parameters = dict(interaction.parameters)
            if interaction.purpose == "adminconsent":
                parameters.pop("scope", None)
            elif not parameters.get("scope"):
                raise parameter_missing("scope")
            request = read_consent_request(parameters, interaction.tenant_name, services, exchange.origin)
            silent = False
        accounts = services.memory.accounts(exchange)
        client = request.client
        return Visit(services, exchange, interaction, accounts, client.display_name, silent, client.id), request

    def _who(self, visit: Visit, request: _Request) -> Answer:
        """The person who is signed in already, or the page that asks who it is."""
        prompt, hint = "", ""
        if isinstance(request, AuthorizeRequest):
            prompt, hint = request.prompt, request.login_hint
        fitting = [
            one
            for one in visit.accounts
            if (request.tenant is None or one.tenant.id == request.tenant.id)
            and (not hint or one.user.user_principal_name.lower() == hint.lower())
        ]
        if prompt == "none" and isinstance(request, AuthorizeRequest):
            if len(fitting) > 1:
                raise request.refused(several_signed_in())
            if not fitting or not self._is_recent(request, fitting[0]):
                raise request.refused(no_one_signed_in())
        if prompt == "select_account" or (len(fitting) > 1 and prompt != "login"):
            return visit.show("accounts.html", accounts=visit.accounts)
        if len(fitting) == 1 and prompt != "login":
            return self._go_on_or_prove(visit, request, fitting[0])
        if hint:
            return self._credential_page(visit, hint)
        domain = request.domain_hint if isinstance(request, AuthorizeRequest) else ""
        return visit.show("username.html", hint=f"@{domain}" if "." in domain else "")

    def _credential_page(self, visit: Visit, username: str) -> Answer:
        """What this person is asked for: a pass while one is usable, the password otherwise."""
        visit.interaction = replace(visit.interaction, username=username.strip())
        domain = username.strip().rpartition("@")[2]
        tenant = self._services.directory.tenant(domain)
        if tenant is None:
            return visit.show("username.html", tenant_not_found(domain), hint=username)
        held = tenant.organization.domain(domain)
        if held is not None and held.authentication_type == "Federated":
            return visit.show("elsewhere.html", domain=domain)
        user = tenant.user(username.strip())
        if user is None:
            problem = no_such_user(tenant.organization.display_name)
            return visit.show("username.html", problem, hint=username)
        if sign_in.has_usable_passkey(tenant, user):
            return self._passkey_page(visit)
        if sign_in.has_usable_pass(tenant, user, self._services.clock.now()):
            return visit.show("pass.html")
        return self._password_page(visit)

    def _password_page(self, visit: Visit, problem: SignInError | None = None) -> Answer:
        return visit.show("password.html", problem)

    def _passkey_page(self, visit: Visit, problem: SignInError | None = None) -> Answer:
        """The page that has the browser sign; the challenge holds for whichever account's key it shows."""
        challenge = passkeys.new_challenge(sign_in.PASSKEY_SIGN_IN, self._services.clock.now())
        asked = {"challenge": challenge, "rpId": passkeys.rp_id(visit.exchange.origin)}
        return visit.show("passkey.html", problem, scripted=True, asked=asked)

    def _take_passkey(self, visit: Visit, request: _Request) -> Answer:
        services, username = self._services, visit.interaction.username
        try:
            assertion = json.loads(visit.form.get("assertion", ""))
        except ValueError:
            assertion = None
        origin, now = visit.exchange.origin, services.clock.now()
        try:
            signed_in = sign_in.with_passkey(services.directory, username, assertion, origin, now)
        except SignInError as problem:
            return self._passkey_page(visit, problem)
        return self._proved(visit, request, signed_in)

    def _take_username(self, visit: Visit, _: _Request) -> Answer:
        return self._credential_page(visit, visit.form.get("username", ""))

    def _take_password(self, visit: Visit, request: _Request) -> Answer:
        services, username = self._services, visit.interaction.username
        try:
            password = visit.form.get("password", "")
            signed_in = sign_in.with_password(services.directory, username, password, services.clock.now())
        except SignInError as problem:
            return self._password_page(visit, problem)
        return self._proved(visit, request, signed_in)

    def _take_pass(self, visit: Visit, request: _Request) -> Answer:
        services, username = self._services, visit.interaction.username
        value = visit.form.get("temporary_access_pass", "")
        try:
            signed_in = sign_in.with_temporary_access_pass(services.directory, username, value, services.clock.now())
        except SignInError as problem:
            return visit.show("pass.html", problem)
        return self._proved(visit, request, signed_in)

    def _take_account(self, visit: Visit, request: _Request) -> Answer:
        wanted = visit.form.get("action", "").partition(":")[2]
        chosen = next((one for one in visit.accounts if one.user.id == wanted), None)
        if chosen is None:
            # Its session ended while the list was on the screen.
            return visit.show("username.html", hint="")
        return self._go_on_or_prove(visit, request, chosen)

    def _go_on_or_prove(self, visit: Visit, request: _Request, signed_in: SignedIn) -> Answer:
        """A person whose sign-in is too old proves it again; the name stays (MicrosoftDocs/azure-docs#51307)."""
        if self._is_recent(request, signed_in):
            return self._go_on(visit, request, signed_in)
        return self._credential_page(visit, signed_in.user.user_principal_name)

    def _is_recent(self, request: _Request, signed_in: SignedIn) -> bool:
        return not isinstance(request, AuthorizeRequest) or request.takes(signed_in.at, self._services.clock.now())

    def _proved(self, visit: Visit, request: _Request, signed_in: SignedIn) -> Answer:
        visit.remember(signed_in)
        return visit.keeping_session(self._go_on(visit, request, signed_in))

    def _go_on(self, visit: Visit, request: _Request, signed_in: SignedIn) -> Answer:
        """From a signed-in person to what was asked for, or to the page in between."""
        visit.remember(signed_in)
        try:
            if isinstance(request, AuthorizeRequest):
                authorization.in_right_tenant(request, signed_in)
            if (page := demands.unmet(visit, signed_in)) is not None:
                return page
        except SignInError as refusal:
            if visit.silent and isinstance(request, AuthorizeRequest):
                raise request.refused(refusal) from None
            back = request.back_with(refusal, visit.exchange) if isinstance(request, AuthorizeRequest) else None
            return visit.refuse(refusal, back=back)
        if isinstance(request, AuthorizeRequest):
            return authorization.authorize(visit, request, signed_in)
        return admin_consent.ask(visit, request, signed_in)

    def _meet(self, visit: Visit, request: _Request, take: Callable[[Visit, SignedIn], Answer | SignedIn]) -> Answer:
        outcome = take(visit, self._signed_in(visit))
        return outcome if isinstance(outcome, Answer) else self._proved(visit, request, outcome)

    def _accept(self, visit: Visit, request: _Request) -> Answer:
        signed_in = self._signed_in(visit)
        if (page := demands.unmet(visit, signed_in)) is not None:
            return page
        visit.remember(signed_in)
        if isinstance(request, AuthorizeRequest):
            authorization.in_right_tenant(request, signed_in)
            return authorization.accept(visit, request, signed_in)
        return admin_consent.accept(visit, request, signed_in)

    def _decline(self, visit: Visit, request: _Request) -> Answer:
        self._signed_in(visit)
        if isinstance(request, AuthorizeRequest):
            raise request.refused(consent_declined())
        return admin_consent.decline(visit, request)

    def _signed_in(self, visit: Visit) -> SignedIn:
        """The person of this interaction. Raises ``SignInError`` if there is none, or not any more."""
        evidence = visit.interaction.evidence
        held = evidence.signed_in(self._services.directory, self._services.clock.now()) if evidence else None
        if held is None:
            raise no_one_signed_in()
        return held
