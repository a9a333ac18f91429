"""How a grant looks from outside: its status in queries, its search attributes in lists, its words on its page.

All of it follows from the grant's progress, and the workflow never asks it for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from models import search_attributes
from models.grant_progress import GrantProgress
from models.messages import GrantStatus
from workflows.details import describe


class GrantView(NamedTuple):
    """What is shown of one grant."""

    status: GrantStatus
    details: str
    """Markdown, for its page in the Temporal UI."""
    search_attributes: Mapping[SearchAttributeKey[Any], object]
    """Those that are to be set. What is None is not, and is taken away where it was."""

    @classmethod
    def of(cls, progress: GrantProgress) -> GrantView:
        """What is to be shown now."""
        status = status_of(progress)
        return cls(status, describe(status, progress), _search_attributes(progress))


def status_of(progress: GrantProgress) -> GrantStatus:
    """Where the grant stands."""
    request, grant, receipt = progress.asked and progress.asked.request, progress.grant, progress.receipt
    return GrantStatus(
        request_id=request and request.request_id,
        tenant=request and request.tenant,
        technician=request and request.technician,
        replay_of=request and request.replay_of,
        wanted=request and request.access,
        state=progress.state,
        sentence=progress.sentence,
        access=grant.access if grant else (),
        account_name=grant and grant.account_name,
        opened_at=progress.opened_at,
        expires_at=progress.expires_at,
        closed_at=progress.closed_at,
        lateness=receipt and receipt.lateness,
        proof=receipt and receipt.proof,
    )


def publish(progress: GrantProgress) -> None:
    """Show the grant as it stands, in Temporal's lists and on its page. What is shown already changes nothing."""
    view, shown = GrantView.of(progress), workflow.info().typed_search_attributes
    changes = [
        key.value_unset() if value is None else key.value_set(value)
        for key, value in view.search_attributes.items()
        if shown.get(key) != value
    ]
    if changes:
        workflow.upsert_search_attributes(changes)
    workflow.set_current_details(view.details)


def note(progress: GrantProgress, sentence: str) -> None:
    """Show that a message came that could not be read. On its page alone: anyone can send many."""
    progress.note(sentence)
    workflow.set_current_details(GrantView.of(progress).details)


def _search_attributes(progress: GrantProgress) -> Mapping[SearchAttributeKey[Any], object]:
    request = progress.asked and progress.asked.request
    return {
        search_attributes.GRANT_STATE: progress.state.value,
        search_attributes.TENANT: request and request.tenant,
        search_attributes.TECHNICIAN: request and request.technician,
        search_attributes.TICKET: request and request.ticket,
        search_attributes.EXPIRES_AT: progress.expires_at,
        search_attributes.ALARM: progress.alarm and progress.alarm.value,
    }
