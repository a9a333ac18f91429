"""Where a running stack is found: ``stack.json`` for everyone who was not told, and the environment made from it."""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
import socket
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from entra_jit.local_stack.pid_file import PidFile

Part = Literal["postgres", "temporal", "temporal-ui", "sandbox", "worker", "closer", "portal"]

DEFAULT_STATE_DIR = Path(".entra-jit")
KEY_BYTES = 32
SANDBOX_SECRETS = {
    "SANDBOX_ELEVATE_SECRET": "sandbox-only-elevate-secret",
    "SANDBOX_REVOKE_SECRET": "sandbox-only-revoke-secret",
}
"""What opens the simulated tenants; examples/msp.yaml names these variables. They open nothing else."""
SIGN_IN = {
    "ENTRA_JIT_HOME_TENANT": "0a0a0a0a-1111-4111-8111-000000000001",
    "ENTRA_JIT_SIGN_IN__CLIENT_ID": "516e1e00-0000-4000-8000-000000516e1e",
    "ENTRA_JIT_SIGN_IN__SECRET": "sandbox-only-sign-in-secret",
    "ENTRA_JIT_SIGN_IN__SECRET_EXPIRES": "2099-12-31",
}
"""How people sign in at the portal: at the sandbox, as the simulated provider's staff."""
_SANDBOX_APPLICATIONS = {
    "ELEVATE": ("e1e7a7e0-0000-4000-8000-00000000e1e7", SANDBOX_SECRETS["SANDBOX_ELEVATE_SECRET"]),
    "REVOKE": ("5e70ca7e-0000-4000-8000-000000005e70", SANDBOX_SECRETS["SANDBOX_REVOKE_SECRET"]),
}
"""The simulated provider's own applications, for tenants that are connected by consent."""
# Below the range from which systems take the ports of outgoing connections, so that a port is still free next time.
PORTS = range(20_000, 32_000)


class StackAddresses(BaseModel):
    """The content of ``stack.json``: addresses and process ids of a live stack. Holds no secret."""

    model_config = ConfigDict(frozen=True)

    temporal: str
    """The frontend, ``host:port``."""
    temporal_ui: str
    """The guard before it, ``http://host:port``."""
    namespace: str
    database_url: str
    graph_url: str
    login_url: str
    ca_file: Path
    """The sandbox's certificate authority, PEM."""
    sandbox_control: str
    portal_url: str
    """Where a browser finds the portal, ``http://localhost:port``."""
    pids: dict[Part, int]

    state_dir: Path = Field(exclude=True)

    def environment(self) -> dict[str, str]:
        """The variables that a process of ours needs to use this stack, the deployment's keys included."""
        return {
            **ledger_environment(self.state_dir, self.database_url),
            "ENTRA_JIT_GRAPH_URL": self.graph_url,
            "ENTRA_JIT_LOGIN_URL": self.login_url,
            "ENTRA_JIT_CA_FILE": str(self.ca_file),
            **SANDBOX_SECRETS,
            **SIGN_IN,
            "ENTRA_JIT_PORTAL_URL": self.portal_url,
            "ENTRA_JIT_TEMPORAL_UI_URL": self.temporal_ui,
            "ENTRA_JIT_PORTAL_ADDRESS": self.portal_url.replace("http://localhost:", "127.0.0.1:"),
            **_own_applications(),
            "TEMPORAL_ADDRESS": self.temporal,
            "TEMPORAL_NAMESPACE": self.namespace,
            # A profile for Temporal Cloud in the user's home would add its API key and TLS to the address above.
            "TEMPORAL_CONFIG_FILE": os.devnull,
        }

    def portal_environment(self) -> dict[str, str]:
        """The variables of the portal: what opens tenants is not among them."""
        # Not every command that looks for the stack's addresses needs cryptography.
        from entra_jit.crypto.keyring import Keyring  # noqa: PLC0415
        from entra_jit.crypto.narrow_keyring import PortalKeyring  # noqa: PLC0415

        of_tenants = SANDBOX_SECRETS.keys() | _own_applications().keys()
        variables = {name: value for name, value in self.environment().items() if name not in of_tenants}
        keys = PortalKeyring.derived(Keyring.parse(variables.pop("ENTRA_JIT_KEYS")))
        return variables | {"ENTRA_JIT_PORTAL_KEYS": keys.get_secret_value()}

    def publish(self) -> None:
        """Write ``stack.json``, whole or not at all."""
        write_whole(self.state_dir / "stack.json", self.model_dump_json(indent=2) + "\n")


