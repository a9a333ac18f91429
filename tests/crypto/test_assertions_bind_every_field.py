"""An assertion is valid for one message, one actor and one moment.

Signed messages are readable in the Temporal namespace. If a field could be changed and the signature still held, an
attacker could stretch a grant, point it at another tenant, or put another technician's name under it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from entra_jit.crypto.assertions import CLOCK_SKEW, LIFETIME, ForgedAssertionError, assert_actor, is_ours, verify_actor
from entra_jit.crypto.keyring import Keyring
from models.actor import Actor, ActorKind, Via
from models.message import Message
from models.messages import AccessRequest, Assertion, Extension, SignedAccessRequest
from models.plain_text import plain

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEYS = ",".join(f"k{number}:{chr(65 + number) * 43}=" for number in range(2))
KEYRING = Keyring.parse(KEYS)

names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
sentences = st.text(min_size=1, max_size=60).filter(plain)
moments = st.timedeltas(timedelta(days=-300), timedelta(days=300)).map(lambda since: NOON + since)
requests = st.builds(
    AccessRequest,
    request_id=names,
    tenant=names,
    technician=names,
    reason=sentences,
    ticket=st.none() | names,
    duration=st.none() | st.timedeltas(timedelta(0), timedelta(days=7)),
    access=st.none() | st.lists(names, max_size=3).map(tuple),
    asked_at=moments,
    replay_of=st.none() | names,
)
actors = st.builds(
    Actor, kind=st.sampled_from(ActorKind), id=st.text(max_size=60), name=sentences, via=st.sampled_from(Via)
)
ALEX = Actor(kind=ActorKind.PERSON, id="a1e0", name="alex", via=Via.PORTAL)
extensions = st.builds(Extension, request_id=names, expires_at=moments, reason=sentences)
messages = requests | extensions


@given(messages, actors, moments)
def test_the_actor_is_believed_after_any_number_of_trips_over_the_wire(
    message: Message, actor: Actor, at: datetime
) -> None:
    assertion = assert_actor(KEYRING, actor, message, at)
    as_read = assertion.actor
    for _ in range(2):
        message = type(message).model_validate_json(message.model_dump_json())
        assertion = Assertion.model_validate_json(assertion.model_dump_json())
    assert verify_actor(KEYRING, assertion, message, at) == as_read


def _with_one_field_changed(one: BaseModel, other: BaseModel) -> list[Any]:
    """``one`` once for each field in which ``other`` differs, with that field taken from it."""
    return [
        one.model_copy(update={name: getattr(other, name)})
        for name in type(one).model_fields
        if getattr(one, name) != getattr(other, name)
    ]


@given(st.one_of(st.tuples(requests, requests), st.tuples(extensions, extensions)), actors)
def test_any_field_of_the_message_changed_breaks_it(pair: tuple[Message, Message], actor: Actor) -> None:
    message, other = pair
    assertion = assert_actor(KEYRING, actor, message, NOON)
    for changed in _with_one_field_changed(message, other):
        with pytest.raises(ForgedAssertionError, match="valid signature"):
            verify_actor(KEYRING, assertion, changed, NOON)


@given(messages, actors, actors, moments)
@example(
    AccessRequest(request_id="r", tenant="t", technician="a", reason="r", asked_at=NOON),
    ALEX,
    ALEX.model_copy(update={"name": f"alex\n{NOON.isoformat()}"}),
    NOON + timedelta(seconds=1),
)
def test_any_field_of_the_assertion_changed_breaks_it(
    message: Message, actor: Actor, other_actor: Actor, other_moment: datetime
) -> None:
    assertion = assert_actor(KEYRING, actor, message, NOON)
    other = Assertion(actor=other_actor, issued_at=other_moment, key_id="k1", signature=assertion.signature[::-1])
    for changed in _with_one_field_changed(assertion, other):
        assert not is_ours(KEYRING, changed, message)


def test_every_field_was_tried() -> None:
    """A field that the signature leaves out must not escape by being equal in both examples."""
    one = AccessRequest(request_id="a", tenant="a", technician="a", reason="a", asked_at=NOON)
    other = AccessRequest(
        request_id="b",
        tenant="b",
        technician="b",
        reason="b",
        ticket="b",
        duration=timedelta(hours=1),
        access=("b",),
        asked_at=NOON + timedelta(microseconds=1),
        replay_of="b",
    )
    assert len(_with_one_field_changed(one, other)) == len(AccessRequest.model_fields)
    assertion = assert_actor(KEYRING, ALEX, one, NOON)
    assert is_ours(KEYRING, assertion, one)
    assert not any(is_ours(KEYRING, assertion, changed) for changed in _with_one_field_changed(one, other))


def test_what_was_signed_before_a_field_existed_is_still_believed() -> None:
    """An upgrade in the middle of a grant must not turn its request into a forgery: nobody could settle it."""
    known = {name: (field.annotation, field) for name, field in AccessRequest.model_fields.items()}
    del known["replay_of"]
    before = create_model("AccessRequest", __base__=Message, **known)  # type: ignore[call-overload]
    request = AccessRequest(request_id="r", tenant="t", technician="a", reason="r", asked_at=NOON)
    old = assert_actor(KEYRING, ALEX, before.model_validate(request.model_dump(exclude={"replay_of"})), NOON)
    assert is_ours(KEYRING, old, request)
    assert not is_ours(KEYRING, old, request.model_copy(update={"replay_of": "another"}))


@given(names, moments, sentences)
def test_a_signature_under_one_kind_of_message_is_none_under_another(
    request_id: str, at: datetime, reason: str
) -> None:
    class EndOrExtend(Message):
        request_id: str
        expires_at: datetime
        reason: str

    extension = Extension(request_id=request_id, expires_at=at, reason=reason)
    alike = EndOrExtend(**extension.model_dump())
    assert alike.model_dump_json() == extension.model_dump_json()
    assert not is_ours(KEYRING, assert_actor(KEYRING, ALEX, extension, NOON), alike)


@given(messages, st.timedeltas(timedelta(hours=-12), timedelta(hours=12)))
def test_an_assertion_is_believed_for_an_hour_and_a_little_clock_skew(message: Message, age: timedelta) -> None:
    """An old signal that is sent again must not open access long after its time."""
    assertion = assert_actor(KEYRING, ALEX, message, NOON)
    if -CLOCK_SKEW <= age <= LIFETIME:
        assert verify_actor(KEYRING, assertion, message, NOON + age) == ALEX
    else:
        with pytest.raises(ForgedAssertionError, match="signed at"):
            verify_actor(KEYRING, assertion, message, NOON + age)
    assert is_ours(KEYRING, assertion, message), "a settlement proves itself however long the grant was open"


@given(messages)
def test_another_deployments_signature_is_none(message: Message) -> None:
    theirs = Keyring.parse(f"k0:{'Z' * 42}8=")
    assertion = assert_actor(theirs, ALEX, message, NOON)
    with pytest.raises(ForgedAssertionError):
        verify_actor(KEYRING, assertion, message, NOON)


@given(requests)
def test_an_old_key_that_is_kept_still_verifies_and_one_that_is_gone_does_not(message: AccessRequest) -> None:
    old, new = KEYS.split(",")
    assertion = assert_actor(Keyring.parse(old), ALEX, message, NOON)
    assert is_ours(Keyring.parse(f"{new},{old}"), assertion, message)
    assert not is_ours(Keyring.parse(new), assertion, message)


def test_a_forged_message_is_refused_without_repeating_it() -> None:
    """The refusal is shown in Temporal; the reason of a stranger's message has no business there."""
    message = AccessRequest(request_id="r", tenant="t", technician="a", reason="unmistakable", asked_at=NOON)
    signed = SignedAccessRequest(request=message, assertion=assert_actor(KEYRING, ALEX, message, NOON))
    changed = message.model_copy(update={"tenant": "u"})
    with pytest.raises(ForgedAssertionError) as refused:
        verify_actor(KEYRING, signed.assertion, changed, NOON)
    assert "unmistakable" not in str(refused.value)
    assert signed.assertion.signature not in str(refused.value)
