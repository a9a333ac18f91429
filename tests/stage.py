"""The stage on which tests act: a real Temporal, a real PostgreSQL, the simulated tenants over TLS, nothing mocked.

One set of services serves all tests of a process; each test has a scene of its own on it: its own database, its own
customers in the sandbox, its own task queue and its own workers, so that tests can do their worst side by side.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import secrets
import ssl
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import httpx
import psycopg
import temporalio.client
import temporalio.worker
import yaml
from pydantic import SecretStr
from temporalio import activity
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Worker

from entra_jit.app import App
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.request_access import request_access
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.operations.show_status import show_status
from entra_jit.settings import Settings
from models.messages import GrantState, GrantStatus, Receipt
from models.names import workflow_id
from sandbox.child import Addresses
from tests.actors import TESTER
from tests.databases import new_database
from tests.patience import HELD_SECONDS, PATIENCE_SECONDS, eventually
from worker import worker_of
from workflows.access_grant import AccessGrant

CUSTOMERS = 300
CUSTOMERS_PASSWORD = "sandbox-only-Admin1"
"""Of the administrators of each customer."""
ELEVATE = "e1e7a7e0-0000-4000-8000-00000000e1e7"
REVOKE = "5e70ca7e-0000-4000-8000-000000005e70"
REVOKER = {
    "client_id": "1a57c10c-0000-4000-8000-00001a57c10c",
    "name": "entra-jit revoker",
    "home": "northwind",
    "secrets": ["sandbox-only-revoker-secret"],
    "permissions": ["User.EnableDisableAccount.All", "User.Read.All", "User.RevokeSessions.All"],
    "roles": ["Privileged Authentication Administrator"],
}
"""The application of the revoker, with what docs/revoker.md gives it and no more."""
ON_TIME = timedelta(minutes=5)
"""How late something may be that is done at once: a busy machine's time for it, and far less than the hours of a grant
or the next round of whoever makes up for what was missed."""

UNDER_WAY = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
TECHNICIANS = ("alex", "robin", "kim")


def variant(app: App, **changes: object) -> App:
    """The same, with what it has opened, but for ``changes``."""
    changed = copy.copy(app)
    vars(changed).update(changes)
    return changed


def customer_id(name: str) -> str:
    """The tenant's GUID."""
    return str(uuid5(NAMESPACE_DNS, f"{name}.example"))


def technician_id(name: str) -> str:
    """The technician's object id at home."""
    return str(uuid5(NAMESPACE_DNS, f"{name}.northwind.example"))


def write_seed(file: Path) -> None:
    """Enough customers that no two tests of a process share one."""
    bundled = yaml.safe_load((Path(__file__).parent.parent / "sandbox" / "data" / "seed.yaml").read_text())
    home, contoso = bundled["tenants"][0], bundled["tenants"][1]
    customers = []
    for number in range(CUSTOMERS):
        name = f"customer-{number:03}"
        domain = f"{name}.onmicrosoft.com"
        customers.append(
            {
                "id": customer_id(name),
                "slug": name,
                "name": name.title(),
                "domains": [
                    {"name": domain, "initial": True, "default": True},
                    {"name": f"{name}.com", "authentication": "Federated"},
                    {"name": f"new.{name}.com", "verified": False},
                ],
                "temporary_access_pass": contoso["temporary_access_pass"],
                "users": [
                    {
                        "upn": f"{admin}@{domain}",
                        "name": admin,
                        "password": CUSTOMERS_PASSWORD,
                        "roles": ["Global Administrator"],
                    }
                    for admin in ("first.admin", "second.admin")
                ],
                "applications": [*contoso["applications"], REVOKER["name"]],
            }
        )
    applications = [*bundled["applications"], REVOKER]
    file.write_text(yaml.safe_dump({"applications": applications, "tenants": [home, *customers]}))


