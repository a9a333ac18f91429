"""What comes with a message never raises: a handler that does fails its workflow's task, again and again.

And what is kept of it goes into receipts, lists and terminals, so it is one line of bounded length, without control
characters.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from entra_jit.crypto.keyring import Keyring
from entra_jit.temporal.codec import ENCODING, KEY_ID, SealingCodec, StillSealedError
from entra_jit.temporal.plugin import QuietPayloadConverter
from models.actor import UNNAMED
from models.messages import LONGEST_SENTENCE, EndAccess, SignedAccessRequest, SignedExtension
from workflows.inputs import Heard, read_ending, read_message

encodings = st.sampled_from(
    [
        b"json/plain",
        b"binary/plain",
        b"binary/null",
        b"json/protobuf",
        b"binary/protobuf",
        b"binary/encrypted",
        ENCODING,
    ]
)
payloads = st.builds(
    lambda metadata, encoding, data: Payload(metadata={**metadata, **encoding}, data=data),
    st.dictionaries(st.sampled_from([KEY_ID, "messageType", "other"]), st.binary(max_size=20), max_size=3),
    st.builds(lambda encoding: {"encoding": encoding}, encodings | st.binary(max_size=10)) | st.just({}),
    st.binary(max_size=80) | st.text(max_size=80).map(str.encode) | st.just(b"[" * 5000),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | payloads.map(RawValue),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["by", "reason", "request", "assertion", "extension"]) | st.text(), inner)
    ),
    max_leaves=8,
)


def codec() -> SealingCodec:
    return SealingCodec(Keyring.parse("test-1:" + b64encode(b"k" * 32).decode()), seals=True)


@given(st.lists(payloads, max_size=4))
def test_what_no_type_is_expected_of_is_always_handed_over(sent: list[Payload]) -> None:
    decoded = asyncio.run(codec().decode(sent))
    values = QuietPayloadConverter().from_payloads(decoded)
    assert len(values) == len(sent)
    read_ending(values)


@given(st.lists(anything, max_size=4))
def test_every_end_is_an_end_and_says_at_most_a_line(inputs: list[object]) -> None:
    heard = read_ending(inputs)
    for said in (heard.by.name, heard.reason or "-"):
        assert 0 < len(said) <= LONGEST_SENTENCE
        assert said.isprintable()
    assert read_message(SignedAccessRequest, inputs) is None
    assert read_message(SignedExtension, inputs) is None


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_what_our_own_command_line_sends_is_kept(by: str, reason: str) -> None:
    heard = read_ending([{"by": f"kim {by}", "reason": f"done {reason}", "more": 7}])
    assert heard.is_whole
    assert heard.by.name.startswith("kim")
    assert (heard.reason or "").startswith("done")


def test_nothing_is_nothing() -> None:
    assert read_ending([]) == read_ending([None]) == read_ending([{}]) == Heard(UNNAMED)


def test_a_sentence_cut_within_a_character_is_still_one() -> None:
    assert read_ending(["x" + "ü" * 9_000]).reason == "x" + "ü" * (LONGEST_SENTENCE - 1)
    as_bytes = ("x" + "ü" * 9_000).encode()
    assert read_ending([as_bytes]) == read_ending([as_bytes.decode()])


async def test_what_is_needed_and_sealed_with_a_lost_key_says_so() -> None:
    [sealed] = await codec().encode(
        QuietPayloadConverter().to_payloads([EndAccess(request_id="r", reason="unmistakable")])
    )
    other = SealingCodec(Keyring.parse("test-2:" + b64encode(b"o" * 32).decode()), seals=True)
    [still_sealed] = await other.decode([sealed])
    assert still_sealed == sealed
    with pytest.raises(StillSealedError, match="'test-1': it is not in ENTRA_JIT_KEYS, or the seal is broken"):
        QuietPayloadConverter().from_payloads([still_sealed], [EndAccess])
