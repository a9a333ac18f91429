"""A portal under test, and people who visit it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from http.cookies import SimpleCookie
from types import MappingProxyType
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.crypto.narrow_keyring import PortalKeyring
from entra_jit.settings import OwnApplication
from entra_jit.web.application import portal as web_application
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.person import SIGN_IN_APP, SIGN_IN_SECRET, Person, arrived
from tests.stage import Scene, Services, configure, scene, variant

HOME = "0a0a0a0a-1111-4111-8111-000000000001"
PEOPLE = {
    name: f"0a0a0a0a-1111-4111-8111-0000000000a{number}" for number, name in enumerate(("alex", "robin", "kim"), 1)
}
"""Technicians by their object ids in the sandbox's home tenant."""

ADDRESSES = {"/auth/callback", "/sign-in/begin", "/connect", "/connect/callback"}
"""Of sign-ins and connections, which are no pages of the person who is signed in."""
STREAMS = {"/tiles"}
"""They do not end."""

ADMIN, AUDITOR, STRANGER = "dana", "noor", "sasha"
LINK_WITH_PARAMETER = re.compile(r'href="(/(?:grants|extensions|endings|customers|tenants|people)/[^"?]+)')
_FORM_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


class Visit:
    """One person with one browser. It keeps the portal's cookies as browsers do for localhost also without TLS."""

    def __init__(self, origin: str, cookies: Mapping[str, str] = MappingProxyType({})) -> None:
        self.cookies = dict(cookies)
        self.http = httpx.AsyncClient(
            base_url=origin,
            trust_env=False,
            timeout=PATIENCE_SECONDS,
            headers={"Sec-Fetch-Site": "same-origin"},
            event_hooks={"request": [self._give], "response": [self._keep]},
        )

    async def _give(self, request: httpx.Request) -> None:
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def _keep(self, answer: httpx.Response) -> None:
        for header in answer.headers.get_list("set-cookie"):
            for name, cookie in SimpleCookie(header).items():
                self.cookies[name] = cookie.value
                if cookie["max-age"] == "0":
                    del self.cookies[name]

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        """Open a page."""
        return await self.http.get(path, params=parameters or None)

    async def post(self, path: str, *, csrf: str | None = None, **fields: str | list[str]) -> httpx.Response:
        """Send a form, with the token that this session's pages carry."""
        if csrf is None:
            csrf = self.token_in(await self.get("/profile"))
        return await self.http.post(path, data={"csrf": csrf, **fields})

    @staticmethod
    def token_in(answer: httpx.Response) -> str:
        """The token that the page's forms carry."""
        found = _FORM_TOKEN.search(answer.text)
        assert found, answer.text
        return found[1]


