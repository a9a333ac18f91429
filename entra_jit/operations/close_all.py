"""The emergency stop: close every open grant in scope at once, and let nothing be opened until it is lifted.

It needs the ledger, which knows what is open, and the directories. Temporal is told if it answers, so that workflows
write their own receipts; where it does not, the accounts are closed, proven and settled from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.proving import ProvenClosing
from entra_jit.accounts.settling import Settling
from entra_jit.accounts.stopping import GrantStop
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import receipts
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.fences import Fenced
from entra_jit.operations._asking import asks
from entra_jit.operations._stop_scope import place_stop, signed_end
from entra_jit.temporal.end_workflows import end_workflows
from models.actor import Actor
from models.holds import StoppedGrant, StopReport, StopState
from models.messages import Ending, GrantState, Standing

AT_ONCE = 16
"""How many accounts are worked on at the same time: directories throttle, and the first ones should be shut at once."""

LEFT_TO_WORKFLOWS = timedelta(seconds=10)
"""How long workflows that were told may strip what is disabled already, before it is done from here.

Two that remove the same roles at once each find them gone, and must wait until their absence is proof.
"""

PATIENCE = timedelta(minutes=2)
"""How long one account is tried, from when it can be proven closed."""

SETTLED = "An emergency stop closed and settled the grant; its workflow was not reached."

Tell = Callable[[Iterable[StoppedGrant]], None]
"""Told all grants in scope whenever one has changed."""


@asks(Verb.CLOSE_ALL)
async def close_all(
    actor: Actor,
    app: App,
    *,
    reason: str,
    tenant: str | None = None,
    technician: str | None = None,
    tell: Tell = lambda _: None,
    patience: timedelta = PATIENCE,
) -> StopReport:
    """Stop access of one tenant, of one technician, or of everybody, and close what is open. Idempotent.

    The first stop of a scope stands with its reason; again, it closes what is not proven closed yet. Raises
    ``BadInputError``, ``NotFoundError``, or ``LedgerUnavailableError``: only the ledger knows what is open.
    What cannot be closed says so in the report.
    """
    stop, live = await place_stop(actor, app, reason, tenant, technician)
    stopping = Stopping(app, actor, stop.reason, live, tell, patience, even_if_held=True)
    unheard = await stopping.run()
    return StopReport(stop=stop, unheard=unheard, grants=stopping.grants)


class Stopping:
    """One run of the emergency path, over grants that were fenced."""

    def __init__(
        self,
        app: App,
        by: Actor,
        reason: str | None,
        live: list[Fenced],
        tell: Tell = lambda _: None,
        patience: timedelta = PATIENCE,
        settled: str = SETTLED,
        *,
        even_if_held: bool,
    ) -> None:
        """``settled``: what the receipts say that are written from here. ``even_if_held``: all grants are stopped that
        the accounts may be held by."""
        self._app = app
        self._settling = Settling(app)
        self._by = by
        self._reason = reason
        self._settled = settled
        because = reason or f"ended by {by}"
        self._closing = {
            fenced.grant.request_id: GrantStop(app, fenced, because, even_if_held=even_if_held) for fenced in live
        }
        self._abandoned = {fenced.grant.request_id for fenced in live if fenced.is_abandoned}
        self._tell = tell
        self._patience = patience
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._told: frozenset[str] = frozenset()
        self._shown = {
            fenced.grant.request_id: StoppedGrant(
                request_id=fenced.grant.request_id,
                tenant=fenced.grant.tenant,
                technician=fenced.grant.technician,
                account_name=fenced.grant.account_name,
            )
            for fenced in live
        }

    @property
    def grants(self) -> tuple[StoppedGrant, ...]:
        """How far each of them is."""
        return tuple(self._shown.values())

    async def run(self) -> str | None:
        """Disable everything, tell the workflows, and prove from here what they do not prove soon.

        Gives why Temporal could not be told; None: it was.
        """
        self._tell(self._shown.values())
        _, unheard = await asyncio.gather(self._each(self._disable), self._tell_workflows())
        await self._leave_to_workflows()
        await self._each(self._close)
        return unheard

    async def run_alone(self) -> None:
        """The same for grants whose workflows do not take what they are told."""
        await self._each(self._disable)
        await self._each(self._close)

    async def _each(self, work: Callable[[str], Awaitable[None]]) -> None:
        async def one(request_id: str) -> None:
            async with self._at_once:
                await work(request_id)

        await asyncio.gather(*(one(request_id) for request_id in self._unproven()))

    def _unproven(self) -> list[str]:
        return [request_id for request_id, shown in self._shown.items() if shown.state is not StopState.CLOSED]

    def _show(self, request_id: str, state: StopState, sentence: str) -> None:
        self._shown[request_id] = self._shown[request_id].model_copy(update={"state": state, "sentence": sentence})
        self._tell(self._shown.values())

    async def _disable(self, request_id: str) -> None:
        try:
            disabled = await self._closing[request_id].disable()
        except Exception as error:
            # Microsoft may refuse it while roles are held: it is tried again together with their removal.
            self._show(request_id, StopState.OPEN, describe_error(error))
        else:
            if disabled:
                self._show(request_id, StopState.DISABLED, "")

    async def _tell_workflows(self) -> str | None:
        heard = await end_workflows(
            self._app.temporal, {one: signed_end(self._by, self._app, one, self._reason) for one in self._closing}
        )
        self._told = heard.told
        return heard.unheard

    async def _leave_to_workflows(self) -> None:
        """Wait a while for the workflows' receipts; the caller closes what is left."""
        until = self._app.clock() + LEFT_TO_WORKFLOWS
        while self._told & set(self._unproven()) and self._app.clock() < until:
            await asyncio.sleep(0.2)
            await self._look_for_receipts()

    async def _look_for_receipts(self) -> None:
        try:
            async with self._app.ledger.transaction() as session:
                written = await receipts.of_requests(session, self._unproven())
        except LedgerUnavailableError:
            return
        for request_id, receipt in written.items():
            if receipt.proof.is_proven:
                self._show(request_id, StopState.CLOSED, "closed by its own workflow")

    async def _close(self, request_id: str) -> None:
        proving = asyncio.create_task(self._closing[request_id].close_and_prove(self._patience))
        while not (await asyncio.wait({proving}, timeout=1))[0]:
            await self._look_for_receipts()
            if self._shown[request_id].state is StopState.CLOSED:
                proving.cancel()
                return
        try:
            closing = proving.result()
        except Exception as error:
            self._show(request_id, StopState.FAILED, describe_error(error))
            return
        if unproven := _why_unproven(closing.standing):
            self._show(request_id, StopState.FAILED, unproven)
            return
        how = "closed and read back"
        if request_id in self._abandoned or request_id not in self._told:
            how += await self._settle(request_id, closing)
        self._show(request_id, StopState.CLOSED, how)

    async def _settle(self, request_id: str, closing: ProvenClosing) -> str:
        """Write the receipt that no workflow is going to write soon. It is the one that stands, should one come."""
        ending = Ending(state=GrantState.ENDED, by=self._by, reason=self._reason)
        try:
            if request_id in self._abandoned:
                await self._settling.closed_later(request_id, self._by, closing)
            else:
                await self._settling.closed(request_id, ending, self._settled, closing)
        except Exception as error:  # whatever it is, the other accounts are still to be closed
            return f", but its receipt could not be written: {describe_error(error)}"
        return ""


def _why_unproven(standing: Standing) -> str | None:
    if standing.vanished:
        return "it was deleted in the directory and may be restored"
    if standing.held_by:
        return f"the grant {standing.held_by} holds it by a newer mark, and closes it at its own end"
    return None
