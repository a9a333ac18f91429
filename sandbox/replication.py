"""Eventual consistency: each request is answered by one of several replicas, and each learns of a change when it does.

A replica is chosen for a request, and its delay for a change, pseudo-randomly from a seed and from what happened in
that tenant before, so that results flap as they do at Microsoft and a run can be repeated. Reads see a replica's
older rows. Writes are applied to the truth, but only to what their replica knows of: a role for an account that it has
not heard of is a 404, an assignment that it still has is a conflict.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, TypeAlias, TypeVar

from sandbox.clock import Clock
from sandbox.directory.directory import Change, Directory
from sandbox.directory.table import Identified, Ordered, Table
from sandbox.directory.tenant import Tenant
from sandbox.lag import Api, Lag

REPLICAS = 3
_RELATIONS = frozenset({"roleAssignment"})
"""Tables in which "is it there?" asks for a conflict, not for something to work on."""

Row = TypeVar("Row", bound=Identified)
_AnyTable: TypeAlias = Table[Any]
Older = Mapping[str, "Identified | None"]
"""By id, the rows of which a replica has another version than the truth (None: it has none)."""


class Replication:
    """All replicas of a sandbox's tenants. Where the lag is off, nothing is recorded and tenants are seen as they are.

    ``default`` is the lag of tenants that have none of their own.
    """

    def __init__(self, clock: Clock, default: Lag | None = None, seed: int = 1) -> None:
        self._clock = clock
        self.default = default
        self.seed = seed
        self._of_tenants: dict[str, Lag | None] = {}
        self._histories: dict[str, _History] = {}
        self._asked: Counter[tuple[str, Api]] = Counter()

    def set(self, lag: Lag | None, tenant_id: str | None = None) -> None:
        """Make replicas so late from now on, in one tenant or in all; what is under way arrives at once."""
        if tenant_id is not None:
            self._of_tenants[tenant_id] = lag
            self._histories.pop(tenant_id, None)
            return
        self.default = lag
        self._of_tenants.clear()
        self.forget()

    def reseed(self, seed: int) -> None:
        """Begin the pseudo-random choices anew from this number."""
        self.seed = seed
        self.forget()

    def forget(self) -> None:
        """Every replica knows everything, and the choices begin anew."""
        self._histories.clear()
        self._asked.clear()

    def lag_of(self, tenant_id: str) -> Lag | None:
        """How late the replicas of a tenant are; None: not at all."""
        return self._of_tenants.get(tenant_id, self.default)

    def settings(self) -> dict[str, Lag | None]:
        """The tenants that have a lag of their own."""
        return dict(self._of_tenants)

    def watch(self, directory: Directory) -> None:
        """Record what changes in this directory from now on."""
        self.forget()
        directory.witness = self._record

    def as_seen(self, tenant: Tenant, method: str, api: Api) -> Tenant:
        """The tenant as the replica that answers this request has it."""
        lag = self.lag_of(tenant.id)
        if lag is None or (history := self._histories.get(tenant.id)) is None:
            return tenant
        now = self._clock.now().timestamp()
        history.settle(now - lag.longest)
        if history.is_empty:
            return tenant
        self._asked[tenant.id, api] += 1
        replica = int(self._draw(tenant.id, api, self._asked[tenant.id, api]) * REPLICAS)
        quickest, slowest = lag.span_of(api)
        latest = history.number

        def knows(version: _Version) -> bool:
            if version.number > latest:
                return True  # what this request itself has written
            late = quickest + (slowest - quickest) * self._draw(tenant.id, api, replica, version.number)
            return version.at + late <= now

        def older(table: str) -> Older:
            return _Older(history.of_table(table), knows)

        seen = _TenantRead(tenant, older)
        return seen if method == "GET" else _TenantWritten(tenant, older, seen)

    def _record(self, change: Change) -> None:
        if self.lag_of(change.tenant_id) is not None:
            history = self._histories.setdefault(change.tenant_id, _History())
            history.record(change, self._clock.now().timestamp())

    def _draw(self, *of: object) -> float:
        """A number from 0 up to 1, the same for the same things."""
        text = ":".join(map(str, (self.seed, *of)))
        return int.from_bytes(blake2b(text.encode(), digest_size=6).digest()) / 2**48


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    at: float
    row: Identified | None


_Known = Callable[[_Version], bool]


class _History:
    """What has changed in a tenant so lately that some replica may not know of it."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, list[_Version]]] = {}
        self._unsettled: deque[tuple[str, str, _Version]] = deque()
        self.number = 0

    @property
    def is_empty(self) -> bool:
        return not self._unsettled

    def record(self, change: Change, at: float) -> None:
        self.number += 1
        version = _Version(self.number, at, change.row)
        rows = self._versions.setdefault(change.table, {})
        rows.setdefault(change.row_id, [_Version(0, float("-inf"), change.before)]).append(version)
        self._unsettled.append((change.table, change.row_id, version))

    def settle(self, moment: float) -> None:
        """Forget what every replica has known since ``moment``."""
        while self._unsettled and self._unsettled[0][2].at <= moment:
            table, row_id, settled = self._unsettled.popleft()
            rows = self._versions[table]
            rows[row_id] = [version for version in rows[row_id] if version.number >= settled.number]
            if len(rows[row_id]) == 1:
                del rows[row_id]

    def of_table(self, table: str) -> Mapping[str, list[_Version]]:
        return self._versions.get(table, {})


