"""How long it takes to read and apply a large configuration, and how many SQL statements it takes.

Seconds are this process's own on a processor, without waiting for others on the machine. They still depend on it, so
beside them stands the multiple of what PyYAML needs to load the same file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import NAMESPACE_DNS, uuid5

import yaml
from pydantic import SecretStr

from benchmarks.deployment import a_postgres
from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.policy.roles import assignable_roles
from entra_jit.settings import Settings

ROLES = [role.name for role in assignable_roles().values()][:10]


def large_configuration(tenants: int, technicians: int, mappings: int) -> str:
    """A file of a managed service provider of this size. Reads the secret ``BENCHMARK_SECRET``."""
    groups = max(1, technicians // 4)
    application = f"&app {{client_id: {uuid5(NAMESPACE_DNS, 'app')}, secret: {{env: BENCHMARK_SECRET}}}}"
    return "\n".join(
        [
            "tenants:",
            *(
                f"  - {{name: tenant-{number}, id: {uuid5(NAMESPACE_DNS, f'tenant-{number}')}, "
                f"account_domain: tenant-{number}.onmicrosoft.com, elevate: {'*app' if number else application}}}"
                for number in range(tenants)
            ),
            "technicians:",
            *(
                f"  - {{name: tech-{number}, id: {uuid5(NAMESPACE_DNS, f'tech-{number}')}, "
                f"attributes: {{level: L{number % 5}}}}}"
                for number in range(technicians)
            ),
            "groups:",
            *(
                f"  - {{name: group-{number}, members: [tech-{number}], attributes: {{level: L{number % 5}}}}}"
                for number in range(groups)
            ),
            "role_mappings:",
            *(
                f"  - {{group: group-{number % groups}, tenant: tenant-{number // groups % tenants}, "
                f"roles: [{ROLES[number // groups // tenants % len(ROLES)]}]}}"
                for number in range(mappings)
            ),
            "",
        ]
    )


async def measure(tenants: int, technicians: int, mappings: int) -> None:
    """Apply it thrice: all of it new, unchanged, and with a tenth of the mappings removed."""
    whole = large_configuration(tenants, technicians, mappings)
    os.environ["BENCHMARK_SECRET"] = "a secret"
    with tempfile.TemporaryDirectory(prefix="entra-jit-bench-") as directory:
        file = Path(directory) / "msp.yaml"
        async with a_postgres() as postgres:
            keys = SecretStr("k0:" + "A" * 43 + "=")
            settings = Settings(profile="sandbox", database_url=SecretStr(postgres.url), keys=keys)
            began = time.process_time()
            yaml.safe_load(whole)
            yardstick = time.process_time() - began
            print(f"  PyYAML loads the file        {yardstick:6.2f} s")
            async with App(settings) as app:
                for run, text in (
                    ("all new", whole),
                    ("unchanged", whole),
                    ("a tenth removed", large_configuration(tenants, technicians, mappings * 9 // 10)),
                ):
                    file.write_text(text)
                    began, statements = time.process_time(), app.ledger.statements
                    await apply_configuration(operator_here(), app, file, yes=True, prune=True, unproven=True)
                    seconds = time.process_time() - began
                    print(
                        f"  {run:<28} {seconds:6.2f} s  {seconds / yardstick:5.2f} times  "
                        f"{app.ledger.statements - statements:4} statements"
                    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=500)
    parser.add_argument("--technicians", type=int, default=200)
    parser.add_argument("--mappings", type=int, default=5000)
    sizes = parser.parse_args()
    sys.exit(asyncio.run(measure(sizes.tenants, sizes.technicians, sizes.mappings)))
