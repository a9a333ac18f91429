"""What one reconciliation over many tenants costs, and how much of its interval it takes.

    .venv/bin/python -m benchmarks.reconciliation [--tenants 500] [--accounts 4] [--open 50]

Everything runs on this machine, in a stack of its own with one worker process, and stops by itself. The directory
answers as late as Microsoft's does (``--delay``, seconds), so that what is measured is mostly waiting, as in reality.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import ssl
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import httpx
import yaml

from benchmarks.deployment import ELEVATE, REVOKE
from entra_jit.app import App
from entra_jit.crypto.marks import OWNER_TAG_ATTRIBUTE, Owner, write_owner_tag
from entra_jit.identity.operator import operator_here
from entra_jit.ledger import accounts
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.stack import LocalStack, Programs
from entra_jit.logs import configure_logs
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.settings import adopt_environment, load_settings
from models.messages import Grant, ObjectId, ReconciliationReport, TechnicianId, TenantId
from workflows.reconciliation import Reconciliation

SEED = Path(__file__).parent.parent / "sandbox" / "data" / "seed.yaml"
AT_ONCE = 16


@dataclass(frozen=True)
class Size:
    """How much there is to look at."""

    tenants: int
    accounts: int
    """In each tenant, all of them ours."""
    open: int
    """So many of them are open without a grant."""
    delay: float
    """Seconds that the directory takes to answer."""


def _tenant(number: int) -> str:
    return f"tenant-{number:03}"


def _id(name: str) -> str:
    return str(uuid5(NAMESPACE_DNS, f"{name}.example"))


def _seed(size: Size) -> dict[str, Any]:
    bundled = yaml.safe_load(SEED.read_text())
    home, contoso = bundled["tenants"][0], bundled["tenants"][1]
    return {
        "applications": bundled["applications"],
        "tenants": [
            home,
            *(
                {
                    "id": _id(name),
                    "slug": name,
                    "name": name,
                    "domains": [{"name": f"{name}.onmicrosoft.com", "initial": True, "default": True}],
                    "users": [{"upn": f"admin@{name}.onmicrosoft.com", "name": "A", "roles": ["Global Administrator"]}],
                    "applications": contoso["applications"],
                }
                for name in map(_tenant, range(size.tenants))
            ),
        ],
    }


def _configuration(size: Size) -> dict[str, Any]:
    return {
        "tenants": [
            {
                "name": name,
                "id": _id(name),
                "account_domain": f"{name}.onmicrosoft.com",
                "elevate": {"client_id": ELEVATE, "secret": {"env": "SANDBOX_ELEVATE_SECRET"}},
                "revoke": {"client_id": REVOKE, "secret": {"env": "SANDBOX_REVOKE_SECRET"}},
            }
            for name in map(_tenant, range(size.tenants))
        ],
        "technicians": [{"name": f"tech-{place}", "id": _id(f"tech-{place}")} for place in range(size.accounts)],
        "role_mappings": [{"group": "all-technicians", "roles": ["Helpdesk Administrator"]}],
    }


class Past:
    """Accounts as years of grants leave them behind: made by us, tagged, registered, closed."""

    def __init__(self, app: App, installation: str, http: httpx.AsyncClient, control_url: str) -> None:
        self._app = app
        self._installation = installation
        self._http = http
        self._control_url = control_url

    async def make(self, size: Size) -> None:
        """Every account of every tenant; the first ``size.open`` tenants have one that is open."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(tenant: int, technician: int) -> None:
            async with at_once:
                await self._account(tenant, technician, enabled=technician == 0 and tenant < size.open)

        await asyncio.gather(*(one(t, a) for t in range(size.tenants) for a in range(size.accounts)))

    async def _account(self, tenant: int, technician: int, *, enabled: bool) -> None:
        name, who = _tenant(tenant), f"tech-{technician}"
        account = f"msp-{who}@{name}.onmicrosoft.com"
        owner = Owner(self._installation, TechnicianId(_id(who)))
        tag = write_owner_tag(self._app.keyring, owner, TenantId(_id(name)), account)
        url = f"{self._control_url}/tenants/{name}/users"
        made = (await self._http.post(url, json={"user_principal_name": account})).json()
        changes = {"enabled": enabled, "extension_attributes": {f"extensionAttribute{OWNER_TAG_ATTRIBUTE}": tag}}
        (await self._http.patch(f"{url}/{made['id']}", json=changes)).raise_for_status()
        grant = Grant(
            request_id="past",
            tenant_id=TenantId(_id(name)),
            tenant=name,
            technician_id=TechnicianId(_id(who)),
            technician=who,
            account_name=account,
            access=(),
            duration=timedelta(hours=1),
            window_ends_at=self._app.clock(),
        )
        async with self._app.ledger.transaction() as session:
            await accounts.intend(session, grant, self._app.clock())
            await accounts.confirm(session, grant, ObjectId(made["id"]))


async def measure(size: Size) -> None:
    """Build it, reconcile twice (the second run finds all as it should be), print."""
    with tempfile.TemporaryDirectory(prefix="entra-jit-bench-") as directory:
        seed, configuration = Path(directory) / "seed.yaml", Path(directory) / "msp.yaml"
        seed.write_text(yaml.safe_dump(_seed(size)))
        configuration.write_text(yaml.safe_dump(_configuration(size)))
        programs = Programs(sandbox=(sys.executable, "-m", "sandbox", "--seed", str(seed)))
        async with LocalStack(Path(directory) / "stack", programs=programs) as stack:
            adopt_environment(stack.environment() | SANDBOX_SECRETS)
            settings = load_settings()
            trusted = ssl.create_default_context(cafile=str(stack.addresses.ca_file))
            async with (
                App(settings) as app,
                httpx.AsyncClient(verify=trusted, trust_env=False, timeout=60) as http,
            ):
                control = stack.addresses.sandbox_control
                await apply_configuration(operator_here(), app, configuration)
                await Past(app, settings.installation, http, control).make(size)
                everywhere = {"method": "*", "path": "/**", "delay": size.delay}
                (await http.post(f"{control}/faults", json=everywhere)).raise_for_status()
                for run in ("first run", "next run"):
                    began = time.monotonic()
                    report = await _reconcile(app, run)
                    _show(run, report, time.monotonic() - began, settings.reconcile_every.total_seconds())


async def _reconcile(app: App, run: str) -> ReconciliationReport:
    client = await app.temporal()
    return await client.execute_workflow(
        Reconciliation.run, id=f"benchmark-{run}".replace(" ", "-"), task_queue=app.settings.task_queue
    )


def _show(run: str, report: ReconciliationReport, seconds: float, interval: float) -> None:
    print(f"\n{run}: {report.tenants} tenants, {report.accounts} accounts")
    print(f"  took     {seconds:6.1f} s = {seconds / interval:.0%} of the interval")
    print(f"  closed   {report.closed:6}")
    print(f"  failed   {report.failed:6}")
    for tenant in [tenant for tenant in report.remarkable if tenant.failed][:3]:
        print(f"           {tenant.tenant}: {tenant.failed}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=500)
    parser.add_argument("--accounts", type=int, default=4, help="managed accounts in each tenant (default 4)")
    parser.add_argument("--open", type=int, default=50, help="of these, open without a grant (default 50)")
    parser.add_argument("--delay", type=float, default=0.1, help="seconds the directory takes to answer (default 0.1)")
    given = parser.parse_args()
    configure_logs("console", logging.WARNING)
    asyncio.run(measure(Size(min(given.tenants, 1000), min(given.accounts, 20), given.open, given.delay)))


if __name__ == "__main__":
    main()
