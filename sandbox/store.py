"""Where the directory survives a restart, and a kill: one append-only file of rows.

Each line is what one request changed, as whole rows, so a line is applied entirely or, if the process died while
writing it, not at all. When the sandbox starts it reads the file and rewrites it without what was overwritten since.
Nothing is fsynced: the file outlives the process, which is what tests and demonstrations kill, not the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType

import pydantic_core
from pydantic import JsonValue, TypeAdapter, ValidationError

from sandbox.directory.directory import NO_TENANT, Change, Directory
from sandbox.directory.records import (
    ActivatedRole,
    AdministrativeUnit,
    ConditionalAccessPolicy,
    DelegatedAdminCustomer,
    DelegatedGrant,
    LogRecord,
    Schedule,
    ScheduleRequest,
)
from sandbox.directory.rows import Application, Group, Organization, RoleAssignment, ServicePrincipal, User
from sandbox.directory.table import Identified, Table

_ROWS: MappingProxyType[str, TypeAdapter[Identified]] = MappingProxyType(
    {
        "organization": TypeAdapter(Organization),
        "application": TypeAdapter(Application),
        "servicePrincipal": TypeAdapter(ServicePrincipal),
        "group": TypeAdapter(Group),
        "user": TypeAdapter(User),
        "deletedUser": TypeAdapter(User),
        "roleAssignment": TypeAdapter(RoleAssignment),
        "activatedRole": TypeAdapter(ActivatedRole),
        "administrativeUnit": TypeAdapter(AdministrativeUnit),
        "schedule": TypeAdapter(Schedule),
        "scheduleRequest": TypeAdapter(ScheduleRequest),
        "conditionalAccessPolicy": TypeAdapter(ConditionalAccessPolicy),
        "delegatedGrant": TypeAdapter(DelegatedGrant),
        "delegatedAdminCustomer": TypeAdapter(DelegatedAdminCustomer),
        "audit": TypeAdapter(LogRecord),
        "signIn": TypeAdapter(LogRecord),
    }
)


class StateError(Exception):
    """The state directory holds something that this version cannot read."""


WrittenRow = tuple[str, str, str, JsonValue]
"""Tenant, table and id, and the row as JSON; a tenant's rows are its own, applications belong to none."""


def written(directory: Directory) -> list[WrittenRow]:
    """Every row of a directory; of secrets only digests."""
    return [_written(change) for change in _everything(directory)]


def read(rows: Iterable[WrittenRow]) -> Directory:
    """The directory of which these are the rows. Raises ``ValueError`` or ``LookupError`` for what is none."""
    directory = Directory()
    for tenant_id, table, row_id, row in rows:
        _apply(directory, tenant_id, table, row_id, row)
    return directory


class Store:
    """The file behind one directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def load(self) -> Directory | None:
        """The directory as it was last written; None if nothing was ever written here. Raises ``StateError``."""
        if not self._path.exists():
            return None
        directory = Directory()
        for number, line in enumerate(self._lines(), start=1):
            try:
                for tenant_id, table, row_id, row in pydantic_core.from_json(line):
                    _apply(directory, tenant_id, table, row_id, row)
            except (ValueError, ValidationError, LookupError) as error:
                raise StateError(
                    f"{self._path}, line {number}, was not written by this version of the sandbox. "
                    "Start with an empty state directory."
                ) from error
        return directory

    def rewrite(self, directory: Directory) -> None:
        """Write the whole directory anew, atomically, and append to that from here on."""
        directory.take_changes()
        fresh = self._path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        for change in _everything(directory):
            _write(descriptor, _line([change]))
        fresh.replace(self._path)
        self.close()
        self._file = descriptor

    def append(self, changes: list[Change]) -> None:
        """Write down what one request changed, in one line."""
        if changes and self._file is not None:
            _write(self._file, _line(changes))

    def close(self) -> None:
        """Stop writing; idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            # A line without its end was being written when the process died: its request was never answered.
            yield from (line for line in file if line.endswith(b"\n"))


def _write(descriptor: int, line: bytes) -> None:
    remaining = memoryview(line)
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]


def _line(changes: Iterable[Change]) -> bytes:
    return pydantic_core.to_json([_written(change) for change in changes]) + b"\n"


def _written(change: Change) -> WrittenRow:
    row = None if change.row is None else _ROWS[change.table].dump_python(change.row, mode="json")
    return change.tenant_id, change.table, change.row_id, row


def _everything(directory: Directory) -> Iterator[Change]:
    for application in directory.applications:
        yield Change(NO_TENANT, "application", application.id, application)
    for tenant in directory.tenants.values():
        for table in _tables(directory, tenant.id).values():
            for row in table:
                yield Change(tenant.id, table.name, row.id, row)


def _tables(directory: Directory, tenant_id: str) -> dict[str, Table]:  # type: ignore[type-arg]  # rows of every kind
    if tenant_id == NO_TENANT:
        return {"application": directory.applications}
    return directory.add_tenant(tenant_id).tables


def _apply(directory: Directory, tenant_id: str, table: str, row_id: str, row: object) -> None:
    rows = _tables(directory, tenant_id)[table]
    if row is None:
        rows.remove(row_id)
    else:
        rows.put(_ROWS[table].validate_python(row, strict=False))
