"""Replay what runs in Temporal with this checkout's code, before that code is deployed.

A workflow whose commands differ from those in its history cannot go on: its task fails and is repeated for ever, so the
account would stay open past its expiry, deaf to Cancel. Here that is found out beforehand.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.temporal.plugin import entra_jit_plugin
from models.actor import Actor
from models.search_attributes import EXPIRES_AT, GRANT_STATE, TECHNICIAN, TENANT

FETCHED_AT_ONCE = 10
"""How many histories are read at the same time; each is kept until it was replayed."""

LONGEST_REASON = 300


class BrokenExecution(BaseModel):
    """An execution that this checkout's code could not go on with."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    run_id: str
    tenant: str | None
    """None for what belongs to no tenant, as a reconciliation."""
    technician: str | None
    state: str | None
    expires_at: datetime | None
    because: str
    """The first sentence of the error."""


class UpgradeCheck(BaseModel):
    """What came of replaying the open executions."""

    model_config = ConfigDict(frozen=True)

    running: int
    """How many there were; more than ``replayed`` only where that was limited."""
    replayed: int
    breaks: tuple[BrokenExecution, ...]


@asks(Verb.CHECK_UPGRADE)
async def check_upgrade(
    actor: Actor,
    app: App,
    workflows: Sequence[type],
    *,
    limit: int | None = None,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> UpgradeCheck:
    """Replay every open execution of this app, or the ``limit`` newest, with the code of ``workflows``.

    Reads only; changes nothing.

    ``told`` is called with how many are done, of how many. An execution that ends meanwhile is replayed all the same.
    """
    client = await app.temporal()
    query = _open_executions(app.settings.task_queue, workflows)
    running = (await client.count_workflows(query)).count
    executions = {found.run_id: found async for found in client.list_workflows(query, limit=limit)}
    replayer = Replayer(
        workflows=list(workflows),
        namespace=client.namespace,
        plugins=[entra_jit_plugin(app.codec)],
        # By default it logs to standard output, which would break our JSON.
        runtime=Runtime(telemetry=TelemetryConfig(logging=None)),
    )
    replayed, breaks = 0, []
    async with replayer.workflow_replay_iterator(_histories(client, list(executions.values()))) as results:
        async for result in results:
            replayed += 1
            if result.replay_failure is not None:
                breaks.append(_broken(executions[result.history.run_id], result.replay_failure))
            told(replayed, len(executions))
    return UpgradeCheck(running=max(running, replayed), replayed=replayed, breaks=tuple(breaks))


def _open_executions(task_queue: str, workflows: Sequence[type]) -> str:
    names = ", ".join(f'"{workflow.__name__}"' for workflow in workflows)
    return f'ExecutionStatus = "Running" AND WorkflowType IN ({names}) AND TaskQueue = "{task_queue}"'


async def _histories(client: Client, executions: list[WorkflowExecution]) -> AsyncIterator[WorkflowHistory]:
    """The executions' histories, some of them read ahead."""
    for start in range(0, len(executions), FETCHED_AT_ONCE):
        some = executions[start : start + FETCHED_AT_ONCE]
        for history in await asyncio.gather(*(_history(client, execution) for execution in some)):
            if history is not None:
                yield history


async def _history(client: Client, execution: WorkflowExecution) -> WorkflowHistory | None:
    try:
        return await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # deleted since it was listed
            return None
        raise


def _broken(execution: WorkflowExecution, failure: Exception) -> BrokenExecution:
    known = execution.typed_search_attributes
    return BrokenExecution(
        workflow_id=execution.id,
        run_id=execution.run_id,
        tenant=known.get(TENANT),
        technician=known.get(TECHNICIAN),
        state=known.get(GRANT_STATE),
        expires_at=known.get(EXPIRES_AT),
        because=_first_sentence(failure),
    )


def _first_sentence(failure: Exception) -> str:
    """What does not fit, without the structure in which Temporal's replayer quotes it."""
    said = str(failure)
    quoted = re.search(r'message: "((?:[^"\\]|\\.)*)"', said)
    sentence = quoted[1] if quoted else said.splitlines()[0] if said else type(failure).__name__
    return sentence.removeprefix("[TMPRL1100] ")[:LONGEST_REASON]