def running_stack(state_dir: Path = DEFAULT_STATE_DIR) -> StackAddresses | None:
    """The stack that is up in ``state_dir``, also one that another terminal started; None when there is none.

    Alive means that the stack's own process holds its pid file, which no crash and no reused process id can feign.
    """
    state_dir = state_dir.resolve()
    if not stack_pid_file(state_dir).is_held():
        return None
    try:
        content = json.loads((state_dir / "stack.json").read_text())
    except FileNotFoundError:  # it is just starting or stopping
        return None
    return StackAddresses(**content, state_dir=state_dir)


def stack_pid_file(state_dir: Path) -> PidFile:
    """The pid file whose holder is the stack itself."""
    return PidFile(state_dir / "run" / "stack.pid")


def ledger_environment(state_dir: Path, database_url: str) -> dict[str, str]:
    """The part of the environment that does not wait for Temporal and the sandbox: enough to migrate the ledger."""
    return {
        "DATABASE_URL": database_url,
        "ENTRA_JIT_PROFILE": "sandbox",
        "ENTRA_JIT_KEYS": (state_dir / "keys").read_text().strip(),
        "ENTRA_JIT_LOG_FORMAT": "console",
    }


def _own_applications() -> dict[str, str]:
    return {
        f"ENTRA_JIT_{name}__{key}": value
        for name, (client_id, secret) in _SANDBOX_APPLICATIONS.items()
        for key, value in (("CLIENT_ID", client_id), ("SECRET", secret), ("SECRET_EXPIRES", "2099-12-31"))
    }


def neutral_environment() -> dict[str, str]:
    """This process's environment without what points at another deployment, another database or another cluster."""
    ours = ("ENTRA_JIT_", "TEMPORAL_", "PG")
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL" and not name.startswith(ours)}


def program_environment() -> dict[str, str]:
    """What a Python program of ours is given at least; its log is written as it happens, or a crash would cut it."""
    return {**neutral_environment(), "PYTHONUNBUFFERED": "1"}


def ensure_keys(state_dir: Path) -> None:
    """Make the deployment's key on the first start; what it has sealed can be opened with no other."""
    if not (state_dir / "keys").exists():
        key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        write_whole(state_dir / "keys", f"local-1:{key}\n")


class Ports(BaseModel):
    """The content of ``ports.json``: ports of 127.0.0.1 that the stack prefers, 0 for none yet."""

    model_config = ConfigDict(frozen=True)

    temporal: int = 0
    temporal_ui: int = 0
    temporal_ui_guard: int = 0
    sandbox: int = 0
    portal: int = 0


def reserve_ports(state_dir: Path) -> Ports:
    """Last time's ports where they are free, else others, remembered for next time."""
    file = state_dir / "ports.json"
    before = Ports.model_validate_json(file.read_bytes()) if file.exists() else Ports()
    others = iter(random.sample(PORTS, len(PORTS)))
    ports = Ports(
        **{
            name: port if port and _is_free(port) else next(other for other in others if _is_free(other))
            for name, port in before
        }
    )
    write_whole(file, ports.model_dump_json() + "\n")
    return ports


def portal_url(port: int) -> str:
    """Browsers keep the portal's cookie without TLS for ``localhost`` alone."""
    return f"http://localhost:{port}"


def portal_of(state_dir: Path) -> str:
    """Where the portal of the stack in ``state_dir`` is, or will be once the stack is started."""
    if running := running_stack(state_dir):
        return running.portal_url
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return portal_url(reserve_ports(state_dir).portal)


def hidden_host() -> str:
    """An address of this machine that a web page cannot guess; 127.0.0.1 where the system has no other loopback."""
    host = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return "127.0.0.1"
    return host


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections of the last run that linger in TIME_WAIT do not make its port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
