"""The sign-in service as one thing: paths to answers, refusals to envelopes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.exchange import Answer, Exchange
from sandbox.identity import discovery, realm
from sandbox.identity.behaviour import SignInBehaviour
from sandbox.identity.clients import Clients
from sandbox.identity.codes import Codes
from sandbox.identity.errors import SignInError
from sandbox.identity.interaction import Memory
from sandbox.identity.sign_in_pages import SignInPages
from sandbox.identity.sign_out import sign_out
from sandbox.identity.token_endpoint import TokenEndpoint
from sandbox.identity.tokens import Tokens
from sandbox.identity.userinfo import userinfo
from sandbox.identity.visit import Services
from sandbox.routing import Routes, UnknownMethodError, UnknownSegmentError

_Serve = Callable[[Exchange, Mapping[str, str]], Answer]
_ServeTenant = Callable[[Exchange, str], Answer]


class SignInService:
    """Everything that Microsoft serves at login.microsoftonline.com, as far as this sandbox has it."""

    def __init__(self, directory: Directory, tokens: Tokens, clock: Clock, behaviour: SignInBehaviour) -> None:
        self._directory = directory
        self._tokens = tokens
        self._memory = Memory(directory, tokens.keys, clock)
        clients, codes = Clients(directory, clock, behaviour), Codes(clock, behaviour)
        self.token_endpoint = TokenEndpoint(directory, tokens, clients, codes, clock)
        self._pages = SignInPages(Services(directory, tokens, clients, codes, clock, self._memory))
        self._routes: Routes[_Serve] = Routes()
        self._add_common_paths()
        for tenant in ("{tenant}", "common", "organizations"):
            # "common" has paths of its own, so it needs the general ones by its name too.
            self._add_tenant_paths(tenant)

    def answer(self, exchange: Exchange) -> Answer:
        """The answer or the refusal; 404 without a body for what is not served."""
        try:
            serve, found = self._routes.find(exchange.method, exchange.segments)
            answer = serve(exchange, found)
        except UnknownSegmentError:
            answer = Answer(404)
        except UnknownMethodError:
            answer = Answer(405)
        except SignInError as refusal:
            answer = refusal.answer(exchange)
        return answer

    def tenant_and_app(self, exchange: Exchange) -> tuple[str | None, str | None]:
        """Which tenant's sign-in this is and for which application, as far as the request tells."""
        segments = exchange.segments
        tenant = self._directory.tenant(segments[0]) if segments else None
        parameters = exchange.form() if exchange.method == "POST" else exchange.query()
        if "ctx" in parameters:
            with contextlib.suppress(SignInError):
                interaction = self._memory.read(parameters["ctx"])
                parameters = interaction.parameters
                tenant = tenant or self._directory.tenant(interaction.username.rpartition("@")[2])
        return tenant.id if tenant else None, parameters.get("client_id")

    def _add_common_paths(self) -> None:
        directory = self._directory
        add = self._routes.add
        add("GET", "/common/discovery/instance", lambda exchange, _: discovery.instance_discovery(exchange))
        add(
            "GET",
            "/common/userrealm/{user}",
            lambda exchange, found: realm.user_realm(
                directory, found["user"], exchange.query().get("api-version", "1.0")
            ),
        )
        add(
            "GET",
            "/GetUserRealm.srf",
            lambda exchange, _: realm.account_realm(directory, exchange.query().get("login", "")),
        )
        for method in ("GET", "POST"):
            add(method, "/oidc/userinfo", lambda exchange, _: userinfo(directory, self._tokens, exchange))

    def _add_tenant_paths(self, tenant: str) -> None:
        directory, tokens, pages = self._directory, self._tokens, self._pages
        served: list[tuple[str, str, _ServeTenant]] = [
            (
                "GET",
                "v2.0/.well-known/openid-configuration",
                lambda exchange, name: discovery.openid_configuration(directory, exchange, name),
            ),
            (
                "GET",
                "discovery/v2.0/keys",
                lambda exchange, name: discovery.keys(directory, exchange, name, tokens.keys),
            ),
            ("POST", "oauth2/v2.0/token", self.token_endpoint.answer),
            ("GET", "oauth2/v2.0/authorize", pages.authorize),
            ("POST", "oauth2/v2.0/authorize", pages.authorize),
            ("POST", "login", pages.step),
            ("GET", "adminconsent", lambda exchange, name: pages.admin_consent(exchange, name, "adminconsent")),
            (
                "GET",
                "v2.0/adminconsent",
                lambda exchange, name: pages.admin_consent(exchange, name, "v2.0/adminconsent"),
            ),
            ("GET", "oauth2/v2.0/logout", lambda exchange, _: sign_out(directory, self._memory, exchange)),
            ("POST", "oauth2/v2.0/logout", lambda exchange, _: sign_out(directory, self._memory, exchange)),
        ]
        for method, path, serve in served:
            self._routes.add(method, f"/{tenant}/{path}", _for_tenant(serve, tenant))


def _for_tenant(serve: _ServeTenant, tenant: str) -> _Serve:
    """Serve with the tenant that the path names, in a parameter or by itself."""
    return lambda exchange, found: serve(exchange, found.get("tenant", tenant))
