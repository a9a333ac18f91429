"""Sealing what Temporal keeps: with it on, names, reasons and tickets leave our processes as ciphertext alone."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import Sealed, seal_bytes, unseal_bytes
from models.errors import SettingsError

ENCODING = b"binary/entra-jit-sealed"
KEY_ID = "entra-jit-key-id"


class StillSealedError(SettingsError):
    """A payload is needed that could not be opened."""

    def __init__(self, payload: Payload) -> None:
        key_id = payload.metadata.get(KEY_ID, b"").decode(errors="replace")
        super().__init__(
            f"a message is sealed with the key {key_id[:40]!r}: it is not in ENTRA_JIT_KEYS, or the seal is broken"
        )


def is_sealed(payload: Payload) -> bool:
    """Whether a codec of ours has sealed the payload, or it says so."""
    return payload.metadata.get("encoding") == ENCODING


class SealingCodec(PayloadCodec):
    """Seals payloads to the deployment's active key; opens what any of its keys has sealed, and in the portal nothing.

    What is not sealed is passed on as it is, so sealing can be switched on and off while grants are open. So is what
    cannot be opened: a codec that raises fails the whole task of a workflow, again and again, over a payload whose
    value it may not need. Keys must be kept for as long as Temporal keeps histories.
    """

    def __init__(self, keyring: Keyring, *, seals: bool) -> None:
        """``seals`` False: only opens."""
        self._keyring = keyring
        self.seals = seals

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal each payload whole, its metadata included."""
        return [self._seal(payload) for payload in payloads] if self.seals else list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open what is sealed. What cannot be opened stays sealed; reading it raises ``StillSealedError``."""
        return [self._open(payload) for payload in payloads]

    def _seal(self, payload: Payload) -> Payload:
        sealed = seal_bytes(self._keyring, Purpose.HISTORY, payload.SerializeToString(), "payload")
        metadata = {"encoding": ENCODING, KEY_ID: sealed.key_id.encode()}
        return Payload(metadata=metadata, data=sealed.ciphertext)

    def _open(self, payload: Payload) -> Payload:
        if not is_sealed(payload):
            return payload
        try:
            sealed = Sealed(payload.metadata[KEY_ID].decode(), payload.data)
            return Payload.FromString(unseal_bytes(self._keyring, Purpose.HISTORY, sealed, "payload"))
        except Exception:
            return payload
