"""The revoker: closes each account whose signed open-until mark has expired. For cron, on any machine.

It reads one file and asks Microsoft alone: no ledger, no Temporal, no worker. It runs where the rest is lost, and its
file has no key that signs or opens anything. A missing, broken or copied mark closes nothing, and no emergency account
is touched. Running twice, or several at once, is harmless.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Self
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import (
    OPEN_UNTIL_ATTRIBUTE,
    OWNER_TAG_ATTRIBUTE,
    read_open_until,
    read_owner_tag,
    tag_prefix,
)
from entra_jit.crypto.narrow_keyring import RevokerKeyring
from entra_jit.graph import (
    ClientCertificate,
    ClientSecret,
    Connection,
    Credential,
    FederatedAssertion,
    Graph,
    GraphError,
    RetryBudget,
    Tenant,
    TransientError,
    User,
)
from models.errors import EntraJitError, ExitCode, SettingsError
from models.marks import AccountKind, OpenUntil, newest
from models.messages import ObjectId, TenantId
from models.microsoft_hosts import check_hosts
from models.moments import format_moment
from models.plain_text import plain

CLOSED_KINDS = (AccountKind.TECHNICIAN, AccountKind.CANARY)
"""A kind that is not named here is never closed."""

OVERDUE_AFTER = timedelta(minutes=1)
"""How long after its expiry an account is closed: an extension of the last moment may not have reached each replica."""

BUDGET = timedelta(minutes=3)
"""How long what passes by itself is asked again."""

RUN_LIMIT = timedelta(minutes=4)
"""No run takes longer, so that those of a cron job every five minutes do not pile up."""

TENANTS_AT_ONCE = 8
ACCOUNTS_AT_ONCE = 4
"""In one tenant."""

READ_BACK_PAUSE = timedelta(seconds=2)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Application(_Section):
    """The revoker's own application, and the file from which it proves itself: exactly one of the three."""

    client_id: UUID
    certificate_file: Path | None = None
    """Private key and certificate, PEM."""
    federated_token_file: Path | None = None
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _proves_itself_once(self) -> Self:
        if sum(one is not None for one in (self.certificate_file, self.federated_token_file, self.secret_file)) != 1:
            raise ValueError("set exactly one of certificate_file, federated_token_file, secret_file")
        return self

    def credential(self) -> Credential:
        """Read from its file. Raises ``SettingsError``, which quotes nothing of it."""
        if self.federated_token_file is not None:
            return FederatedAssertion(token_file=self.federated_token_file)
        file = self.certificate_file or self.secret_file or Path()
        try:
            text = SecretStr(file.read_text(encoding="utf-8-sig").strip())
            if self.secret_file is not None:
                return ClientSecret(secret=text)
            return ClientCertificate(private_key=text, certificate=text.get_secret_value())
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"{file} cannot be read") from None
        except ValidationError as error:
            raise SettingsError(f"{file}: {error.errors(include_input=False)[0]['msg']}") from None


class TenantEntry(_Section):
    """One customer."""

    id: UUID
    account_prefix: Annotated[str, Field(min_length=1)]
    """How our accounts there are called: those that lost their owner tag are found by it."""
    application: Application | None = None
    """Where the tenant has a registration of its own."""


class RevokerFile(_Section):
    """What a revoker is told, TOML; ``starter.py revoker-file`` writes it."""

    installation: str
    keys: str
    """The public halves that verify tags and marks."""
    application: Application
    tenants: Annotated[dict[str, TenantEntry], Field(min_length=1)]
    graph_url: str = "https://graph.microsoft.com/v1.0"
    login_url: str = "https://login.microsoftonline.com"
    ca_file: Path | None = None
    sandbox: bool = False
    """Permits a simulated tenant."""

    @model_validator(mode="after")
    def _production_talks_to_microsoft_alone(self) -> Self:
        graph, login = ("graph_url", self.graph_url), ("login_url", self.login_url)
        check_hosts(graph, login, is_sandbox=self.sandbox, permitted_by="sandbox = true")
        return self

    @classmethod
    def read(cls, file: Path) -> Self:
        """Raises ``SettingsError`` with one sentence."""
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"{file} cannot be read") from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{file}: {error}") from None
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            said = first["msg"].removeprefix("Value error, ")
            raise SettingsError(": ".join(filter(None, (str(file), where, said)))) from None


