"""A stack of its own for a test that stops or kills its parts, or looks through all that it leaves behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from entra_jit.app import App
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.stack import LocalStack
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.settings import Settings
from entra_jit.temporal.plugin import entra_jit_plugin
from sandbox.child import Addresses
from tests.actors import TESTER
from tests.patience import PATIENCE_SECONDS
from tests.stage import Scene, Services

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "msp.yaml"


@contextlib.asynccontextmanager
async def whole_stack(state: Path) -> AsyncIterator[tuple[LocalStack, Scene]]:
    """``make up`` with the example's configuration, and a scene on it whose only worker is the stack's process.

    Its customers are contoso (Temporary Access Passes) and fabrikam (passwords).
    """
    os.environ.update(SANDBOX_SECRETS)
    async with LocalStack(state / "stack") as stack:
        where = stack.addresses
        settings = Settings(
            profile="sandbox",
            database_url=SecretStr(where.database_url),
            keys=SecretStr(stack.environment()["ENTRA_JIT_KEYS"]),
            graph_url=where.graph_url,
            login_url=where.login_url,
            ca_file=where.ca_file,
        )
        client = await Client.connect(where.temporal, plugins=[entra_jit_plugin()])
        sandbox = Addresses(
            where.graph_url, where.login_url, where.sandbox_control, str(where.ca_file), where.pids["sandbox"], 0
        )
        services = Services(where.database_url, sandbox, client, TimeSkipper(client), iter(()))
        async with App(settings, client=client) as app:
            await apply_configuration(TESTER, app, EXAMPLE)
            with httpx.Client(verify=services.trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
                customers = ("contoso", "fabrikam")
                yield stack, Scene(services, settings, app, http, customers, skips_time=False)
