"""What a person reads on a grant's page in the Temporal UI."""

from __future__ import annotations

from models.grant_progress import GrantProgress
from models.markdown import escape
from models.messages import GrantState, GrantStatus, Proof
from models.moments import format_moment

WHAT_TO_DO = {
    GrantState.ASKED: "Waiting for the decision.",
    GrantState.PREPARING: "**Request Cancellation** withdraws the request and closes what was begun.",
    GrantState.PARKED: (
        "Fix the cause in the tenant, then send the signal `retry`; or send `end` to give up. "
        "Neither needs input. The account is closed meanwhile."
    ),
    GrantState.OPEN: "**Request Cancellation** or the signal `end` closes the account within seconds.",
    GrantState.CLOSING: (
        "Nothing to do: the closing is repeated until the directory shows the account closed. "
        "**Pending Activities** shows the last answer and the next try."
    ),
}

MAY_BE_OPEN = {
    Proof.ABANDONED: "The account may be open: its closing was given up, and nothing proves it.",
    Proof.VANISHED: "The account is gone from the directory, not proven closed, and may be restored.",
    Proof.HELD: "The account is not proven closed: another grant holds it.",
}

NEVER = (
    "Never **Terminate** a grant: it could not close its account any more. "
    "Do not **Reset** it either: that has no effect."
)


def describe(status: GrantStatus, progress: GrantProgress) -> str:
    """The current details, in Markdown."""
    asked = progress.asked
    lines = _head(status)
    lines += [f"- **Alarm**: {escape(alarm)}" for alarm in progress.alarms]
    for note, times in progress.notes.items():
        lines.append(f"- **Note**: {escape(note)}{f' ({times} times)' if times > 1 else ''}")
    rows = [
        ("Technician", status.technician),
        ("Tenant", status.tenant),
        ("Account", status.account_name),
        ("Asked for", ", ".join(status.wanted or ())),
        ("Access", ", ".join(item.words for item in status.access)),
        ("Replay of", status.replay_of),
        ("Reason", asked.request.reason if asked else None),
        ("Ticket", asked.request.ticket if asked else None),
        ("Opened", status.opened_at and format_moment(status.opened_at)),
        ("Expires", status.expires_at and format_moment(status.expires_at)),
    ]
    lines += [f"- {name}: {escape(value)}" for name, value in rows if value]
    if status.proof and status.may_be_open:
        lines += ["", f"**{MAY_BE_OPEN[status.proof]}** The reconciler closes it when it can."]
    if status.state.is_final:
        lines += ["", "This grant is over. **Reset** cannot open it again; request a new one."]
    else:
        lines += ["", WHAT_TO_DO[status.state], "", NEVER]
    return "\n".join(lines)


def _head(status: GrantStatus) -> list[str]:
    """The state as a heading, and its sentence: in the heading where it is the longer word for it, else below."""
    state, sentence = status.state.value.capitalize(), escape(status.sentence)
    return [f"### {sentence}"] if sentence.startswith(state) else [f"### {state}", sentence, ""]