@dataclass(frozen=True)
class Services:
    """What runs for all tests of a process."""

    database_url: str
    sandbox: Addresses
    client: Client
    skipper: TimeSkipper
    customers: Iterator[str]

    @property
    def trusted(self) -> ssl.SSLContext:
        """Trusts the sandbox."""
        return ssl.create_default_context(cafile=self.sandbox.ca_file)

    def new_database(self) -> str:
        """A ledger of its own, with the schema and nothing else. Its URL."""
        return new_database(self.database_url)


# -- the clock of activities -----------------------------------------------------------------------------------------

_skipped: ContextVar[timedelta] = ContextVar("_skipped", default=timedelta(0))
_skipped_by_workflow: dict[str | None, timedelta] = {}


def stage_clock() -> datetime:
    """Real time plus what the activity's own workflow has skipped, so that admission checks and timers agree.

    Temporal keeps a clock per workflow when it skips time, and tells activities theirs by their start time.
    """
    return datetime.now(UTC) + _skipped.get()


class _SkippedTime(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, told: Callable[[str | None, timedelta], None]) -> None:
        super().__init__(next)
        self._told = told

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if not info.is_local:
            _skipped_by_workflow[info.workflow_id] = info.started_time - datetime.now(UTC)
            self._told(info.workflow_id, _skipped_by_workflow[info.workflow_id])
        # A local activity is told the machine's time; it comes soon after one that was told the workflow's.
        _skipped.set(_skipped_by_workflow.get(info.workflow_id, timedelta(0)))
        return await super().execute_activity(input)


