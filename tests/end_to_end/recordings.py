"""The recorded histories, which the tests replay."""

from __future__ import annotations

import json
from pathlib import Path

from temporalio.client import WorkflowHistory

HISTORIES = Path(__file__).parent.parent / "histories"
RECORDED = sorted(HISTORIES.glob("*/*.json"))


def recorded(file: Path) -> WorkflowHistory:
    """A history with the id of its workflow, which stands in its first event."""
    started = json.loads(file.read_text())["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], file.read_text())
