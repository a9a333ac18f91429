"""With ledger, Temporal, workers and closers gone, a cron job closes what the signed marks say is over, and no more.

An account outlives everything that would close it when the whole deployment is lost: each clock of ours stood on the
machines that burned. The revoker has a file and a credential of its own, and runs elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import Owner, write_open_until, write_owner_tag
from entra_jit.crypto.narrow_keyring import RevokerKeyring
from entra_jit.operations.export_revoker_file import export_revoker_file
from entra_jit.revoker import OVERDUE_AFTER, RevokerFile
from models.errors import ExitCode
from models.marks import AccountKind, OpenUntil, emergency_id
from models.messages import GrantState, ObjectId, TechnicianId, TenantId
from tests.actors import TESTER
from tests.patience import PATIENCE_SECONDS
from tests.stage import REVOKER, Scene, Services, customer_id

OURS = Keyring.parse("k:" + b64encode(b"o" * 32).decode())
FOREIGN = Keyring.parse("k:" + b64encode(b"f" * 32).decode())
ALEX = TechnicianId("a1e0a1e0-0000-4000-8000-00000000a1e0")
OVER, LIVE = -OVERDUE_AFTER - timedelta(seconds=5), timedelta(hours=1)
ROOT = Path(__file__).parent.parent.parent


@dataclass
class Elsewhere:
    """The machine of the cron job, and two customers as only the sandbox sees them."""

    services: Services
    http: httpx.Client
    file: Path
    customers: tuple[str, str]

    def control(self, method: str, path: str, /, **body: object) -> Any:
        answer = self.http.request(method, self.services.sandbox.control_url + path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json()

    def account(self, customer: str, name: str, *, technician: TechnicianId = ALEX, tag: bool = True) -> str:
        """An open account with a tag of ours; its id."""
        tenant_id, upn = TenantId(customer_id(customer)), f"{name}@{customer}.onmicrosoft.com"
        user = self.control("POST", f"/tenants/{customer}/users", user_principal_name=upn)
        if tag:
            text = write_owner_tag(OURS, Owner("entra-jit", technician), tenant_id, upn)
            self.set(customer, user["id"], 14, text)
        return str(user["id"])

    def set(self, customer: str, account: str, attribute: int, text: str | None) -> None:
        """As anything could that writes there."""
        attributes = {f"extensionAttribute{attribute}": text}
        self.control("PATCH", f"/tenants/{customer}/users/{account}", extension_attributes=attributes)

    def mark(self, customer: str, account: str, ends: timedelta, **how: Any) -> str:
        """Give it a mark that ends so much after now; the text."""
        keyring: Keyring = how.get("keyring", OURS)
        kind: AccountKind = how.get("kind", AccountKind.TECHNICIAN)
        now = datetime.now(UTC)
        until = OpenUntil("r-1", now + ends, now - timedelta(hours=how.get("written_hours_ago", 0)))
        tenant_id = TenantId(customer_id(how.get("of", customer)))
        text = write_open_until(keyring, until, tenant_id, ObjectId(how.get("copied_from", account)), kind)
        self.set(customer, account, 15, text)
        return text

    def is_open(self, customer: str, account: str) -> bool:
        return bool(self.control("GET", f"/tenants/{customer}/users/{account}")["enabled"])

    def writes(self) -> list[str]:
        """What was changed there by the revoker."""
        entries = [entry for one in self.customers for entry in self.control("GET", f"/journal?tenant={one}")]
        return [entry["path"] for entry in entries if entry["effect"] and entry["app_id"] == REVOKER["client_id"]]

    async def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One run, with nothing of a deployment in its environment."""
        command = [sys.executable, "-m", "entra_jit.revoker", str(self.file), *arguments]
        bare = {"PATH": os.environ["PATH"]}
        return await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=bare, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )


@pytest.fixture
def elsewhere(services: Services, tmp_path: Path) -> Iterator[Elsewhere]:
    """With a file as ``revoker-file`` writes it, and a secret beside it."""
    secret, file = tmp_path / "secret", tmp_path / "revoker.toml"
    secret.write_text(f"{REVOKER['secrets'][0]}\n")
    customers = next(services.customers), next(services.customers)
    lines = [
        *shared(services, OURS),
        *application(secret),
        *(f'[tenants.{name}]\nid = "{customer_id(name)}"\naccount_prefix = "msp-"' for name in customers),
    ]
    file.write_text("\n".join(lines))
    with httpx.Client(verify=services.trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
        yield Elsewhere(services, http, file, customers)


def shared(services: Services, keyring: Keyring) -> list[str]:
    settings: Mapping[str, object] = {
        "installation": "entra-jit",
        "keys": RevokerKeyring.derived(keyring).get_secret_value(),
        "graph_url": services.sandbox.graph_url,
        "login_url": services.sandbox.login_url,
        "ca_file": services.sandbox.ca_file,
        "sandbox": True,
    }
    return [f"{name} = {json.dumps(value)}" for name, value in settings.items()]


def application(secret: Path) -> list[str]:
    return ["[application]", f'client_id = "{REVOKER["client_id"]}"', f'secret_file = "{secret}"']


async def test_what_is_over_is_closed_and_nothing_else(elsewhere: Elsewhere) -> None:
    here, other = elsewhere.customers
    over = [elsewhere.account(here, "msp-over"), elsewhere.account(here, "renamed")]
    over += [elsewhere.account(here, "msp-untagged", tag=False), elsewhere.account(here, "entra-jit-canary")]
    for account in over[:3]:
        elsewhere.mark(here, account, OVER)
    elsewhere.mark(here, over[3], OVER, kind=AccountKind.CANARY)
    left = {
        name: elsewhere.account(here, f"msp-{name}")
        for name in ("live", "extended", "just-over", "unmarked", "forged", "copied", "of-another-tenant", "garbage")
    }
    elsewhere.mark(here, left["live"], LIVE)
    elsewhere.mark(here, left["extended"], OVER, written_hours_ago=1)
    elsewhere.mark(here, left["extended"], LIVE)
    elsewhere.mark(here, left["just-over"], timedelta(seconds=-1))
    elsewhere.mark(here, left["forged"], OVER, keyring=FOREIGN)
    elsewhere.mark(here, left["copied"], OVER, copied_from=over[0])
    elsewhere.mark(here, left["of-another-tenant"], OVER, of=other)
    elsewhere.set(here, left["garbage"], 15, "r-1;2020-01-01;\u00e9;k;" + "A" * 86)
    for name, kind in (("emergency", AccountKind.EMERGENCY), ("emergency-by-its-tag", AccountKind.TECHNICIAN)):
        left[name] = elsewhere.account(here, f"msp-{name}", technician=emergency_id(1))
        elsewhere.mark(here, left[name], OVER, kind=kind)

    tried = await elsewhere.run("--dry-run")
    assert tried.returncode == ExitCode.ATTENTION, tried.stderr
    assert tried.stdout.count("would be closed") == len(over) + 1
    assert elsewhere.writes() == []

    ran = await elsewhere.run()
    assert (ran.returncode, ran.stderr) == (ExitCode.DONE, "")
    assert ran.stdout.count(": closed at") == len(over)
    assert [elsewhere.is_open(here, account) for account in over] == [False] * len(over)
    assert {name for name, account in left.items() if not elsewhere.is_open(here, account)} == set()
    written = elsewhere.writes()
    assert len(written) == 2 * len(over), "each was disabled, and its sessions were revoked"

    again = await elsewhere.run()
    assert (again.returncode, again.stderr) == (ExitCode.DONE, "")
    assert elsewhere.writes() == written


async def test_a_tenant_that_refuses_does_not_stop_the_others(elsewhere: Elsewhere) -> None:
    refusing, other = elsewhere.customers
    accounts = {customer: elsewhere.account(customer, "msp-over") for customer in elsewhere.customers}
    for customer, account in accounts.items():
        elsewhere.mark(customer, account, OVER)
    fault = elsewhere.control("POST", "/faults", tenant=refusing, path="/users*", status=403)["id"]
    ran = await elsewhere.run()
    elsewhere.control("DELETE", f"/faults/{fault}")
    assert ran.returncode == ExitCode.NOT_PROVEN
    assert f"{refusing}: not all accounts were listed." in ran.stderr
    assert "Traceback" not in ran.stderr
    assert elsewhere.is_open(refusing, accounts[refusing])
    assert not elsewhere.is_open(other, accounts[other])


async def test_what_is_not_read_back_closed_is_not_called_closed(elsewhere: Elsewhere) -> None:
    here, _ = elsewhere.customers
    account = elsewhere.account(here, "msp-over")
    elsewhere.mark(here, account, OVER)
    elsewhere.control("POST", "/faults", tenant=here, method="PATCH", path="/users/*", status=403)
    ran = await elsewhere.run()
    assert ran.returncode == ExitCode.NOT_PROVEN
    assert f"{account} is not known to be closed" in ran.stderr
    assert "0 accounts closed, 1 failures" in ran.stdout


async def test_the_file_that_a_deployment_writes_closes_what_it_opened(real_time: Scene, tmp_path: Path) -> None:
    request_id = await real_time.ask("alex", hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    text = await export_revoker_file(
        TESTER, real_time.app, client_id=str(REVOKER["client_id"]), certificate_file=tmp_path / "r.pem"
    )
    assert "PRIVATE" not in text
    assert (real_time.settings.keys or SecretStr("")).get_secret_value().partition(":")[2] not in text
    file, secret = tmp_path / "revoker.toml", tmp_path / "secret"
    secret.write_text(str(REVOKER["secrets"][0]))
    file.write_text(text.replace("certificate_file", "secret_file").replace("r.pem", "secret"))
    assert list(RevokerFile.read(file).tenants) == [real_time.customer]
    with httpx.Client(verify=real_time.services.trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
        machine = Elsewhere(real_time.services, http, file, (real_time.customer, real_time.customer))
        live = await machine.run()
        assert (live.returncode, live.stdout) == (0, "1 tenants: 0 accounts closed, 0 failures.\n"), live.stderr


def test_only_microsoft_and_what_verifies_marks_is_loaded() -> None:
    """An import contract says the same of what stands in the code; this holds what is loaded in the end."""
    code = "import sys, entra_jit.revoker; print(*sorted(m for m in sys.modules if m.count('.') < 2))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    ours = {name for name in loaded if name.startswith("entra_jit.")}
    assert ours == {"entra_jit.crypto", "entra_jit.graph", "entra_jit.revoker"}
    assert loaded.isdisjoint({"temporalio", "psycopg", "sqlalchemy", "sqlmodel", "activities", "workflows", "sandbox"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('graph_url = "https://graph.example"', "graph_url names a host that is not Microsoft's"),
        ('keys = "k:QUJD"', "keys: entry 1 is not id:base64 of 64 bytes"),
        ("tenants = {}", "tenants"),
        ("unknown = 1", "unknown"),
        ("= 1", "Invalid"),
    ],
)
async def test_a_wrong_file_is_one_sentence(tmp_path: Path, change: str, said: str) -> None:
    file = tmp_path / "revoker.toml"
    given = {"installation": '"entra-jit"', "keys": f'"{RevokerKeyring.derived(OURS).get_secret_value()}"'}
    name = change.partition(" ")[0]
    lines = [f"{one} = {value}" for one, value in given.items() if one != name]
    tenant = [] if name == "tenants" else ["[tenants.a]", f'id = "{customer_id("a")}"', 'account_prefix = "msp-"']
    file.write_text("\n".join([*lines, change, *application(tmp_path / "none"), *tenant]))
    ran = await Elsewhere(cast("Services", None), cast("httpx.Client", None), file, ("a", "b")).run()
    assert ran.returncode == ExitCode.BAD_INPUT
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1
