"""The demonstration: four visits to simulated customers, each checked in the directory itself."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

import httpx
from rich.console import Console

from entra_jit.app import App
from entra_jit.cli.views import receipt as receipt_page
from entra_jit.cli.views.formatting import line, shown
from entra_jit.cli.views.timeline import Timeline
from entra_jit.cli.views.up import EXAMPLE, deployment_at
from entra_jit.identity.operator import operator_here
from entra_jit.local_stack.addresses import DEFAULT_STATE_DIR, StackAddresses, portal_of
from entra_jit.local_stack.stack import LocalStack
from entra_jit.local_stack.temporal import temporal_program
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_open import list_open
from entra_jit.operations.request_access import request_access
from entra_jit.operations.reveal_credential import reveal_credential
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.policy.durations import format_duration
from models.errors import EntraJitError
from models.messages import CredentialKind, GrantState, GrantStatus
from models.names import workflow_id

FABRIKAM = "fab0fab0-3333-4333-8333-000000000003"
SHORT = timedelta(seconds=20)
PATIENCE_SECONDS = 45
PASS_MAY_NEED_SECONDS = 10
NEXT = """
Try next:
  make up                             the same stack, to use: open {portal}/ and sign in as
                                      alex@northwindmsp.com, password sandbox-only-Alex1
  .venv/bin/entra-jit demo --verbose  with request ids and the whole receipt
  docs/README.md                      how it works; the way to a real tenant
