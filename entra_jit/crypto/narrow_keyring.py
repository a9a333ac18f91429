"""A keyring for a process that must not have the deployment's keys: some private halves, some public ones, no more."""

from __future__ import annotations

import base64
from typing import ClassVar, Self

from pydantic import SecretStr

from entra_jit.crypto.keyring import KEY_BYTES, Keyring, Purpose, parse_keys
from models.errors import SettingsError


class KeyNotHeldError(SettingsError):
    """This process must not do it: it was given no key for that."""

    def __init__(self, holder: str, purpose: Purpose) -> None:
        super().__init__(
            f"the keys of the {holder} do not include the one for {purpose}; workers and operators hold it"
        )
        self.purpose = purpose


class NarrowKeyring(Keyring):
    """A ``Keyring`` that holds under each id what its class names, and no key from which others derive."""

    holder: ClassVar[str]
    """Which program it is for."""
    private_halves: ClassVar[tuple[Purpose, ...]] = ()
    public_halves: ClassVar[tuple[Purpose, ...]] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``derived`` wrote; raises ``SettingsError`` with a sentence that quotes nothing."""
        keys = parse_keys(text, cls.setting, KEY_BYTES * len(cls._parts()))
        return cls(active_id=next(iter(keys)), _keys=keys)

    @classmethod
    def derived(cls, keyring: Keyring) -> SecretStr:
        """What ``parse`` reads, from the deployment's keys."""
        entries = []
        for key_id in keyring.ids:
            private = [keyring.private(key_id, purpose) for purpose in cls.private_halves]
            public = [keyring.public(key_id, purpose) for purpose in cls.public_halves]
            entries.append(f"{key_id}:{base64.b64encode(b''.join([*private, *public])).decode()}")
        return SecretStr(",".join(entries))

    def private(self, key_id: str, purpose: Purpose) -> bytes:
        """Raises ``KeyNotHeldError`` for what this process must neither open nor sign."""
        if purpose not in self.private_halves:
            raise KeyNotHeldError(self.holder, purpose)
        return self._part(key_id, purpose)

    def public(self, key_id: str, purpose: Purpose) -> bytes:
        """Raises ``KeyNotHeldError`` for what this process has no business to verify or seal."""
        return self._part(key_id, purpose) if purpose in self.public_halves else super().public(key_id, purpose)

    @classmethod
    def _parts(cls) -> tuple[Purpose, ...]:
        return (*cls.private_halves, *cls.public_halves)

    def _part(self, key_id: str, purpose: Purpose) -> bytes:
        start = self._parts().index(purpose) * KEY_BYTES
        return self._held(key_id)[start : start + KEY_BYTES]


class PortalKeyring(NarrowKeyring):
    """What the portal must open and sign, and the public halves of what workers alone may open.

    The portal is the part that strangers can reach. With its environment and a copy of the ledger no tenant's
    credential, no sealed history and no emergency credential opens, and no operator's message can be signed.
    """

    setting = "ENTRA_JIT_PORTAL_KEYS"
    holder = "portal"
    private_halves = (Purpose.PORTAL_ASSERTION, Purpose.TECHNICIAN_CREDENTIAL)
    public_halves = (Purpose.TENANT_CREDENTIAL, Purpose.EMERGENCY_CREDENTIAL, Purpose.HISTORY)


class RevokerKeyring(NarrowKeyring):
    """What tells a mark of ours from a forged one. It opens nothing and signs nothing."""

    setting = "keys"
    holder = "revoker"
    public_halves = (Purpose.OWNER_TAG, Purpose.OPEN_UNTIL)
