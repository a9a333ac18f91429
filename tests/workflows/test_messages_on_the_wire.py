"""Messages outlive the code that sent them, and errors about them outlive both.

A field that an older worker refuses loses a signal during a rolling upgrade; an error that quotes its input writes that
input into histories and logs; a message that can be changed is not what was signed.
"""

from __future__ import annotations

import dataclasses
import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from entra_jit.temporal.plugin import QuietPayloadConverter
from models import messages
from models.actor import Actor
from models.message import Message
from models.messages import (
    FINAL_STATES,
    AccessItem,
    AccessKind,
    AccessRequest,
    Ending,
    Extension,
    Grant,
    GrantState,
    GrantStatus,
    SignedAccessRequest,
    Standing,
)
from models.plain_text import plain
from workflows.details import WHAT_TO_DO

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL = [
    one for _, one in inspect.getmembers(messages, inspect.isclass) if issubclass(one, Message) and one is not Message
]

sentences = st.text(min_size=1, max_size=80).filter(plain)
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
moments = st.timedeltas(timedelta(days=-300), timedelta(days=300)).map(lambda since: NOON + since)
requests = st.builds(
    AccessRequest,
    request_id=names,
    tenant=names,
    technician=names,
    reason=sentences,
    duration=st.none() | st.timedeltas(timedelta(0), timedelta(days=7)),
    asked_at=moments,
)


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.__name__)
def test_every_message_is_frozen_lenient_and_quiet(message: type[BaseModel]) -> None:
    assert message.model_config["frozen"] is True
    assert message.model_config["extra"] == "ignore"
    assert message.model_config["hide_input_in_errors"] is True


@given(requests, st.dictionaries(st.text(min_size=20, max_size=30), st.integers() | st.text()))
def test_what_a_newer_version_adds_is_ignored(request: AccessRequest, additions: dict[str, Any]) -> None:
    newer = {**request.model_dump(mode="json"), **additions}
    assert AccessRequest.model_validate(newer) == request


def test_a_message_cannot_be_changed() -> None:
    request = AccessRequest(request_id="r", tenant="t", technician="a", reason="r", asked_at=NOON)
    with pytest.raises(ValidationError, match="frozen"):
        request.reason = "another"  # type: ignore[misc]


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.__name__)
def test_a_wrong_message_is_not_quoted(message: type[BaseModel]) -> None:
    wrong = {field: {"unmistakable": "unmistakable"} for field in message.model_fields}
    with pytest.raises(ValidationError) as refused:
        message.model_validate(wrong)
    assert "unmistakable" not in str(refused.value)


@given(st.binary(max_size=60) | st.just(b'{"request": "unmistakable"}'))
def test_an_unreadable_payload_is_refused_without_being_quoted(data: bytes) -> None:
    """Anybody in the namespace can send a signal; the failure to read it is logged and shown."""
    converter = QuietPayloadConverter()
    payload = converter.to_payloads([1])[0]
    payload.data = data
    with pytest.raises(ValueError, match=r"^a message could not be read as SignedAccessRequest$") as refused:
        converter.from_payloads([payload], [SignedAccessRequest])
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@given(requests)
def test_messages_survive_the_trip(request: AccessRequest) -> None:
    converter = QuietPayloadConverter()
    assert converter.from_payloads(converter.to_payloads([request]), [AccessRequest]) == [request]


@pytest.mark.parametrize("naive", ["2026-11-23T12:00:00", "tomorrow", ""])
def test_a_moment_without_a_time_zone_is_refused(naive: str) -> None:
    """Two machines would read it as two moments."""
    with pytest.raises(ValidationError):
        Extension.model_validate({"request_id": "r", "expires_at": naive, "reason": "r"})


@pytest.mark.parametrize(
    "wrong", ["", "-x", "a b", "a/b", "A/b/c", "a/../c", "a/b/c/d", "a/b/", "x" * 251, "ä", "a;b", "a\n"]
)
def test_an_id_that_could_be_read_as_something_else_is_refused(wrong: str) -> None:
    """It stands in a workflow's id, in addresses and in the mark on the account."""
    with pytest.raises(ValidationError):
        AccessRequest(request_id=wrong, tenant="t", technician="a", reason="r", asked_at=NOON)


def test_every_state_that_is_not_final_says_what_can_be_done() -> None:
    """The page of a grant is all that an administrator has at night."""
    assert set(WHAT_TO_DO) == set(GrantState) - FINAL_STATES
    assert {state for state in GrantState if state.is_final} == FINAL_STATES


@given(st.sampled_from(sorted(FINAL_STATES)), sentences, st.none() | sentences)
def test_every_ending_is_a_sentence(state: GrantState, by: str, reason: str | None) -> None:
    said = Ending(state=state, by=Actor.claimed(by), reason=reason).sentence
    assert said[0].isupper()
    assert reason is None or reason in said


items = st.builds(AccessItem, kind=st.sampled_from(AccessKind), id=names, name=names)


@given(st.booleans(), st.lists(items), st.lists(names))
def test_closed_means_that_nothing_is_left(enabled: bool, access: list[AccessItem], methods: list[str]) -> None:
    standing = Standing(exists=True, enabled=enabled, access=tuple(access), sign_in_methods=tuple(methods))
    assert standing.is_closed == (not enabled and not access and not methods)


HANDLES = {(one, "credential") for one in ("EmergencyAccountView", "EmergencyCredentialRef", "KitAccount")}
"""What they name stays sealed in the ledger."""


def test_no_message_has_a_place_for_a_secret() -> None:
    """What is in a message is in a history, for as long as the namespace keeps it."""
    words = ("password", "secret", "token", "passcode", "credential")
    fields = {(one.__name__, name) for one in ALL for name in one.model_fields}
    assert {field for field in fields if any(word in field[1].lower() for word in words)} == HANDLES
    assert not any(dataclasses.is_dataclass(one) for one in (Grant, GrantStatus))