"""


class DemonstrationFailedError(EntraJitError):
    """A promise was not kept."""


async def demonstrate(console: Console, *, verbose: bool) -> None:
    """Four visits in a stack of its own. Raises ``DemonstrationFailedError`` where a promise is not kept.

    ``verbose``: with Microsoft's request ids and the whole receipt.
    """
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="entra-jit-demo-") as directory:
        console.print("Starting PostgreSQL, Temporal, two simulated customers and a worker ...")
        async with LocalStack(Path(directory)) as stack, deployment_at(stack.addresses) as app:
            await apply_configuration(operator_here(), app, EXAMPLE)
            console.print(f"Ready after {monotonic() - began:.1f} s. Everything is real except the tenants.\n")
            async with httpx.AsyncClient(verify=_trusting(stack.addresses), trust_env=False) as http:
                await _Visits(console, app, stack.addresses, http, verbose=verbose).make()
    console.print(
        f"[bold green]Every account that was opened is closed, and proven so.[/] ({monotonic() - began:.0f} s)"
    )
    console.print(NEXT.format(portal=portal_of(DEFAULT_STATE_DIR)), highlight=False, soft_wrap=True)


def _trusting(addresses: StackAddresses) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(addresses.ca_file))


class _Visits:
    def __init__(
        self,
        console: Console,
        app: App,
        addresses: StackAddresses,
        http: httpx.AsyncClient,
        *,
        verbose: bool,
    ) -> None:
        self._console = console
        self._app = app
        self._actor = operator_here()
        self._addresses = addresses
        self._http = http
        self._verbose = verbose

    async def make(self) -> None:
        """All visits in turn."""
        with self._chapter(f"1. Alex needs Contoso for {format_duration(SHORT)}"):
            await self._expires()
        with self._chapter("2. Alex returns to the same account, and ends the grant early"):
            await self._ends_early()
        with self._chapter("3. An administrator cancels in Temporal"):
            await self._is_cancelled()
        with self._chapter("4. Fabrikam federates its domain: no account can be opened there"):
            await self._is_refused()

    async def _expires(self) -> None:
        grant, timeline = await self._ask("alex", "contoso", "Mail flow is down", SHORT)
        await self._follow(timeline, GrantState.OPEN)
        account, secret, kind = await self._reveal(grant, "alex")
        await self._expect_sign_in(account, secret, kind, works=True)
        await self._follow(timeline, GrantState.EXPIRED)
        await self._expect_sign_in(account, secret, kind, works=False)
        receipt = await show_receipt(self._actor, self._app, grant)
        if self._verbose:
            receipt_page.show_receipt(self._console, receipt)
        else:
            receipt_page.show_summary(self._console, receipt)

    async def _ends_early(self) -> None:
        grant, timeline = await self._ask("alex", "contoso", "One more mailbox", timedelta(hours=1))
        await self._follow(timeline, GrantState.OPEN)
        await end_access(self._actor, self._app, grant, "done")
        await self._follow(timeline, GrantState.ENDED)
        await self._expect_closed("contoso")

    async def _is_cancelled(self) -> None:
        grant, timeline = await self._ask("robin", "contoso", "Shared mailbox", timedelta(hours=1))
        await self._follow(timeline, GrantState.OPEN)
        arguments = ["--address", self._addresses.temporal, "--namespace", self._addresses.namespace]
        command = ["workflow", "cancel", "--workflow-id", workflow_id(grant)]
        self._say(f"temporal {' '.join(command)}")
        process = await asyncio.create_subprocess_exec(
            temporal_program(), *command, *arguments, stdout=asyncio.subprocess.DEVNULL
        )
        self._check("Temporal takes the cancellation", await process.wait() == 0)
        await self._follow(timeline, GrantState.CANCELLED)
        await self._expect_closed("contoso")

    async def _is_refused(self) -> None:
        control = self._addresses.sandbox_control
        domain = f"{control}/tenants/{FABRIKAM}/domains/fabrikam.onmicrosoft.com"
        (await self._http.post(domain, json={"authentication_type": "Federated"})).raise_for_status()
        _, timeline = await self._ask("robin", "fabrikam", "Password reset", timedelta(hours=1))
        await self._follow(timeline, GrantState.DENIED)
        journal = (await self._http.get(f"{control}/journal", params={"tenant": FABRIKAM})).json()
        writes = [entry for entry in journal if entry["effect"] and "/v1.0" in entry["path"]]
        self._check("nothing was written to Fabrikam's directory", not writes)

    async def _ask(self, technician: str, tenant: str, reason: str, duration: timedelta) -> tuple[str, Timeline]:
        self._say(f"{technician} requests {tenant}: {reason}")
        request_id = await request_access(
            self._actor,
            self._app,
            tenant=tenant,
            technician=technician,
            reason=reason,
            ticket="T-1042",
            duration=duration,
        )
        return request_id, Timeline(self._actor, self._app, request_id, self._console, calls=self._verbose)

    async def _follow(self, timeline: Timeline, wanted: GrantState) -> GrantStatus:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status = await timeline.follow(wanted)
        except TimeoutError:
            raise DemonstrationFailedError(
                f"After {PATIENCE_SECONDS} seconds the grant is still not {wanted}."
            ) from None
        if status.state is not wanted:
            raise DemonstrationFailedError(f"The grant should be {wanted} and is {status.state}: {status.sentence}")
        return status

    async def _reveal(self, grant: str, technician: str) -> tuple[str, str, CredentialKind]:
        account, revealed = await reveal_credential(self._actor, self._app, grant, technician)
        self._say(f"{technician} reveals the credential, once: a {revealed.kind.value.replace('_', ' ')}")
        return account, revealed.secret.get_secret_value(), revealed.kind

    async def _expect_sign_in(self, account: str, secret: str, kind: CredentialKind, *, works: bool) -> None:
        signed_in = await self._signs_in(account, secret, kind)
        # A new pass may need some seconds; one that is over stays so.
        deadline = monotonic() + PASS_MAY_NEED_SECONDS
        while works and not signed_in and monotonic() < deadline:
            await asyncio.sleep(0.5)
            signed_in = await self._signs_in(account, secret, kind)
        said = "signs in" if works else "cannot sign in any more"
        self._check(f"{account} {said}", signed_in is works)

    async def _signs_in(self, account: str, secret: str, kind: CredentialKind) -> bool:
        answer = await self._http.post(
            f"{self._addresses.sandbox_control}/sign-in", json={"username": account, kind.value: secret}
        )
        return answer.status_code == httpx.codes.OK

    async def _expect_closed(self, tenant: str) -> None:
        users = (await self._http.get(f"{self._addresses.sandbox_control}/tenants/{tenant}/users")).json()
        ours = [user for user in users if user["user_principal_name"].startswith("msp-")]
        closed = [user for user in ours if not (user["enabled"] or user["roles"] or user["groups"])]
        self._check(f"all managed accounts in {tenant} ({len(ours)}) are disabled and hold nothing", closed == ours)
        live = await list_open(self._actor, self._app)
        self._check("the ledger has no live grant", not live)

    def _say(self, text: str) -> None:
        line(self._console, f"  [dim]>[/] {shown(text)}")

    def _check(self, what: str, is_so: object) -> None:
        line(self._console, f"  {'[green]✓[/]' if is_so else '[bold red]✗[/]'} {shown(what)}")
        if not is_so:
            raise DemonstrationFailedError(f"Check failed: {what}.")

    @contextmanager
    def _chapter(self, title: str) -> Iterator[None]:
        line(self._console, f"[bold]{title}[/]")
        yield
        self._console.print()
