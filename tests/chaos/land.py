"""Where the storm takes place: customers with people of their own, technicians, and a stack of real processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from entra_jit.app import App
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.stack import LocalStack, Programs
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.settings import Settings
from entra_jit.temporal.plugin import entra_jit_plugin
from tests.actors import TESTER
from tests.stage import ELEVATE, REVOKE, customer_id, technician_id

RECONCILE_EVERY = timedelta(seconds=30)
ROLES = ["Helpdesk Administrator", "User Administrator"]
GLOBAL_ADMINISTRATOR = "Global Administrator"
NAME_IS_TAKEN = "sam"
"""A technician whose account's name is taken in every tenant."""

SEED = Path(__file__).parent.parent.parent / "sandbox" / "data" / "seed.yaml"

Person = dict[str, Any]
"""An account as the sandbox shows it."""


@dataclass(frozen=True)
class Land:
    """A deployment with its own processes, and the simulated customers that it looks after."""

    stack: LocalStack
    settings: Settings
    app: App
    client: Client
    customers: tuple[str, ...]
    technicians: tuple[str, ...]
    _http: httpx.AsyncClient

    async def control(self, method: str, path: str, /, **body: object) -> Any:
        """Call the sandbox's control interface."""
        answer = await self._http.request(method, self.stack.addresses.sandbox_control + path, json=body or None)
        answer.raise_for_status()
        return answer.json()

    async def people(self, customer: str) -> list[Person]:
        """Every account of a customer in full, as only the sandbox sees it."""
        people: list[Person] = await self.control("GET", f"/tenants/{customer}/users")
        return people


@contextlib.asynccontextmanager
async def settled_land(
    state: Path, customers: int, technicians: int, *, emergency_accounts: int
) -> AsyncIterator[Land]:
    """The stack with its worker process, configured, before the first request.

    ``emergency_accounts``: how many each customer wants; none is made yet.
    """
    os.environ.update(SANDBOX_SECRETS)
    names = tuple(f"customer-{number:02}" for number in range(customers))
    people = tuple(f"tech-{number:02}" for number in range(technicians))
    (state / "seed.yaml").write_text(yaml.safe_dump(_seed(names)))
    (state / "msp.yaml").write_text(yaml.safe_dump(_configuration(names, people, emergency_accounts)))
    programs = Programs(
        sandbox=(sys.executable, "-m", "sandbox", "--seed", str(state / "seed.yaml")),
        worker=(
            shutil.which("env") or "/usr/bin/env",
            f"ENTRA_JIT_RECONCILE_EVERY=PT{RECONCILE_EVERY.seconds}S",
            sys.executable,
            "-m",
            "tests.chaos.worker",
        ),
    )
    async with LocalStack(state / "stack", programs=programs) as stack:
        where = stack.addresses
        settings = Settings(
            profile="sandbox",
            database_url=SecretStr(where.database_url),
            keys=SecretStr(stack.environment()["ENTRA_JIT_KEYS"]),
            graph_url=where.graph_url,
            login_url=where.login_url,
            ca_file=where.ca_file,
            reconcile_every=RECONCILE_EVERY,
        )
        client = await Client.connect(where.temporal, plugins=[entra_jit_plugin()], runtime=_quiet())
        trusted = ssl.create_default_context(cafile=where.ca_file)
        async with (
            App(settings, client=client) as app,
            httpx.AsyncClient(verify=trusted, trust_env=False, timeout=60) as http,
        ):
            await apply_configuration(TESTER, app, state / "msp.yaml")
            yield Land(stack, settings, app, client, names, people, http)


def _quiet() -> Runtime:
    """A server that is killed on purpose is nothing that the client needs to warn about."""
    silent = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    return Runtime(telemetry=TelemetryConfig(logging=silent))


def _seed(customers: tuple[str, ...]) -> dict[str, object]:
    """Tenants with two administrators, and with people who only look like ours. Every third has no passes."""
    bundled = yaml.safe_load(SEED.read_text())
    home, contoso = bundled["tenants"][0], bundled["tenants"][1]
    return {
        "applications": bundled["applications"],
        "tenants": [
            home,
            *(
                {
                    "id": customer_id(name),
                    "slug": name,
                    "name": name.title(),
                    "domains": [{"name": f"{name}.onmicrosoft.com", "initial": True, "default": True}],
                    "temporary_access_pass": {"enabled": place % 3 != 2, "one_time_only": False},
                    "users": _strangers(f"{name}.onmicrosoft.com"),
                    "applications": contoso["applications"],
                }
                for place, name in enumerate(customers)
            ),
        ],
    }


def _strangers(domain: str) -> list[dict[str, object]]:
    return [
        {"upn": f"first.admin@{domain}", "name": "First Administrator", "roles": [GLOBAL_ADMINISTRATOR]},
        {"upn": f"second.admin@{domain}", "name": "Second Administrator", "roles": [GLOBAL_ADMINISTRATOR]},
        {"upn": f"msp-{NAME_IS_TAKEN}@{domain}", "name": "A user with our prefix", "roles": ROLES},
        {"upn": f"worker@{domain}", "name": "Synchronised", "synced": True},
    ]


def _configuration(
    customers: tuple[str, ...], technicians: tuple[str, ...], emergency_accounts: int
) -> dict[str, object]:
    return {
        "defaults": {"emergency_accounts": emergency_accounts},
        "tenants": [
            {
                "name": name,
                "id": customer_id(name),
                "account_domain": f"{name}.onmicrosoft.com",
                "elevate": {"client_id": ELEVATE, "secret": {"env": "SANDBOX_ELEVATE_SECRET"}},
                "revoke": {"client_id": REVOKE, "secret": {"env": "SANDBOX_REVOKE_SECRET"}},
            }
            for name in customers
        ],
        "technicians": [{"name": name, "id": technician_id(name)} for name in (*technicians, NAME_IS_TAKEN)],
        "role_mappings": [{"group": "all-technicians", "roles": ROLES}],
    }