@dataclass
class Portal:
    """The portal, the scene that it works in, and who is signed in."""

    scene: Scene
    web: FastAPI
    port: int
    _visits: dict[str, Visit] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.port}"

    async def configure(self, **changes: Any) -> None:
        """(Re-)apply the configuration, with the sandbox's people as technicians."""
        technicians = changes.pop("technicians", tuple(PEOPLE))
        await configure(self.scene, technicians=technicians, ids=PEOPLE, **changes)

    @contextlib.asynccontextmanager
    async def beside(self, **settings: Any) -> AsyncIterator[Portal]:
        """A second portal of the same deployment, with other settings."""
        port = free_port()
        changed = self.web.state.app.settings.model_copy(update={"portal_url": f"http://localhost:{port}", **settings})
        portal = Portal(self.scene, web_application(variant(self.web.state.app, settings=changed)), port)
        async with serving(portal.web, port):
            yield portal

    async def visit(self, name: str) -> Visit:
        """``name`` of the home tenant, signed in; in one session for all tests, until a test ends it."""
        visit = self._visits.get(name)
        if visit is None or (await visit.get("/profile")).status_code != httpx.codes.OK:
            visit = self._visits[name] = await self.sign_in(name)
        return visit

    def forget(self, name: str) -> None:
        """That session was ended in a browser."""
        self._visits.pop(name, None)

    async def pages_of(self, name: str) -> list[str]:
        """Every page that ``name`` may open, by asking: those without a parameter, and what these lead to.

        Of the pages about tenants, technicians and groups one of each kind: they differ in their names alone.
        """
        visit = await self.visit(name)
        found: list[str] = []
        kinds: set[str] = set()
        waiting = page_addresses(self.web)
        while waiting:
            path = waiting.pop(0)
            kind = _kind_of(path)
            if kind in kinds:
                continue
            answer = await visit.get(path)
            if answer.status_code == httpx.codes.OK and answer.headers["content-type"].startswith("text/html"):
                kinds.add(kind)
                found.append(path)
                waiting += sorted(set(LINK_WITH_PARAMETER.findall(answer.text)))
        assert {"/", "/open"} & set(found)
        return found

    async def sign_in(self, name: str, *, to: str = "/", anew: bool = False) -> Visit:
        """A new session of ``name``."""
        visit = Visit(self.origin)
        answer = await self.come_back(visit, await self.prove(visit, name, to=to, anew=anew))
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return visit

    async def prove(self, visit: Visit, name: str, *, to: str = "/", anew: bool = False) -> dict[str, str]:
        """Begin a sign-in and prove at the sign-in service who one is. What it sends back."""
        begun = await visit.get("/sign-in/begin", to=to, anew=str(anew).lower())
        assert begun.status_code == httpx.codes.SEE_OTHER, begun.text
        return await self.prove_at(begun.headers["location"], name)

    async def prove_at(self, sign_in_service: str, name: str) -> dict[str, str]:
        """Prove there who one is, in a browser that has never been there."""
        with httpx.Client(verify=self.scene.services.trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            person = Person(http)
            await asyncio.to_thread(person.open, sign_in_service)
            back = await asyncio.to_thread(
                person.sign_in, f"{name}@northwindmsp.com", f"sandbox-only-{name.capitalize()}1"
            )
        return arrived(back).parameters

    async def come_back(self, visit: Visit, parameters: dict[str, str]) -> httpx.Response:
        """Arrive from the sign-in service."""
        return await visit.get("/auth/callback", **parameters)


def _kind_of(path: str) -> str:
    """The same for pages of one kind about different tenants, technicians or groups; the path itself for all others."""
    parts = path.split("/")
    if parts[1] == "tenants" and len(parts) > 2:
        parts[2] = "*"
    if parts[1] == "people" and len(parts) > 3:
        parts[3] = "*"
    return "/".join(parts)


def routes_of(web: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route."""
    found = iter_route_contexts(web.routes)
    return sorted((method, route.path) for route in found if route.path for method in route.methods or ())


def page_addresses(web: FastAPI) -> list[str]:
    """Pages without a parameter, which exist whatever there is."""
    no_pages = ADDRESSES | STREAMS
    return [path for method, path in routes_of(web) if method == "GET" and "{" not in path and path not in no_pages]


def free_port() -> int:
    """A port of this machine that no program has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def opened_portal(services: Services, *, customers: int, **settings: Any) -> AsyncIterator[Portal]:
    """A portal with a scene of its own, configured and served."""
    port = free_port()
    settings |= {
        "portal_url": f"http://localhost:{port}",
        "home_tenant": HOME,
        "sign_in": OwnApplication(
            client_id=SIGN_IN_APP, secret=SecretStr(SIGN_IN_SECRET), secret_expires=date(2099, 1, 1)
        ),
    }
    async with scene(services, customers=customers, skips_time=False, settings=settings) as made:
        # As its own process: with the portal's keys, and without the deployment's.
        narrow = {"keys": None, "portal_keys": PortalKeyring.derived(made.app.keyring), "elevate": None, "revoke": None}
        async with App(made.settings.model_copy(update=narrow), clock=made.app.clock, client=made.app.client) as app:
            portal = Portal(made, web_application(app), port)
            await portal.configure()
            async with serving(portal.web, port):
                yield portal


@contextlib.asynccontextmanager
async def serving(web: FastAPI, port: int) -> AsyncIterator[None]:
    """The portal over HTTP on a port of this machine."""
    config = uvicorn.Config(web, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    server.config.timeout_graceful_shutdown = 1
    task = asyncio.create_task(server._serve())  # without uvicorn's own handling of signals
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not server.started:
                await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task
