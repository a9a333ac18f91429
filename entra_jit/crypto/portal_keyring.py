"""The keys of the portal's process: what it must open and sign, and the public halves of what workers alone may open.

The portal is the part that strangers can reach. With its environment and a copy of the ledger no tenant's credential,
no sealed history and no emergency credential opens, and no operator's message can be signed.
"""

from __future__ import annotations

import base64

from pydantic import SecretStr

from entra_jit.crypto.keyring import KEY_BYTES, Keyring, Purpose, parse_keys
from models.errors import SettingsError

_PRIVATE = (Purpose.PORTAL_ASSERTION, Purpose.TECHNICIAN_CREDENTIAL)
_PUBLIC = (Purpose.TENANT_CREDENTIAL, Purpose.EMERGENCY_CREDENTIAL, Purpose.HISTORY)
_PARTS = (*_PRIVATE, *_PUBLIC)


class KeyNotHeldError(SettingsError):
    """This process must not do it: it was given no key for that."""

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(f"the keys of the portal do not include the one for {purpose}; workers and operators hold it")
        self.purpose = purpose


class PortalKeyring(Keyring):
    """A ``Keyring`` that holds two private and three public keys under each id, and none from which others derive."""

    setting = "ENTRA_JIT_PORTAL_KEYS"

    @classmethod
    def parse(cls, text: str) -> PortalKeyring:
        """Read what ``portal_keys`` wrote; raises ``SettingsError`` with a sentence that quotes nothing."""
        keys = parse_keys(text, cls.setting, KEY_BYTES * len(_PARTS))
        return cls(active_id=next(iter(keys)), _keys=keys)

    def private(self, key_id: str, purpose: Purpose) -> bytes:
        """Raises ``KeyNotHeldError`` for what the portal must neither open nor sign."""
        if purpose not in _PRIVATE:
            raise KeyNotHeldError(purpose)
        return self._part(key_id, purpose)

    def public(self, key_id: str, purpose: Purpose) -> bytes:
        """Raises ``KeyNotHeldError`` for what the portal has no business to verify."""
        return self._part(key_id, purpose) if purpose in _PUBLIC else super().public(key_id, purpose)

    def _part(self, key_id: str, purpose: Purpose) -> bytes:
        start = _PARTS.index(purpose) * KEY_BYTES
        return self._held(key_id)[start : start + KEY_BYTES]


def portal_keys(keyring: Keyring) -> SecretStr:
    """The value of ``ENTRA_JIT_PORTAL_KEYS`` that goes with these keys of the deployment."""
    entries = []
    for key_id in keyring.ids:
        private = [keyring.private(key_id, purpose) for purpose in _PRIVATE]
        public = [keyring.public(key_id, purpose) for purpose in _PUBLIC]
        entries.append(f"{key_id}:{base64.b64encode(b''.join([*private, *public])).decode()}")
    return SecretStr(",".join(entries))
