"""One request of a browser: who is signed in in it, what it is in the middle of, and how the next page is shown."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.exchange import Answer, Exchange, Json
from sandbox.identity.clients import Clients
from sandbox.identity.codes import Codes
from sandbox.identity.errors import SignInError
from sandbox.identity.interaction import Interaction, Memory
from sandbox.identity.pages import page
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Services:
    """What serving a page needs."""

    directory: Directory
    tokens: Tokens
    clients: Clients
    codes: Codes
    clock: Clock
    memory: Memory


@dataclass(slots=True)
class Visit:
    """A browser's request. ``silent`` visits end in an answer to the application, never in a page."""

    services: Services
    exchange: Exchange
    interaction: Interaction
    accounts: list[SignedIn]
    title: str
    """The name of the application that the person signs in to."""
    silent: bool = False
    client_id: str = ""

    @property
    def form(self) -> dict[str, str]:
        """What the person filled in."""
        return self.exchange.form()

    def remember(self, signed_in: SignedIn) -> None:
        """Put a sign-in into the browser's session, and take the interaction on as that person's."""
        others = [one for one in self.accounts if one.user.id != signed_in.user.id]
        self.accounts = [*others, signed_in]
        self.interaction = self.interaction.by(signed_in)
        self.exchange.signed_in_as = (signed_in.user.id, signed_in.user.user_principal_name)

    def show(
        self, template: str, problem: SignInError | str | None = None, *, scripted: bool = False, **values: Json
    ) -> Answer:
        """The next page of this interaction, with what was wrong with the last one."""
        return page(
            template,
            scripted=scripted,
            action=f"/{self.interaction.tenant_name}/login",
            context=self._context(),
            application=self.title,
            username=self.interaction.username,
            problem=_told(problem) if problem else None,
            **values,
        )

    def refuse(self, refusal: SignInError, *, back: str | None = None) -> Answer:
        """The page for what this account cannot have. ``back`` leads to the application, which is told the same."""
        retry = {"action": f"/{self.interaction.tenant_name}/login", "context": self._context()}
        return _refused(refusal, self.exchange, self.title, back=back, retry=retry)

    def _context(self) -> str:
        return self.services.memory.written(self.interaction)

    def keeping_session(self, answer: Answer) -> Answer:
        """The answer, with the browser made to remember who is signed in."""
        answer.headers["Set-Cookie"] = self.services.memory.cookie(self.accounts)
        return answer


def refused(refusal: SignInError, exchange: Exchange) -> Answer:
    """The page for a request that no sign-in can serve."""
    return _refused(refusal, exchange, "", back=None, retry=None)


def _refused(
    refusal: SignInError, exchange: Exchange, title: str, *, back: str | None, retry: dict[str, str] | None
) -> Answer:
    return page(
        "refused.html",
        status=400,
        application=title,
        number=refusal.number,
        text=refusal.text,
        sentence=_SENTENCES.get(refusal.number, "We are having trouble signing you in."),
        request_id=exchange.request_id,
        correlation_id=exchange.client_request_id,
        timestamp=exchange.at.strftime("%Y-%m-%d %H:%M:%SZ"),
        back=back,
        retry=retry,
    )


_SENTENCES = {
    50011: "The application asked for an answer at an address that it has not registered.",
    50020: "This account is not in the tenant that the application asks for.",
    53003: "You cannot access this right now. Your sign-in was right, but it does not meet the criteria for access.",
    90094: "This needs an administrator's approval.",
    90002: "There is no such tenant.",
    700016: "The tenant does not know this application.",
    7000112: "An administrator has disabled this application.",
}
_TOLD = {
    50034: "We could not find an account with that username.",
    50057: "This account is disabled. Ask an administrator of your organization.",
    50126: "Your account or password is incorrect.",
    90002: "We could not find an account with that username: no tenant has its domain.",
    135016: "We couldn't sign you in with that passkey.",
    500121: "That was not the code that the phone shows.",
    130507: "Your Temporary Access Pass is incorrect or no longer valid.",
}


def _told(problem: SignInError | str) -> dict[str, Json]:
    if isinstance(problem, str):
        return {"text": problem, "number": None}
    return {"text": _TOLD.get(problem.number, problem.text), "number": problem.number}
