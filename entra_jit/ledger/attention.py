"""How much needs a person's attention: numbers for a navigation, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Subquery, func, select
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger.failures import needs_operator
from entra_jit.ledger.open_grants import is_not_proven_closed, is_overdue
from models.tables import AlarmRow, GrantRow, HoldRow


@dataclass(frozen=True)
class Attention:
    """What waits, by the ledger alone: steps that are stuck just now are known to Temporal."""

    open: int
    """Grants that are not proven closed, overdue ones included."""
    overdue: int
    parked: int
    failed: int
    alarms: int
    holds: int

    @property
    def trouble(self) -> int:
        """What an operator has to do something about."""
        return self.parked + self.failed + self.alarms


async def count(session: AsyncSession, at: datetime, failed_since: datetime) -> Attention:
    """What waits at ``at``."""
    live = _number(GrantRow).where(is_not_proven_closed())
    numbers = {
        "open": live,
        "overdue": live.where(is_overdue(at)),
        "parked": live.where(col(GrantRow.parked_at).is_not(None)),
        "failed": _number(needs_operator(failed_since)),
        "alarms": _number(AlarmRow),
        "holds": _number(HoldRow).where(col(HoldRow.lifted_at).is_(None)),
    }
    statement = select(*(number.scalar_subquery().label(name) for name, number in numbers.items()))
    [row] = await (await session.connection()).execute(statement)
    return Attention(**row._mapping)


def _number(of: type[SQLModel] | Subquery) -> Select[Any]:
    return select(func.count()).select_from(of)