class _Older(Mapping[str, "Identified | None"]):
    """See ``Older``. Looks at the rows that are asked for, of which one request has few and a busy tenant many."""

    def __init__(self, versions: Mapping[str, list[_Version]], knows: _Known) -> None:
        self._versions = versions
        self._knows = knows

    def __getitem__(self, row_id: str) -> Identified | None:
        versions = self._versions[row_id]
        seen = next((version for version in reversed(versions) if self._knows(version)), versions[0])
        if seen is versions[-1]:
            raise KeyError(row_id)
        return seen.row

    def __iter__(self) -> Iterator[str]:
        return (row_id for row_id in self._versions if row_id in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None


class _Seen(Table[Row]):
    """A table as a replica has it. What is changed through it changes the truth."""

    def __init__(self, truth: Table[Row], older: Callable[[str], Older]) -> None:
        # Not initialised as a table: it has no rows of its own.
        self.name = truth.name
        self._truth = truth
        self._ask = older

    @cached_property
    def _older(self) -> Mapping[str, Row | None]:
        return self._ask(self.name)  # type: ignore[return-value]  # a table's history has its rows

    def keys_of(self, index: str, row: Row) -> list[str]:
        return list(self._truth.keys_of(index, row))

    def put(self, row: Row) -> None:
        self._truth.put(row)

    def remove(self, row_id: str) -> Row | None:
        return self._truth.remove(row_id)


class _TableRead(_Seen[Row]):
    """For reads: older rows in place of the true ones."""

    def __len__(self) -> int:
        return len(self.in_order()) if self._older else len(self._truth)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.in_order()) if self._older else iter(self._truth)

    def __contains__(self, row_id: object) -> bool:
        return isinstance(row_id, str) and self.get(row_id) is not None

    def get(self, row_id: str) -> Row | None:
        return self._older[row_id] if row_id in self._older else self._truth.get(row_id)

    def find(self, index: str, key: str) -> list[Row]:
        current = [row for row in self._truth.find(index, key) if row.id not in self._older]
        return current + [row for row in self._older.values() if row is not None and key in self.keys_of(index, row)]

    def one(self, index: str, key: str) -> Row | None:
        return next(iter(self.find(index, key)), None)

    def in_order(self) -> Ordered[Row]:
        return self._truth.in_order().with_others(dict(self._older))


class _TableWritten(_Seen[Row]):
    """For writes: the true rows, without those that the replica has not heard of.

    Searches, which guard what must never break (one holder of a name, one last administrator), find the truth.
    """

    def __len__(self) -> int:
        return len(self._truth)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._truth)

    def __contains__(self, row_id: object) -> bool:
        if self.name in _RELATIONS:
            return row_id in self._truth or self._older.get(str(row_id)) is not None
        return isinstance(row_id, str) and self.get(row_id) is not None

    def get(self, row_id: str) -> Row | None:
        unheard_of = row_id in self._older and self._older[row_id] is None
        return None if unheard_of else self._truth.get(row_id)

    def find(self, index: str, key: str) -> list[Row]:
        return self._truth.find(index, key)

    def one(self, index: str, key: str) -> Row | None:
        return self._truth.one(index, key)

    def in_order(self) -> Ordered[Row]:
        return self._truth.in_order()


class _TenantRead(Tenant):
    """A tenant as a replica shows it."""

    def __init__(self, truth: Tenant, older: Callable[[str], Older]) -> None:
        _copy(truth, self, lambda table: _TableRead(table, older))


class _TenantWritten(Tenant):
    """A tenant as a write through a replica meets it."""

    def __init__(self, truth: Tenant, older: Callable[[str], Older], seen: Tenant) -> None:
        _copy(truth, self, lambda table: _TableWritten(table, older))
        self._seen = seen

    def roles_of(self, principal_id: str) -> set[str]:
        """By the replica: an account whose roles were just taken is protected for a while all the same."""
        return self._seen.roles_of(principal_id)


def _copy(truth: Tenant, view: Tenant, as_seen: Callable[[_AnyTable], _AnyTable]) -> None:
    """Make ``view`` what ``truth`` is, but with its tables as they are seen."""
    tables = {name: as_seen(table) for name, table in truth.tables.items()}
    for name, value in vars(truth).items():
        setattr(view, name, tables[value.name] if isinstance(value, Table) else value)
    view.tables = tables
