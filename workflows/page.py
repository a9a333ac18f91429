"""How a grant looks from outside: its status in queries, its search attributes in lists, its words on its page."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from temporalio import workflow

from models import search_attributes
from models.alarms import AlarmKind
from models.messages import AccessRequest, Ending, Grant, GrantState, GrantStatus, Receipt, SignedAccessRequest
from workflows.details import describe

NOTES_AT_MOST = 10


class Page:
    """What is shown of one grant."""

    def __init__(self) -> None:
        self.status = GrantStatus()
        self.alarms: list[str] = []
        """Sentences, the oldest first."""
        self._notes: Counter[str] = Counter()
        self._asked: SignedAccessRequest | None = None

    def ask(self, signed: SignedAccessRequest) -> AccessRequest:
        """Whose page it is. Shown with the next state."""
        self._asked, request = signed, signed.request
        self.status = self.status.model_copy(
            update={
                "request_id": request.request_id,
                "tenant": request.tenant,
                "technician": request.technician,
                "replay_of": request.replay_of,
            }
        )
        return request

    def show(
        self,
        state: GrantState,
        sentence: str,
        grant: Grant | None,
        expires_at: datetime | None,
        *,
        opened_at: datetime | None = None,
    ) -> None:
        """Make the state visible: in queries, in Temporal's lists and on the workflow's page."""
        self.status = self.status.model_copy(
            update={
                "state": state,
                "sentence": sentence,
                "access": grant.access if grant else (),
                "account_name": grant.account_name if grant else None,
                "opened_at": self.status.opened_at or opened_at,
                "expires_at": expires_at,
            }
        )
        self._upsert()
        self._describe()

    def show_final(self, ending: Ending, receipt: Receipt | None) -> None:
        """The last state, as the receipt says it where there is one."""
        final = receipt.ending if receipt else ending
        self.status = self.status.model_copy(
            update={
                "state": final.state,
                "sentence": final.sentence,
                "closed_at": receipt.closed_at if receipt else workflow.now(),
                "lateness": receipt.lateness if receipt else None,
                "proof": receipt.proof if receipt else None,
            }
        )
        self._upsert()
        self._describe()

    def show_alarm(self, sentence: str) -> None:
        """One more alarm, on the page. The search attribute is set with its being told."""
        self.alarms.append(sentence)
        self._describe()

    def note(self, sentence: str) -> None:
        """Show that a message came that could not be read. Like ones are counted; anyone can send many."""
        if sentence not in self._notes and len(self._notes) >= NOTES_AT_MOST:
            sentence = "More came that could not be read."
        self._notes[sentence] += 1
        self._describe()

    def _upsert(self) -> None:
        status, known = self.status, workflow.info().typed_search_attributes
        changes = [search_attributes.GRANT_STATE.value_set(status.state.value)]
        if not known.get(search_attributes.TENANT) and status.tenant:
            changes.append(search_attributes.TENANT.value_set(status.tenant))
            changes.append(search_attributes.TECHNICIAN.value_set(status.technician or ""))
            if self._asked and self._asked.request.ticket:
                changes.append(search_attributes.TICKET.value_set(self._asked.request.ticket))
        if status.expires_at:
            changes.append(search_attributes.EXPIRES_AT.value_set(status.expires_at))  # type: ignore[arg-type]
        over = status.state.is_final or status.state is GrantState.PARKED
        if over and known.get(search_attributes.ALARM) == AlarmKind.CLOSING_LATE.value:
            changes.append(search_attributes.ALARM.value_unset())
        workflow.upsert_search_attributes(changes)

    def _describe(self) -> None:
        workflow.set_current_details(describe(self.status, self._asked, self.alarms, self._notes))
