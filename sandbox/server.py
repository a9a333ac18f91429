"""The process: a socket with TLS from an authority of its own, a ready file, and a quick way out."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import trustme
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import Sandbox, Settings
from sandbox.control.application import control_application
from sandbox.delivery import DROP
from sandbox.seed import Seed

READY_FILE = "sandbox.json"


class StartError(Exception):
    """Something outside is in the way; the sentence says what."""


class _Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with a way for the application to hang up."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP: self.transport.abort}  # type: ignore[dict-item]

    def hang_up_if_idle(self) -> None:
        """Close a connection that waits for a next request, without the farewells of TLS."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


class _Server(uvicorn.Server):
    """Says when it is ready; leaves on the first signal without raising it again, so a clean exit is exit code 0."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Clients keep connections open that they may never use again: waiting for them would cost every exit a second.
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Protocol):
                connection.hang_up_if_idle()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave)
        yield

    def _leave(self) -> None:
        self.should_exit = True


def serve(state: Path, seed: Seed, settings: Settings, host: str, port: int, public_host: str) -> None:
    """Run a sandbox until it is told to stop. Raises ``StartError`` or ``StateError``."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _exclusively(state):
        ready = state / READY_FILE
        listener = _listen_as_before(host, ready) if port == 0 else _listen(host, port)
        names = _names(host, public_host)
        context = _tls(state, names)
        sandbox = Sandbox(state, seed, settings)
        sandbox.control = control_application(sandbox, names)
        try:
            _run(sandbox, listener, context, ready, public_host)
        finally:
            sandbox.close()


def _run(sandbox: Sandbox, listener: socket.socket, context: ssl.SSLContext, ready: Path, public_host: str) -> None:
    config = uvicorn.Config(
        sandbox,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    config.load()
    config.ssl = context
    port = listener.getsockname()[1]
    server = _Server(config, lambda: _announce(ready, port, public_host))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))


def _announce(ready: Path, port: int, public_host: str) -> None:
    origin = f"https://{public_host}:{port}"
    addresses = {
        "graph_url": f"{origin}/v1.0",
        "login_url": origin,
        "control_url": f"{origin}/sandbox",
        "ca_file": str((ready.parent / "ca.pem").resolve()),
        "pid": os.getpid(),
        "port": port,
    }
    fresh = ready.with_suffix(".new")
    fresh.write_text(json.dumps(addresses, indent=2) + "\n", encoding="utf-8")
    fresh.replace(ready)
    print(f"sandbox tenants at {origin} (process {os.getpid()}, addresses in {ready})", flush=True)


@contextlib.contextmanager
def _exclusively(state: Path) -> Iterator[None]:
    """Two processes on one state directory would overwrite each other; the lock goes when the process does."""
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"another sandbox is running on {state}") from None
        yield


def _listen_as_before(host: str, ready: Path) -> socket.socket:
    """Bind the port of the last run; any other if there was none or it is taken."""
    try:
        return _listen(host, int(json.loads(ready.read_text(encoding="utf-8"))["port"]))
    except (OSError, ValueError, LookupError, StartError):
        return _listen(host, 0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setblocking(False)  # noqa: FBT003 - the library's signature
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listener


def _names(host: str, public_host: str) -> list[str]:
    """What this sandbox is called: in its certificate, and by those who may control it."""
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", public_host.lower(), host.lower()])
    return [name for name in names if not _is_wildcard(name)]


def _tls(state: Path, names: list[str]) -> ssl.SSLContext:
    authority = _authority(state)
    leaf = authority.issue_cert(*names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def _is_wildcard(name: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(name).is_unspecified
    return False


def _authority(state: Path) -> trustme.CA:
    """The state directory's own certificate authority: the same after every restart."""
    certificate, key = state / "ca.pem", state / "ca-key.pem"
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA(organization_name="entra-jit sandbox")
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(authority.private_key_pem.bytes())
    certificate.write_bytes(authority.cert_pem.bytes())
    return authority