class SkippedTimeInterceptor(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Tells ``stage_clock`` how far the workflow of the running activity is ahead. Workers take it from the client."""

    def __init__(self, told: Callable[[str | None, timedelta], None]) -> None:
        self._told = told

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Temporal's hook."""
        return _SkippedTime(next, self._told)


# -- one test's scene --------------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """One test's customers, ledger, workers and operators."""

    services: Services
    settings: Settings
    app: App
    http: httpx.Client
    customers: tuple[str, ...]
    skips_time: bool
    workers: list[Worker] = field(default_factory=list)
    worker_client: Client | None = None
    """What workers connect with, where it is not what everybody does."""
    sandbox_keeps_up: bool = False
    """Whether the sandbox's clock moves with time that is skipped. One clock: for one grant at a time."""

    @property
    def customer(self) -> str:
        """The first customer's name."""
        return self.customers[0]

    def account(self, technician: str = "alex", customer: str | None = None) -> str:
        """The user principal name that the technician's managed account has, or will have."""
        return f"msp-{technician}@{customer or self.customer}.onmicrosoft.com"

    # -- asking and looking

    async def ask(
        self,
        technician: str = "alex",
        *,
        customer: str | None = None,
        hours: float | None = 4,
        key: str | None = None,
        held: bool = False,
        reason: str = "a test",
        ticket: str = "T-1",
    ) -> str:
        """Ask for access; the request's id. ``held``: its time stands until ``time_passes`` is called."""
        return await request_access(
            TESTER,
            variant(self.app, client=self.services.client) if held else self.app,
            tenant=customer or self.customer,
            technician=technician,
            reason=reason,
            ticket=ticket,
            duration=timedelta(hours=hours) if hours is not None else None,
            key=key,
        )

    async def time_passes(self, request_id: str, hours: float | None = None) -> None:
        """Let a held grant's hours go by; all that are left, where no number is given."""
        duration = None if hours is None else timedelta(hours=hours)
        # A grant that never ends is a failure with a place in the test, not a test that is killed.
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.services.skipper.fast_forward(self.workflow(request_id), duration)

    def workflow(self, request_id: str) -> WorkflowHandle[AccessGrant, GrantStatus]:
        """The workflow of a request."""
        return self.services.client.get_workflow_handle_for(AccessGrant.run, workflow_id(request_id))

    async def status(self, request_id: str) -> GrantStatus:
        """Where the request stands, by the ledger."""
        return await show_status(TESTER, self.app, request_id)

    async def until(self, request_id: str, *wanted: GrantState) -> GrantStatus:
        """Wait for a state, by the ledger; fails with the state it stays in."""

        async def there() -> GrantStatus | None:
            status = await self.status(request_id)
            assert status.state in wanted or not status.state.is_final, f"{status.state}: {status.sentence}"
            return status if status.state in wanted else None

        return await eventually(there)

    async def receipt(self, request_id: str) -> Receipt:
        """The receipt, once the workflow has ended in whatever way."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.workflow(request_id).result()
        return await show_receipt(TESTER, self.app, request_id)

    # -- the directory, seen and tampered with from outside

    def control(self, method: str, path: str, /, **body: object) -> Any:
        """Call the sandbox's control interface."""
        answer = self.http.request(method, self.services.sandbox.control_url + path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json()

    def user(self, account: str | None = None, customer: str | None = None) -> dict[str, Any] | None:
        """An account in full, as only the sandbox sees it; None where there is none."""
        wanted = (account or self.account(customer=customer)).lower()
        users = self.control("GET", f"/tenants/{customer or self.customer}/users")
        return next((user for user in users if user["user_principal_name"].lower() == wanted), None)

    def everything(self, customer: str | None = None) -> Any:
        """All accounts of a customer in full, to be compared: whether anything at all was touched."""
        return self.control("GET", f"/tenants/{customer or self.customer}/users")

    def signs_in(self, account: str, **credential: str) -> bool:
        """Whether ``password`` or ``temporary_access_pass`` opens the account at Microsoft's door just now."""
        url = f"{self.services.sandbox.control_url}/sign-in"
        answer = self.http.post(url, json={"username": account, **credential})
        assert answer.status_code in {200, 401}, answer.status_code
        return answer.is_success

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask or change this scene's ledger behind the back of everything."""
        with psycopg.connect(self.settings.database_url.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    async def fail_by_hand(self, request_id: str, step: str) -> None:
        """What a person can do to a step that is under way, as soon as it is."""
        of = self.workflow(request_id)

        async def under_way() -> str | None:
            pending = (await of.describe()).raw_description.pending_activities
            running = (one for one in pending if one.activity_type.name == step and one.state == UNDER_WAY)
            return next((one.activity_id for one in running), None)

        by_hand = self.services.client.get_async_activity_handle(
            workflow_id=of.id, run_id=None, activity_id=await eventually(under_way)
        )
        await by_hand.fail(ApplicationError("by hand", non_retryable=True))

    @contextlib.contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Meanwhile readers and writers of the table wait, as for a migration that takes its time."""
        with psycopg.connect(self.settings.database_url.get_secret_value()) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")  # type: ignore[arg-type]
            yield

    def fault(self, *, customer: str | None = None, **fault: object) -> str:
        """Arrange a fault at one customer; its id."""
        return str(self.control("POST", "/faults", tenant=customer or self.customer, **fault)["id"])

    def trouble(
        self, *, lag: str | dict[str, tuple[float, float]] = "off", scale: float = 1, throttle: str = "off"
    ) -> None:
        """Make the directories of this scene's customers as late and as strict as Microsoft's."""
        self._trouble = ({"lag": lag, "scale": scale}, {"throttle": throttle})
        self.a_while_later()

    def a_while_later(self) -> None:
        """What was changed until now has reached every replica, and no limit is used up any more.

        For what a test has arranged behind the back of everything, and for what in life comes minutes after something.
        """
        if self._trouble is not None:
            lag, throttle = self._trouble
            for customer in self.customers:
                self.control("POST", "/lag", tenant=customer, **lag)
                self.control("POST", "/throttle", tenant=customer, **throttle)

    def hold(self, *, customer: str | None = None, **call: object) -> str:
        """Have each such call wait, before it takes effect, until the fault whose id this gives is released.

        So what a test does while a step is under way is done while it is under way, however slow the machine is: a
        step that gives the call up and makes it again is held up again.
        """
        return self.fault(customer=customer, **call, delay=HELD_SECONDS)

    def release(self, fault: str) -> None:
        """Take one fault away. The calls that it held up go on."""
        self.control("DELETE", f"/faults/{fault}")

    async def lands(self, fault: str) -> None:
        """Let one call go on that a fault holds up, and wait until Microsoft is through with it."""
        self.release(fault)

        async def answered() -> bool | None:
            calls = (call for customer in self.customers for call in self.journal(customer))
            return any(call["fault"] == fault for call in calls) or None

        await eventually(answered)

    def hits(self, fault: str) -> int:
        """How many calls have met the fault. One with ``delay=0`` does nothing but count."""
        return next(int(shown["hits"]) for shown in self.control("GET", "/faults") if shown["id"] == fault)

    async def reached(self, fault: str) -> None:
        """Wait until a call has met the fault: the step that makes it is under way."""

        async def met() -> bool | None:
            return self.hits(fault) > 0 or None

        await eventually(met)

    def mend(self) -> None:
        """Take away every fault of this scene."""
        mine = set(self.customers) | {customer_id(name) for name in self.customers}
        for fault in self.control("GET", "/faults"):
            if fault["tenant"] in mine:
                self.release(fault["id"])

    def journal(self, customer: str | None = None, *, writes: bool = False) -> list[dict[str, Any]]:
        """Graph calls to one customer, in order; ``writes``: only those that changed something."""
        entries = self.control("GET", f"/journal?tenant={customer or self.customer}")
        calls = [entry for entry in entries if entry["path"].startswith("/v1.0")]
        return [entry for entry in calls if entry["effect"]] if writes else calls

    async def closes(self, account: str | None = None, customer: str | None = None) -> None:
        """Wait until the account is closed; what is left of it is asserted then."""

        async def shut() -> bool | None:
            user = self.user(account, customer)
            assert user is not None
            return None if user["enabled"] or user["roles"] else True

        await eventually(shut)

    def assert_closed(self, account: str | None = None, customer: str | None = None) -> None:
        """The account is disabled and holds nothing."""
        user = self.user(account, customer)
        assert user is not None
        held = {key: user[key] for key in ("enabled", "roles", "groups", "methods", "temporary_access_pass")}
        assert not any(held.values()), held
        assert "extensionAttribute15" not in {k for k, v in user["extension_attributes"].items() if v}

    # -- workers

    async def start_worker(self, app: App | None = None) -> Worker:
        """One more worker of this scene; ``app``: where it has another than all others, such as another clock."""
        worker = worker_of(self._worker_client(), app or self.app, self.settings.task_queue)
        task = asyncio.create_task(worker.run())
        self._running[id(worker)] = task
        self.workers.append(worker)
        return worker

    async def stop_worker(self, worker: Worker) -> None:
        """Stop it as a deployment would."""
        await worker.shutdown()
        await self._running.pop(id(worker))
        self.workers.remove(worker)

    def _worker_client(self) -> Client:
        config = (self.worker_client or self.services.client).config()
        config["interceptors"] = [*config["interceptors"], SkippedTimeInterceptor(self._keep_up)]
        return Client(**config)

    def _keep_up(self, workflow: str | None, skipped: timedelta) -> None:
        behind = skipped - self._kept_up.get(workflow, timedelta(0))
        if self.sandbox_keeps_up and behind > timedelta(milliseconds=250):
            self.control("POST", "/clock", advance=behind.total_seconds())
            self._kept_up[workflow] = skipped

    def leave(self) -> None:
        """Give the sandbox back as it was: its clock, and this scene's customers without lag or limits."""
        if ahead := sum(self._kept_up.values(), timedelta(0)):
            self.control("POST", "/clock", advance=-ahead.total_seconds())
            self._kept_up.clear()
        if self._trouble is not None:
            self.trouble()

    def __post_init__(self) -> None:
        self._running: dict[int, asyncio.Task[None]] = {}
        self._kept_up: dict[str | None, timedelta] = {}
        self._trouble: tuple[dict[str, object], dict[str, object]] | None = None


@dataclass
class Trouble:
    """What every scene has besides what its test arranges."""

    lag: str | None = None


everywhere = Trouble()
"""Set by ``pytest --trouble typical``: the same tests, against replicas that lag and with Microsoft's real limits."""

QUICK = 0.15
"""How much quicker than Microsoft's the replicas of a scene are, and how much sooner they are believed.

Not every scene's time is skipped, and where it is, not for a grant that is held.
"""


@contextlib.asynccontextmanager
async def scene(
    services: Services,
    *,
    customers: int,
    skips_time: bool,
    worker: bool = True,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[Scene]:
    """Set a scene: its own ledger with this many customers of its own, a worker, an operator, more ``settings``."""
    names = tuple(itertools.islice(services.customers, customers))
    assert len(names) == customers, "the seed has too few customers for so many tests"
    own = Settings(
        profile="sandbox",
        database_url=SecretStr(services.new_database()),
        keys=SecretStr("test-1:" + b64encode(secrets.token_bytes(32)).decode()),
        graph_url=services.sandbox.graph_url,
        login_url=services.sandbox.login_url,
        ca_file=Path(services.sandbox.ca_file),
        task_queue=f"test-{secrets.token_hex(4)}",
        graph_timeout_seconds=5,
        **{"browser": "no-browser"} | dict(settings),
    )
    client = services.skipper.client if skips_time else services.client
    async with App(own, clock=stage_clock, client=client) as app:
        app.roles_known_after *= QUICK
        with httpx.Client(verify=services.trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
            made = Scene(services, own, app, http, names, skips_time)
            await configure(made)
            if everywhere.lag:
                made.sandbox_keeps_up = skips_time
                made.trouble(lag=everywhere.lag, scale=QUICK, throttle="real")
            if worker:
                await made.start_worker()
            try:
                yield made
            finally:
                for running in list(made.workers):
                    await made.stop_worker(running)
                made.leave()


EVERYBODY_A_LITTLE_AND_SENIORS_MORE = (
    {"group": "all-technicians", "roles": ["Helpdesk Administrator"]},
    {"group": "senior", "roles": ["User Administrator"]},
)


async def configure(
    scene: Scene,
    *,
    role_mappings: Sequence[object] = EVERYBODY_A_LITTLE_AND_SENIORS_MORE,
    technicians: Sequence[str] = TECHNICIANS,
    customers: Sequence[str] | None = None,
    ids: Mapping[str, str] = MappingProxyType({}),
    **tenant: object,
) -> None:
    """Apply a configuration with this scene's customers, or some of them; ``tenant`` changes all of them.

    Its credentials are not proven: in life a command does that, and the worker, which shares this scene's tokens,
    would have some before its first grant.
    """
    content = {
        "tenants": [
            {
                "name": name,
                "id": customer_id(name),
                "account_domain": f"{name}.onmicrosoft.com",
                "max_hours": 12,
                "elevate": {"client_id": ELEVATE, "secret": {"env": "SANDBOX_ELEVATE_SECRET"}},
                "revoke": {"client_id": REVOKE, "secret": {"env": "SANDBOX_REVOKE_SECRET"}},
                **tenant,
            }
            for name in (scene.customers if customers is None else customers)
        ],
        "technicians": [{"name": name, "id": ids.get(name) or technician_id(name)} for name in technicians],
        "groups": [{"name": "senior"} | ({"members": ["alex"]} if "alex" in technicians else {})],
        "role_mappings": list(role_mappings),
    }
    file = Path(scene.services.sandbox.ca_file).parent / f"{scene.settings.task_queue}.yaml"
    file.write_text(yaml.safe_dump({section: entries for section, entries in content.items() if entries}))
    await apply_configuration(TESTER, scene.app, file, yes=True, prune=True, unproven=True)


def temporal_program() -> str:
    """The CLI that came with the environment."""
    return str(Path(sys.executable).with_name("temporal"))
