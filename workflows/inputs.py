"""What came with a message, read as far as it can be.

Temporal takes any input from anyone in its namespace. The SDK drops a signal whose input it cannot convert, and where a
handler gets more inputs than it takes, or others than it expects, the workflow's task fails for ever. So every handler
takes whatever comes (``*inputs: object``): then the converter knows no types, and gives as a ``RawValue`` what it
cannot read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue

from models.actor import UNNAMED, Actor
from models.markdown import escape
from models.message import Message
from models.messages import LONGEST_SENTENCE, Assertion, SignedEnd, SignedRetry, WantedRetry
from models.plain_text import plain

TEXT = (b"json/", b"text/")
"""What encodings of text begin with; other bytes are no sentence, even where they happen to be letters."""

LONGEST_NAME = 50
"""Of a signal that is unknown, where its being ignored is told."""

Wanted = TypeVar("Wanted", bound=Message)


class TakesNoSignals:
    """A workflow that nothing is told: signals without a handler would be kept in the worker's memory, in silence."""

    @workflow.signal(dynamic=True, description="This workflow takes no signals.")
    def other_signal(self, name: str, _inputs: Sequence[RawValue]) -> None:
        """Ignore it, and say so."""
        workflow.set_current_details(f"A signal was ignored: {escape(name[:LONGEST_NAME])}. This workflow takes none.")


class Heard(NamedTuple):
    """What an ``end`` says, and whether all that came with it could be read."""

    by: Actor
    """Who it claims to be from. A workflow has no keys, so that it proves nothing; settling the grant does."""
    reason: str | None = None
    signed: SignedEnd | None = None
    """None: it was not sent by us."""
    is_whole: bool = True
    withdraws: bool = False
    """The request is withdrawn, and not the grant ended."""


def read_ending(inputs: Sequence[object]) -> Heard:
    """An ending, whatever came: its fields where it has them, sentences as its reason, each cut to length."""
    if signed := read_message(SignedEnd, inputs):
        reason = read_sentence(signed.ending.reason)
        return Heard(_claimed(signed.assertion), reason, signed, withdraws=signed.ending.withdraws)
    by: list[str] = []
    reasons: list[str] = []
    is_whole = True
    for value in inputs:
        fields = value if isinstance(value, dict) else {"reason": value}
        for kept, said in ((by, fields.get("by")), (reasons, fields.get("reason"))):
            if said is None:
                continue
            if sentence := read_sentence(said):
                kept.append(sentence)
            else:
                is_whole = False
    reason = "; ".join(dict.fromkeys(reasons))[:LONGEST_SENTENCE].strip() or None
    return Heard(Actor.claimed(by[0]) if by else UNNAMED, reason, is_whole=is_whole)


def read_retry(inputs: Sequence[object]) -> WantedRetry:
    """An ask to try again, whatever came."""
    if signed := read_message(SignedRetry, inputs):
        return WantedRetry(by=_claimed(signed.assertion), signed=signed)
    return WantedRetry(by=read_ending(inputs).by)


def _claimed(assertion: Assertion) -> Actor:
    name = read_sentence(assertion.actor.name)
    return Actor.claimed(name) if name else UNNAMED


def read_message(kind: type[Wanted], inputs: Sequence[object]) -> Wanted | None:
    """The first input that is such a message; None: there is none."""
    for value in inputs:
        try:
            return kind.model_validate(value)
        except ValidationError:
            continue
    return None


def read_sentence(value: object) -> str | None:
    """``value`` on one line, cut to length; None: it says nothing."""
    if isinstance(value, RawValue):
        encoding = value.payload.metadata.get("encoding", TEXT[0])
        value = value.payload.data if encoding.startswith(TEXT) else None
    if isinstance(value, bytes):
        # One character is at most four bytes; the last one may be cut in two.
        value = _decoded(value[: 4 * LONGEST_SENTENCE])
    if not isinstance(value, str):
        return None
    said = plain(value[: 4 * LONGEST_SENTENCE])[:LONGEST_SENTENCE].strip()
    return said if any(one.isalnum() for one in said) else None


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        return value[: error.start].decode() if error.end == len(value) and error.start else None