@dataclass
class Outcome:
    """What one run came to."""

    over: int = 0
    """Accounts whose time was over."""
    closed: int = 0
    """Those of them that were read back disabled."""
    failures: int = 0
    """What could not be read or closed."""

    def exit_code(self, *, dry_run: bool) -> ExitCode:
        """``NOT_PROVEN`` where anything is unknown; a dry run that found something: ``ATTENTION``."""
        if self.failures or (self.closed < self.over and not dry_run):
            return ExitCode.NOT_PROVEN
        return ExitCode.ATTENTION if dry_run and self.over else ExitCode.DONE


@dataclass
class Revoker:
    """One run over all tenants."""

    graph: Graph
    file: RevokerFile
    keyring: Keyring
    dry_run: bool
    say: Callable[[str], None]
    outcome: Outcome = field(default_factory=Outcome)

    def __post_init__(self) -> None:
        self._patience = RetryBudget(_now() + BUDGET, _now)
        self._tenants_at_once = asyncio.Semaphore(TENANTS_AT_ONCE)

    async def run(self) -> Outcome:
        """Close what is over. A tenant that refuses does not keep the others waiting. Bounded by ``RUN_LIMIT``."""
        entries = self.file.tenants.items()
        tasks = {asyncio.create_task(self._close_in(name, entry)): name for name, entry in entries}
        _, late = await asyncio.wait(tasks, timeout=RUN_LIMIT.total_seconds())
        for task in late:
            task.cancel()
            self._fail(f"{tasks[task]}: not done within {RUN_LIMIT.seconds} seconds")
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.outcome

    async def _close_in(self, name: str, entry: TenantEntry) -> None:
        async with self._tenants_at_once:
            try:
                tenant = self.graph.tenant(self._connection(name, entry))
                candidates = await self._candidates(tenant, entry)
            except Exception as error:
                self._fail(f"{name}: {error}")
                return
            at_once = asyncio.Semaphore(ACCOUNTS_AT_ONCE)
            await asyncio.gather(*(self._close(tenant, account, at_once) for account in candidates))

    def _connection(self, name: str, entry: TenantEntry) -> Connection:
        application = entry.application or self.file.application
        return Connection(
            tenant_id=TenantId(str(entry.id)),
            tenant=name,
            client_id=str(application.client_id),
            credential=application.credential(),
        )

    async def _candidates(self, tenant: Tenant, entry: TenantEntry) -> list[ObjectId]:
        """Accounts to be looked at one by one.

        The listing by name is current, so what it shows to be live or closed needs no further look. What only the tag
        finds comes from an index that may be minutes old.
        """
        named, tagged = dict[ObjectId, User](), dict[ObjectId, User]()
        prefix = tag_prefix(self.file.installation)
        await self._list(tenant, partial(tenant.users.named, entry.account_prefix), named)
        await self._list(tenant, partial(tenant.users.tagged, OWNER_TAG_ATTRIBUTE, prefix), tagged)
        over = [id for id, user in named.items() if self._over(tenant, user) is not None]
        return over + [id for id in tagged if id not in named]

    async def _list(
        self, tenant: Tenant, listing: Callable[[], AsyncIterator[User]], found: dict[ObjectId, User]
    ) -> None:
        async def read() -> None:
            async for user in listing():
                found[user.id] = user

        try:
            await self._patience.ask(read)
        except GraphError as error:
            self._fail(f"{tenant.connection.tenant}: not all accounts were listed. {error}")

    async def _close(self, tenant: Tenant, account: ObjectId, at_once: asyncio.Semaphore) -> None:
        async with at_once:
            try:
                user = await self._patience.ask(partial(tenant.users.get, account))
                if (mark := self._over(tenant, user)) is not None:
                    self.outcome.over += 1
                    await self._end(tenant, user, mark)
            except Exception as error:
                self._fail(f"{tenant.connection.tenant}: {account} is not known to be closed. {error}")

    async def _end(self, tenant: Tenant, user: User, mark: OpenUntil) -> None:
        about = f"{tenant.connection.tenant}: {user.user_principal_name} ({user.id}), grant {mark.request_id}"
        ended = f"its time ended {format_moment(mark.expires_at)}"
        if self.dry_run:
            self.say(f"{about}: would be closed; {ended}.")
            return
        call = await self._patience.ask(partial(tenant.users.disable, user.id))
        try:
            await self._patience.ask(partial(tenant.users.revoke_sessions, user.id))
        except GraphError as error:
            self._fail(str(error))  # it is disabled all the same
        await self._patience.ask(partial(self._read_back, tenant, user))
        self.outcome.closed += 1
        self.say(f"{about}: closed at {format_moment(call.answered_at)}; {ended}. [request-id {call.request_id}]")

    async def _read_back(self, tenant: Tenant, user: User) -> None:
        """Raises ``TransientError`` while a replica still shows the account open."""
        if (await tenant.users.get(user.id)).account_enabled:
            raise TransientError(
                tenant=tenant.connection.tenant,
                purpose="read the account back as disabled",
                operation=f"GET /users/{user.id}",
                advice="The next run tries again.",
                retry_after=READ_BACK_PAUSE,
            )

    def _over(self, tenant: Tenant, user: User) -> OpenUntil | None:
        """The mark that says that the account's time is over; None: leave it alone.

        By Microsoft's clock where it has told the time: this machine's may be wrong.
        """
        if not user.account_enabled:
            return None
        tenant_id, attributes = tenant.connection.tenant_id, user.extension_attributes
        owner = read_owner_tag(self.keyring, attributes.get(OWNER_TAG_ATTRIBUTE), tenant_id, user.user_principal_name)
        if owner is not None and AccountKind.of(owner.technician_id) not in CLOSED_KINDS:
            return None
        text = attributes.get(OPEN_UNTIL_ATTRIBUTE)
        mark = newest(*(read_open_until(self.keyring, text, tenant_id, user.id, kind) for kind in CLOSED_KINDS))
        at = (tenant.heard.date if tenant.heard else None) or _now()
        return mark if mark is not None and mark.expires_at + OVERDUE_AFTER <= at else None

    def _fail(self, explanation: str) -> None:
        self.outcome.failures += 1
        sys.stderr.write(f"{plain(explanation)}\n")


