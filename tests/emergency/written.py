"""All that a deployment writes down where others read it: a workflow's history, and every table of the ledger."""

from __future__ import annotations

import json
from typing import Any

from temporalio.client import WorkflowHandle

from tests.end_to_end.test_a_portal_that_is_broken_into import payloads_of
from tests.stage import Scene


async def history_of(act: Scene, workflow: WorkflowHandle[Any, Any]) -> bytes:
    """The latest run's, with what its payloads hold, opened by the deployment's codec."""
    events = (await workflow.fetch_history()).to_json_dict()["events"]
    opened = await act.app.codec.decode(payloads_of(events))
    return b"\n".join([json.dumps(events).encode(), *(one.data for one in opened)])


def ledger_of(act: Scene) -> bytes:
    """Every row of every table."""
    tables = [name for [name] in act.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return str([act.sql(f"SELECT to_jsonb(t)::text FROM {name} AS t") for name in tables]).encode()  # noqa: S608
