"""How many requests a second the sandbox answers on one core, against the plain ASGI floor on the same machine.

    .venv/bin/python -m benchmarks.sandbox_rate [--rounds 5] [--seconds 2]

Two servers on loopback, each pinned to the same core: the sandbox, and an application that answers every request with
the same few bytes, both under uvicorn with the same TLS. The clients run on the other cores and take turns with them,
round by round. The load is what a grant does, in a tenant with 10,000 users: looking at an account, changing it,
giving and taking a role, a Temporary Access Pass, reading back; then the same spread over 500 tenants.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import ssl
import statistics
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_DNS, UUID, uuid5

import httpx
import trustme
import uvicorn
from starlette.types import Receive, Scope, Send

from sandbox.child import Addresses, running

USERS, TENANTS = 10_000, 500
CONNECTIONS = 16
CLIENT, SECRET = "e1e7a7e0-0000-4000-8000-00000000e1e7", "sandbox-only-elevate-secret"
ROLE = "4a5d8f65-41da-4de4-8968-e035b65339cf"
FLOOR_ANSWER = json.dumps({"@odata.context": "https://localhost/v1.0/$metadata#users/$entity", "id": "x" * 36}).encode()


class Request(NamedTuple):
    """What is sent; ``body`` None for none."""

    method: str
    path: str
    body: object = None


@dataclass(frozen=True)
class Rate:
    """One round: requests a second, and their times in milliseconds."""

    per_second: float
    median: float
    slowest_of_a_hundred: float


def tenant_id(number: int) -> str:
    """The GUID of a tenant of this benchmark."""
    return str(uuid5(NAMESPACE_DNS, f"tenant-{number}.example"))


def write_seed(file: Path) -> None:
    """One tenant with ten thousand users and five hundred small ones, all with the same application."""
    applications = [
        {
            "client_id": CLIENT,
            "name": "load",
            "home": "tenant-0",
            "secrets": [SECRET],
            "permissions": ["User.ReadWrite.All", "RoleManagement.ReadWrite.Directory",
                            "UserAuthenticationMethod.ReadWrite.All", "Organization.Read.All"],
            "roles": ["Privileged Authentication Administrator"],
        }
    ]  # fmt: skip
    tenants = []
    for number in range(TENANTS + 1):
        domain = f"tenant-{number}.onmicrosoft.com"
        people = USERS if number == 0 else 10
        tenants.append(
            {
                "id": tenant_id(number),
                "slug": f"tenant-{number}",
                "name": f"Tenant {number}",
                "domains": [{"name": domain, "initial": True, "default": True}],
                "users": [{"upn": f"user-{user}@{domain}", "name": f"User {user}"} for user in range(people)]
                + [{"upn": f"admin@{domain}", "name": "Admin", "roles": ["Global Administrator"]}],
                "applications": ["load"],
            }
        )
    file.write_text(json.dumps({"applications": applications, "tenants": tenants}), encoding="utf-8")


def grant(tenant: int, user: int) -> Iterator[Request]:
    """What a grant asks of one account, from opening to proof, and back to where it began."""
    name = f"user-{user}@tenant-{tenant}.onmicrosoft.com"
    account = str(uuid5(uuid5(NAMESPACE_DNS, f"tenant-{tenant}.example"), f"user:{name}"))
    roles = "/v1.0/roleManagement/directory/roleAssignments"
    passes = f"/v1.0/users/{account}/authentication/temporaryAccessPassMethods"
    yield Request("GET", "/v1.0/organization")
    yield Request("GET", f"/v1.0/users/{name}?$select=id,accountEnabled,userType,onPremisesExtensionAttributes")
    yield Request("POST", roles, {"roleDefinitionId": ROLE, "principalId": account, "directoryScopeId": "/"})
    yield Request("GET", f"{roles}?$filter=principalId%20eq%20'{account}'")
    yield Request("POST", passes, {"lifetimeInMinutes": 60})
    yield Request("PATCH", f"/v1.0/users/{account}", {"accountEnabled": True, "department": "JIT"})
    yield Request("PATCH", f"/v1.0/users/{account}", {"accountEnabled": False})
    yield Request("POST", f"/v1.0/users/{account}/revokeSignInSessions")
    yield Request("GET", f"/v1.0/users/{account}/authentication/methods")
    yield Request("DELETE", f"{roles}/{assignment_id(ROLE, account)}")
    yield Request("GET", f"{roles}?$filter=principalId%20eq%20'{account}'")
    yield Request("GET", f"/v1.0/users/{account}/memberOf")
    yield Request("GET", "/v1.0/users?$top=20&$select=id,displayName,userPrincipalName")


def assignment_id(role: str, principal: str) -> str:
    """The id that the directory computes."""
    return urlsafe_b64encode(UUID(role).bytes_le + UUID(principal).bytes_le).decode().rstrip("=") + "-1"


# What is measured against


async def _floor(_: Scope, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if not message.get("more_body"):
            break
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(FLOOR_ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": FLOOR_ANSWER})


def _serve_floor(directory: str, port: multiprocessing.connection.Connection, core: int | None) -> None:
    pin(core)
    config = uvicorn.Config(
        _floor, port=0, lifespan="off", log_config=None, access_log=False, ws="none",
        ssl_certfile=f"{directory}/floor.pem", ssl_keyfile=f"{directory}/floor-key.pem",
    )  # fmt: skip
    server = uvicorn.Server(config)

    async def run() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port.send(server.servers[0].sockets[0].getsockname()[1])
        await serving

    asyncio.run(run())


@contextmanager
def floor(directory: Path, core: int | None) -> Iterator[tuple[int, ssl.SSLContext]]:
    """The plain server's port, and trust in it, while the block lasts."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost")
    leaf.private_key_pem.write_to_path(str(directory / "floor-key.pem"))
    (directory / "floor.pem").write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve_floor, args=(str(directory), theirs, core), daemon=True
    )
    process.start()
    try:
        yield ours.recv(), trust
    finally:
        process.terminate()
        process.join(5)


