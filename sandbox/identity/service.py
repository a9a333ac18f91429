"""The sign-in service as one thing: paths to answers, refusals to envelopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.exchange import Answer, Exchange
from sandbox.identity import discovery
from sandbox.identity.behaviour import SignInBehaviour
from sandbox.identity.clients import Clients
from sandbox.identity.codes import Codes
from sandbox.identity.errors import SignInError
from sandbox.identity.token_endpoint import TokenEndpoint
from sandbox.identity.tokens import Tokens
from sandbox.routing import Routes, UnknownMethodError, UnknownSegmentError

_Serve = Callable[[Exchange, Mapping[str, str]], Answer]


class SignInService:
    """Everything that Microsoft serves at login.microsoftonline.com, as far as this sandbox has it."""

    def __init__(self, directory: Directory, tokens: Tokens, clock: Clock, behaviour: SignInBehaviour) -> None:
        self._directory = directory
        clients, codes = Clients(directory, clock, behaviour), Codes(clock, behaviour)
        self.token_endpoint = TokenEndpoint(directory, tokens, clients, codes, clock)
        self._routes: Routes[_Serve] = Routes()
        self._add("GET", "/common/discovery/instance", lambda exchange, _: discovery.instance_discovery(exchange))
        self._add(
            "GET", "/common/userrealm/{user}", lambda _, found: discovery.user_realm(self._directory, found["user"])
        )
        for tenant in ("{tenant}", "common", "organizations"):
            # "common" has paths of its own, so it needs the general ones by its name too.
            self._add_tenant_paths(tenant, tokens)

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
        client_id = exchange.form().get("client_id") if exchange.method == "POST" else None
        return tenant.id if tenant else None, client_id

    def _add_tenant_paths(self, tenant: str, tokens: Tokens) -> None:
        def name(found: Mapping[str, str]) -> str:
            return found.get("tenant", tenant)

        self._add(
            "GET",
            f"/{tenant}/v2.0/.well-known/openid-configuration",
            lambda exchange, found: discovery.openid_configuration(self._directory, exchange, name(found)),
        )
        self._add(
            "GET",
            f"/{tenant}/discovery/v2.0/keys",
            lambda exchange, found: discovery.keys(self._directory, exchange, name(found), tokens.keys),
        )
        self._add(
            "POST",
            f"/{tenant}/oauth2/v2.0/token",
            lambda exchange, found: self.token_endpoint.answer(exchange, name(found)),
        )

    def _add(self, method: str, path: str, serve: _Serve) -> None:
        self._routes.add(method, path, serve)
