"""The deployment's keys: read without being quoted, rotated without losing what they signed.

A key in an error message is in every log. A rotation that invalidates what the old key signed makes our own accounts
strangers: they could no longer be opened, and every grant under way would be refused.
"""

from __future__ import annotations

import base64
import pickle
import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.crypto.keyring import KEY_BYTES, Keyring, Purpose, UnknownKeyError
from models.errors import SettingsError

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
key_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True)
signing = st.sampled_from([purpose for purpose in Purpose if purpose.signs])
SECRET = base64.b64encode(b"an unmistakable secret of 32 B..").decode()


def setting(*entries: tuple[str, bytes]) -> str:
    return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in entries)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        SECRET,
        f":{SECRET}",
        f"{SECRET}:k1",
        f"k1:{SECRET[:-4]}",
        f"k1:{SECRET}{SECRET}",
        f"k1:{SECRET}\N{EURO SIGN}",
        f"k1={SECRET}",
        f"k1:{SECRET},",
        f"k1:{SECRET};k2:{SECRET}",
        f"k;1:{SECRET}",
        f"{'k' * 41}:{SECRET}",
        f"k1:{SECRET},k1:{SECRET}",
    ],
)
def test_a_wrong_setting_is_named_and_never_quoted(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"^ENTRA_JIT_KEYS: entry \d") as refused:
        Keyring.parse(wrong)
    assert SECRET[:8] not in "".join(traceback.format_exception(refused.value))


@given(st.text(max_size=120))
def test_any_text_is_keys_or_a_refusal(text: str) -> None:
    with suppress(SettingsError):
        assert Keyring.parse(text).ids


@given(key_ids, keys)
def test_a_keyring_shows_ids_and_no_keys(key_id: str, key: bytes) -> None:
    keyring = Keyring.parse(setting((key_id, key)))
    shown = f"{keyring!r} {keyring!s}"
    assert key_id in shown
    assert base64.b64encode(key).decode() not in shown
    assert repr(key) not in shown


@given(signing, keys, keys, st.text())
def test_what_the_old_key_signed_is_valid_after_a_rotation_and_signed_anew_with_the_new(
    purpose: Purpose, old: bytes, new: bytes, content: str
) -> None:
    before = Keyring.parse(setting(("old", old)))
    after = Keyring.parse(setting(("new", new), ("old", old)))

    assert after.verify("old", purpose, content, before.sign(purpose, content))
    assert after.active_id == "new"
    assert after.verify("new", purpose, content, after.sign(purpose, content))


@given(signing, keys, keys, st.text())
def test_what_a_removed_key_signed_is_invalid(purpose: Purpose, old: bytes, new: bytes, content: str) -> None:
    """Removing a key is what an operator does after it leaked: nothing it signs may be believed again."""
    signature = Keyring.parse(setting(("old", old))).sign(purpose, content)
    after = Keyring.parse(setting(("new", new)))

    assert not after.verify("old", purpose, content, signature)
    if old != new:
        assert not after.verify("new", purpose, content, signature)
    with pytest.raises(UnknownKeyError, match="no key 'old'; add it to ENTRA_JIT_KEYS"):
        after.private("old", purpose)


@given(signing, signing, keys, st.text())
def test_a_signature_for_one_purpose_is_none_for_another(
    purpose: Purpose, other: Purpose, key: bytes, content: str
) -> None:
    """Else an owner tag, which every user of the tenant can read, could be replayed as something else."""
    keyring = Keyring.parse(setting(("k", key)))
    assert keyring.verify("k", other, content, keyring.sign(purpose, content)) == (purpose is other)


@given(keys, st.text(), st.text(st.characters()))
def test_nonsense_for_a_signature_is_just_invalid(key: bytes, content: str, nonsense: str) -> None:
    """Signatures are read from customers' directories: one that raised would keep an account from being closed."""
    keyring = Keyring.parse(setting(("k", key)))
    if nonsense != keyring.sign(Purpose.OWNER_TAG, content):
        assert not keyring.verify("k", Purpose.OWNER_TAG, content, nonsense)
    assert not keyring.verify("k", Purpose.OWNER_TAG, content, "\ud800")
    assert not keyring.verify("k", Purpose.OWNER_TAG, "\ud800", nonsense)


def test_an_error_about_a_key_does_not_hold_it() -> None:
    """Errors travel between processes and into Temporal's histories."""
    keyring = Keyring.parse(f"k1:{SECRET}")
    with pytest.raises(UnknownKeyError) as refused:
        keyring.private("gone", Purpose.HISTORY)
    shown = repr(pickle.dumps(refused.value.args)) + "".join(traceback.format_exception(refused.value))
    assert SECRET[:8] not in shown