def pin(core: int | None) -> None:
    """Keep this process on one core, where the system can."""
    if core is not None:
        os.sched_setaffinity(0, {core})


# The clients: as little of HTTP as it takes, so that they are not what is measured.


async def load(port: int, trust: ssl.SSLContext, work: Iterator[tuple[str, Request]], seconds: float) -> Rate:
    """Keep every connection busy with the next request for so long."""
    times: list[float] = []
    until = time.monotonic() + seconds
    began = time.monotonic()
    await asyncio.gather(*(_connection(port, trust, work, until, times) for _ in range(CONNECTIONS)))
    spent = time.monotonic() - began
    times.sort()
    return Rate(len(times) / spent, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000)


async def _connection(
    port: int, trust: ssl.SSLContext, work: Iterator[tuple[str, Request]], until: float, times: list[float]
) -> None:
    reader, writer = await asyncio.open_connection("localhost", port, ssl=trust)
    while time.monotonic() < until:
        for token, request in _one_grant(work):
            body = b"" if request.body is None else json.dumps(request.body).encode()
            writer.write(
                f"{request.method} {request.path} HTTP/1.1\r\nHost: localhost:{port}\r\n"
                f"Authorization: Bearer {token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            sent = time.monotonic()
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            assert status < 400, (request, head, await reader.read(2000))
            if b"content-length: " in head:
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
            times.append(time.monotonic() - sent)
    writer.close()


def _one_grant(work: Iterator[tuple[str, Request]]) -> list[tuple[str, Request]]:
    # The steps of one grant go over one connection: they depend on each other.
    return list(itertools.islice(work, STEPS))


STEPS = len(list(grant(0, 0)))


def tokens_of(addresses: Addresses, trust: ssl.SSLContext) -> list[str]:
    """An app-only token of every tenant."""
    form = {
        "client_id": CLIENT, "client_secret": SECRET, "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default",
    }  # fmt: skip
    with httpx.Client(base_url=addresses.login_url, verify=trust, trust_env=False, timeout=30) as http:
        answers = [http.post(f"/{tenant_id(number)}/oauth2/v2.0/token", data=form) for number in range(TENANTS + 1)]
    return [str(answer.raise_for_status().json()["access_token"]) for answer in answers]


def in_one_tenant(token: str) -> Iterator[tuple[str, Request]]:
    """Grants to one account after the other, in the large tenant."""
    for user in itertools.cycle(range(USERS)):
        for request in grant(0, user):
            yield token, request


def over_tenants(tokens: list[str]) -> Iterator[tuple[str, Request]]:
    """Grants in one tenant after the other."""
    for turn in itertools.count():
        tenant = 1 + turn % TENANTS
        for request in grant(tenant, turn // TENANTS % 10):
            yield tokens[tenant - 1], request


def report(name: str, rounds: list[Rate], against: list[Rate] | None = None) -> None:
    """One line: the median round."""
    rate = statistics.median(each.per_second for each in rounds)
    line = f"{name:34} {rate:8.0f}/s   median {statistics.median(each.median for each in rounds):6.1f} ms"
    line += f"   p99 {statistics.median(each.slowest_of_a_hundred for each in rounds):6.1f} ms"
    if against is not None:
        shares = [ours.per_second / theirs.per_second for ours, theirs in zip(rounds, against, strict=True)]
        line += f"   {statistics.median(shares):5.2f} of the floor"
    print(line, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round for each (at most 30)")
    given = parser.parse_args()
    rounds, seconds = min(given.rounds, 50), min(given.seconds, 30.0)
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    core = cores[-1] if len(cores) > 1 else None
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        write_seed(directory / "seed.json")
        with (
            floor(directory, core) as (floor_port, floor_trust),
            running(directory / "state", "--seed", str(directory / "seed.json")) as addresses,
        ):
            if core is not None:
                os.sched_setaffinity(addresses.pid, {core})
                os.sched_setaffinity(0, set(cores[:-1]))
            trust = ssl.create_default_context(cafile=addresses.ca_file)
            began = time.monotonic()
            tokens = tokens_of(addresses, trust)
            print(f"{len(tokens)} tokens, one after the other: {len(tokens) / (time.monotonic() - began):.0f}/s")
            large, many = in_one_tenant(tokens[0]), over_tenants(tokens[1:])
            plain = in_one_tenant(tokens[0])
            measured: dict[str, list[Rate]] = {"floor": [], "large": [], "many": []}
            for _ in range(rounds):
                measured["floor"].append(asyncio.run(load(floor_port, floor_trust, plain, seconds)))
                measured["large"].append(asyncio.run(load(addresses.port, trust, large, seconds)))
                measured["many"].append(asyncio.run(load(addresses.port, trust, many, seconds)))
            print(f"one core, TLS, {CONNECTIONS} connections, median of {rounds} rounds of {seconds:g} s")
            report("plain ASGI application (the floor)", measured["floor"])
            report(f"sandbox, one tenant of {USERS} users", measured["large"], measured["floor"])
            report(f"sandbox, {TENANTS} tenants in turn", measured["many"], measured["floor"])


if __name__ == "__main__":
    main()