def _now() -> datetime:
    return datetime.now(UTC)


async def revoke(file: RevokerFile, *, dry_run: bool, say: Callable[[str], None]) -> Outcome:
    """One run. Raises ``SettingsError`` for keys that cannot be read."""
    keyring = RevokerKeyring.parse(file.keys)
    async with Graph(graph_url=file.graph_url, login_url=file.login_url, ca_file=file.ca_file) as graph:
        return await Revoker(graph, file, keyring, dry_run, say).run()


def main(arguments: list[str] | None = None) -> ExitCode:
    """What is typed: a file, and whether to change anything."""
    parser = argparse.ArgumentParser(prog="python -m entra_jit.revoker", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, help="what `starter.py revoker-file` has written")
    parser.add_argument("--dry-run", action="store_true", help="say what would be closed; change nothing")
    given = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        file = RevokerFile.read(given.file)
        outcome = asyncio.run(revoke(file, dry_run=given.dry_run, say=lambda line: print(plain(line), flush=True)))
    except EntraJitError as error:
        sys.stderr.write(f"{plain(str(error))}\n")
        return error.exit_code
    ended = "would be closed" if given.dry_run else "closed"
    count = outcome.over if given.dry_run else outcome.closed
    print(f"{len(file.tenants)} tenants: {count} accounts {ended}, {outcome.failures} failures.", flush=True)
    return outcome.exit_code(dry_run=given.dry_run)


if __name__ == "__main__":
    sys.exit(main())
