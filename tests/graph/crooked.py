"""A stand-in for what the internet puts between us and Microsoft: a TLS server that answers exactly what it is told.

The sandbox is faithful to Microsoft; proxies, captive portals and half answers are not.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs

import trustme

from entra_jit.graph import ClientSecret, Connection, Graph, Tenant, TransientError
from models.messages import ObjectId
from tests.patience import PATIENCE_SECONDS, eventually

TENANT_ID = "11111111-2222-3333-4444-555555555555"
ALEX = ObjectId("87d349ed-44d7-43e1-9a83-5f2406dee5bd")
HTML = "<html><title>Welcome to the hotel's wireless network</title></html>"


def user(**changed: object) -> dict[str, object]:
    """An account as Graph describes it."""
    described = {
        "id": ALEX,
        "userPrincipalName": "msp-alex@contoso.onmicrosoft.com",
        "accountEnabled": False,
        "userType": "Member",
        "onPremisesSyncEnabled": None,
        "onPremisesExtensionAttributes": {"extensionAttribute1": "mark", "extensionAttribute2": None},
    }
    return {name: value for name, value in (described | changed).items() if value is not ...}


@dataclass
class Reply:
    """What to answer once."""

    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    after: asyncio.Event | None = None
    """Not before this is set. One that nobody sets: never."""

    def encoded(self) -> bytes:
        """The answer on the wire; a body that is a string is sent as it is."""
        text = self.body if isinstance(self.body, str) else "" if self.body is None else json.dumps(self.body)
        head = {"Content-Length": str(len(text.encode())), "Connection": "close"} | self.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return f"HTTP/1.1 {self.status} .\r\n{lines}\r\n{text}".encode()


@dataclass
class Crooked:
    """The server's script and its memory. Where the script is empty it gives out tokens and is otherwise silent."""

    url: str
    ca_file: Path
    tokens: deque[Reply] = field(default_factory=deque)
    answers: deque[Reply] = field(default_factory=deque)
    seen: list[str] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    consistency_levels: list[str] = field(default_factory=list)
    """Of the requests that name one."""
    assertions: list[str] = field(default_factory=list)

    @property
    def sign_ins(self) -> int:
        """How often a token was asked for."""
        return sum("oauth2" in line for line in self.seen)

    def graph(self, **options: object) -> Graph:
        """A client of this server."""
        known = {
            "graph_url": f"{self.url}/v1.0",
            "login_url": self.url,
            "ca_file": self.ca_file,
            "timeout": PATIENCE_SECONDS,
        }
        return Graph(**(known | options))  # type: ignore[arg-type]

    def connect(self, graph: Graph, secret: str = "s3cret") -> Tenant:
        """A tenant behind this server."""
        credential = ClientSecret.model_validate({"secret": secret})
        connection = Connection.model_validate(
            {"tenant_id": TENANT_ID, "tenant": "Contoso", "client_id": TENANT_ID, "credential": credential}
        )
        return graph.tenant(connection)

    async def asked_for_a_token(self) -> None:
        """Wait until somebody signs in."""

        async def signs_in() -> bool | None:
            return self.sign_ins > 0 or None

        await eventually(signs_in)

    async def signed_in(self, tenant: Tenant) -> None:
        """Get the tenant its token, however often its deadline is too short for that on a busy machine."""

        async def succeeds() -> bool | None:
            self.answers.append(Reply(204))
            with suppress(TransientError):
                await tenant.users.disable(ALEX)
                return True
            return None

        await eventually(succeeds)
        self.answers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and hang up."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length")), 0
            )
            form = parse_qs((await reader.readexactly(length)).decode())
            self.assertions += form.get("client_assertion", [])
            self.seen.append(head.partition(" HTTP/1.1")[0])
            self.bearers += [line[22:] for line in head.splitlines() if line.lower().startswith("authorization")]
            named = [line.partition(": ") for line in head.splitlines()]
            self.consistency_levels += [level for name, _, level in named if name.lower() == "consistencylevel"]
            reply = self._reply(head.split(" ")[1])
            if reply.after is not None:
                await reply.after.wait()
            writer.write(reply.encoded())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _reply(self, path: str) -> Reply:
        if "openid-configuration" in path:
            endpoints = {"authorization_endpoint": f"{self.url}/authorize", "issuer": self.url}
            return Reply(body=endpoints | {"token_endpoint": f"{self.url}/{TENANT_ID}/oauth2/v2.0/token"})
        if "oauth2" in path:
            token = {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.sign_ins}"}
            return self.tokens.popleft() if self.tokens else Reply(body=token)
        return self.answers.popleft()


@asynccontextmanager
async def crooked_microsoft(folder: Path) -> AsyncIterator[Crooked]:
    """The server, on a free port, with a certificate authority of its own."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    crooked = Crooked("", ca_file)
    server = await asyncio.start_server(crooked.serve, "127.0.0.1", 0, ssl=context)
    crooked.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield crooked
    finally:
        server.close()
