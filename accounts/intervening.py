"""Closing an account beside its grant's own workflow, for whoever finds it open: the reconciler, and the review.

It is in the ledger before the first write, so that everything that was done to an account has its reason there. A
ledger that is away keeps nothing open.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

import structlog

from accounts.account_closing import ReadBack, Stripped, clear_mark, close_again, read_standing
from accounts.workplace import Workplace
from graph import Tenant, User
from ledger import interventions
from ledger.database import LedgerUnavailableError
from models.messages import ClosingStep, DirectoryCall, Step, TenantId

LOOKS = 4
"""How often a closed account is read back before it is left to the next run."""

_log = structlog.get_logger("interventions")


class Intervening:
    """Closes accounts in the name of ``by``: ``the reconciler``."""

    def __init__(self, workplace: Workplace, by: str) -> None:
        self._ledger = workplace.ledger
        self._clock = workplace.clock
        self._by = by

    async def close(self, tenant: Tenant, user: User, because: str, request_id: str | None = None) -> ReadBack:
        """Close the account, and say what the directory says of it then. Idempotent.

        ``request_id``: the grant that holds it. A standing that is not closed says that the directory lags, or refuses.
        """
        _log.error(f"account closed by {self._by}", account=user.user_principal_name, because=because)
        began_at = self._clock()
        number = await self._begin(tenant, user, because, request_id, began_at)
        stripped = Stripped()
        calls = await close_again(tenant, user.id, stripped=stripped)
        disabled_at = calls[0].answered_at
        for look in range(1, LOOKS + 1):
            entry = await tenant.users.get(user.id)
            reading = await read_standing(tenant, entry)
            if reading.standing.is_closed or look == LOOKS:
                break
            await asyncio.sleep(look)
            calls += await close_again(tenant, user.id, stripped=stripped)
        cleared = await clear_mark(tenant, entry) if reading.standing.is_closed else []
        at = max(call.answered_at for call in reading.calls)
        step = Step(name=ClosingStep.READ_BACK, at=at, note=f"by {self._by}", calls=(*reading.calls, *cleared))
        read_back = ReadBack(disabled_at, step, reading.standing, stripped.findings, user.id)
        number = number or await self._begin(tenant, user, because, request_id, began_at)
        await self._finish(number, read_back, calls)
        return read_back

    async def _begin(
        self, tenant: Tenant, user: User, because: str, request_id: str | None, at: datetime
    ) -> int | None:
        """Its number; None where the ledger is away: that keeps nothing open."""
        with suppress(LedgerUnavailableError):
            async with self._ledger.transaction() as session:
                return await interventions.begin(
                    session,
                    tenant_id=TenantId(tenant.connection.tenant_id),
                    object_id=user.id,
                    account_name=user.user_principal_name,
                    request_id=request_id,
                    by=self._by,
                    because=because,
                    found_enabled=user.account_enabled,
                    at=at,
                )
        return None

    async def _finish(self, number: int | None, read_back: ReadBack, calls: list[DirectoryCall]) -> None:
        if number is None:
            return
        proven_at = read_back.step.at if read_back.standing.is_closed else None
        with suppress(LedgerUnavailableError):
            async with self._ledger.transaction() as session:
                await interventions.finish(session, number, read_back.disabled_at, proven_at, calls)
