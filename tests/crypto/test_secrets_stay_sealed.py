"""A sealed secret opens for its owner alone, and neither secret nor key is ever shown.

A sealed credential that opens for another grant, or after its row was changed, gives one customer's access to each
person who can write to the database.
"""

from __future__ import annotations

import base64
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from entra_jit.crypto import sealing
from entra_jit.crypto.keyring import Keyring, Purpose, UnknownKeyError
from entra_jit.crypto.passwords import CLASSES, LENGTH, new_password
from entra_jit.crypto.sealing import ENCAPSULATED_BYTES, SealBrokenError, Sealed

OLD, NEW = "old:" + "A" * 43 + "=", "new:" + "B" * 43 + "="
KEYRING = Keyring.parse(OLD)
PURPOSE = Purpose.TECHNICIAN_CREDENTIAL
texts = st.text(max_size=200)


def seal(keyring: Keyring, secret: SecretStr, owner: str) -> Sealed:
    return sealing.seal(keyring, PURPOSE, secret, owner)


def unseal(keyring: Keyring, sealed: Sealed, owner: str) -> SecretStr:
    return sealing.unseal(keyring, PURPOSE, sealed, owner)


@given(texts, texts)
def test_it_opens_for_whom_it_was_sealed(secret: str, owner: str) -> None:
    assert unseal(KEYRING, seal(KEYRING, SecretStr(secret), owner), owner).get_secret_value() == secret


@given(texts, texts, texts)
def test_it_opens_for_nobody_else(secret: str, owner: str, other: str) -> None:
    sealed = seal(KEYRING, SecretStr(secret), owner)
    if other != owner:
        with pytest.raises(SealBrokenError):
            unseal(KEYRING, sealed, other)


@given(texts, st.data())
def test_any_bit_changed_or_lost_is_noticed(secret: str, data: st.DataObject) -> None:
    sealed = seal(KEYRING, SecretStr(secret), "grant r-1")
    content = bytearray(sealed.ciphertext)
    bit = data.draw(st.integers(0, len(content) * 8 - 1))
    content[bit // 8] ^= 1 << bit % 8
    for changed in (bytes(content), sealed.ciphertext[: data.draw(st.integers(0, len(content) - 1))]):
        with pytest.raises(SealBrokenError):
            unseal(KEYRING, Sealed(sealed.key_id, changed), "grant r-1")


def test_a_rotation_opens_the_old_and_seals_with_the_new_key() -> None:
    sealed = seal(KEYRING, SecretStr("unmistakable"), "grant r-1")
    rotated = Keyring.parse(f"{NEW},{OLD}")
    assert unseal(rotated, sealed, "grant r-1").get_secret_value() == "unmistakable"
    assert seal(rotated, SecretStr("x"), "grant r-1").key_id == "new"
    with pytest.raises(UnknownKeyError, match="no key 'old'"):
        unseal(Keyring.parse(NEW), sealed, "grant r-1")
    with pytest.raises(SealBrokenError):
        unseal(rotated, Sealed("new", sealed.ciphertext), "grant r-1")


def test_the_same_secret_never_looks_the_same_twice() -> None:
    """A key that is encapsulated twice gives both secrets away."""
    sealed = [seal(KEYRING, SecretStr("unmistakable"), "grant r-1").ciphertext for _ in range(200)]
    assert len({one[:ENCAPSULATED_BYTES] for one in sealed}) == len(sealed)


def test_neither_secret_nor_key_is_in_anything_that_is_printed() -> None:
    sealed = seal(KEYRING, SecretStr("unmistakable"), "grant r-1")
    shown = [repr(sealed), repr(KEYRING), repr(unseal(KEYRING, sealed, "grant r-1"))]
    for attempt in (
        lambda: unseal(KEYRING, sealed, "grant r-2"),
        lambda: unseal(KEYRING, Sealed("old", sealed.ciphertext[:20]), "grant r-1"),
        lambda: unseal(KEYRING, Sealed("gone", sealed.ciphertext), "grant r-1"),
    ):
        with pytest.raises((SealBrokenError, UnknownKeyError)) as refused:
            attempt()
        shown += [repr(refused.value), "".join(traceback.format_exception(refused.value))]
    keys = [base64.b64decode("A" * 43 + "="), KEYRING.private("old", PURPOSE)]
    for text in shown:
        assert "unmistakable" not in text
        assert "A" * 43 not in text
        assert all(repr(key) not in text and key.hex() not in text for key in keys)


def test_every_password_is_one_that_entra_takes_and_no_two_are_equal() -> None:
    """Entra refuses passwords of fewer than three classes; a refused password leaves the old one standing."""
    passwords = [new_password() for _ in range(500)]
    plain = [password.get_secret_value() for password in passwords]
    assert len(set(plain)) == len(plain)
    for password in plain:
        assert len(password) == LENGTH
        assert all(set(password) & set(characters) for characters in CLASSES)
        assert set(password) <= set("".join(CLASSES))
    assert plain[0] not in repr(passwords[0]) + str(passwords[0])
