"""Each failure has a class that says who must act, and each replay has one id.

A failure without a class reaches no one; one of the wrong class wakes a tenant's administrator at night for a bug of
ours. And two operators who replay the same grant under two ids open it twice.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from entra_jit.policy.failures import FailureClass, Kind, class_of
from entra_jit.policy.replaying import NoReplay, Replay, how_to_replay, id_of_replay
from models.errors import BadInputError
from models.messages import FailureType, GrantState, GrantStatus, RequestId
from models.names import request_id

ids = st.builds(
    request_id,
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", fullmatch=True),
)


@pytest.mark.parametrize("failure", [*FailureType, None])
def test_every_failure_is_somebodys(failure: FailureType | None) -> None:
    whose = class_of(failure)
    assert failure in Kind.parse(f" {whose.value.upper()} ").failures
    if failure is not None:
        assert Kind.parse(failure.value.lower()).failures == {failure}
        assert FailureType(failure.value) is failure


def test_no_failure_is_of_two_classes() -> None:
    counted = [failure for whose in FailureClass for failure in Kind.parse(whose).failures]
    assert len(counted) == len(set(counted)) == len(FailureType) + 1


@pytest.mark.parametrize("name", ["", "KeyError", "refused"])
def test_an_unknown_type_is_our_bug(name: str) -> None:
    assert class_of(FailureType(name)) is FailureClass.OUR_BUG


def test_a_kind_that_there_is_not_is_answered_with_all_that_there_are() -> None:
    with pytest.raises(BadInputError, match=r"tenant-refusal.*TransientError"):
        Kind.parse("nonsense")


@given(ids, st.integers(1, 5))
def test_a_line_of_replays_never_meets_itself_and_every_id_can_be_asked_with(first: str, length: int) -> None:
    line, replay_of = [first], None
    for _ in range(length):
        replay = id_of_replay(line[-1], replay_of)
        assert replay == id_of_replay(line[-1], replay_of), "whoever replays it, it is one request"
        assert TypeAdapter(RequestId).validate_python(replay) == replay
        replay_of = line[-1]
        line.append(replay)
    assert len(set(line)) == len(line)


def test_the_line_is_counted() -> None:
    assert id_of_replay("visit-1", None) == "visit-1.r1"
    assert id_of_replay("visit-1.r1", "visit-1") == "visit-1.r2"
    assert id_of_replay("visit-1.r9", "visit-1.r8") == "visit-1.r10"
    assert id_of_replay("visit-1.r1", None) == "visit-1.r1.r1", "somebody's own id, which only looks like a replay's"


@pytest.mark.parametrize("state", GrantState)
def test_what_is_over_on_purpose_or_open_is_not_replayed(state: GrantState) -> None:
    """And whatever it is, there is an answer."""
    how = how_to_replay(GrantStatus(request_id="r", state=state))
    replayed = {
        GrantState.PARKED: Replay.RETRY,
        GrantState.PREPARING: Replay.TRY_NOW,
        GrantState.CLOSING: Replay.TRY_NOW,
        GrantState.FAILED: Replay.ASK_ANEW,
        GrantState.EXPIRED: Replay.ASK_ANEW,  # for it was never opened
    }
    if state in replayed:
        assert how is replayed[state]
    else:
        assert isinstance(how, NoReplay)
        assert how.sentence.startswith("The grant r ")
