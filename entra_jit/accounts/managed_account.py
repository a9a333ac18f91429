"""Telling our accounts from others: by the register and the signed marks together."""

from __future__ import annotations

from dataclasses import dataclass

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import (
    OPEN_UNTIL_ATTRIBUTE,
    OWNER_TAG_ATTRIBUTE,
    Ownership,
    Register,
    judge,
    read_open_until,
    read_owner_tag,
)
from entra_jit.graph import User
from models.marks import AccountKind, OpenUntil
from models.messages import Grant, TechnicianId, TenantId


@dataclass(frozen=True)
class FoundAccount:
    """An account as the directory holds it, whose it is, and what may be done with it."""

    user: User
    ownership: Ownership
    open_until: OpenUntil | None
    """The directory's mark, where its signature holds for this account."""
    protected: str | None
    """Why it may not be opened, nor touched at all unless we made it: synchronised, a guest, management-restricted."""
    kind: AccountKind = AccountKind.TECHNICIAN
    """What it is for, by whose it should be."""

    @property
    def may_be_closed(self) -> bool:
        """Closing it is ours to do.

        What the register names by its object id, we made. An administrator there may have made a guest of it
        since, and must not escape its closing by that. An emergency account is never closed, by any way of asking.
        """
        if self.kind is AccountKind.EMERGENCY:
            return False
        return self._is_registered or (self.ownership.may_be_closed and self.protected is None)

    def alarm(self) -> str | None:
        """How our account was changed from outside, in a sentence; None if it is as we made it."""
        name = self.user.user_principal_name
        if self._is_registered and self.protected:
            return f"{name} {self.protected}, which it was not when it was created. It was changed."
        if self.ownership is Ownership.TAG_BROKEN:
            return f"The owner tag of {name} is missing or broken. It was changed."
        return None

    @property
    def _is_registered(self) -> bool:
        return self.ownership in {Ownership.OURS, Ownership.TAG_BROKEN}

    def why_not_to_open(self) -> str | None:
        """The sentence that refuses an opening; None where it may be opened."""
        name = self.user.user_principal_name
        if self.kind is AccountKind.EMERGENCY:
            return f"{name} is an emergency account; its own workflow alone touches it."
        return self.why_not_ours()

    def why_not_ours(self) -> str | None:
        """The sentence that says why it is not one that we may change; None where it is."""
        name = self.user.user_principal_name
        if self.protected:
            return f"{name} {self.protected}; entra-jit never touches such an account."
        return {
            Ownership.OURS: None,
            Ownership.TAG_BROKEN: (
                f"{name} is registered as ours, but its owner tag is missing or broken. Find out who changed it."
            ),
            Ownership.UNREGISTERED: (
                f"{name} carries our owner tag, but the ledger does not know it: was it restored from a backup? "
                "Look at the account, then: starter.py register"
            ),
            Ownership.FOREIGN: f"{name} is not ours and is never adopted. Choose another account_prefix.",
        }[self.ownership]


@dataclass(frozen=True)
class Holder:
    """Whose account it should be, and under which name it was made."""

    tenant_id: TenantId
    technician_id: TechnicianId
    account_name: str

    @classmethod
    def of(cls, grant: Grant) -> Holder:
        """The technician whose grant it is."""
        return cls(grant.tenant_id, grant.technician_id, grant.account_name)

    @property
    def kind(self) -> AccountKind:
        """What the account is for."""
        return AccountKind.of(self.technician_id)


def inspect(user: User, holder: Holder, register: Register, *, installation: str, keyring: Keyring) -> FoundAccount:
    """Judge ``user``, found under the account's name or by the id that the register has."""
    attributes = user.extension_attributes
    tag, mark = attributes.get(OWNER_TAG_ATTRIBUTE), attributes.get(OPEN_UNTIL_ATTRIBUTE)
    owner = read_owner_tag(keyring, tag, holder.tenant_id, holder.account_name)
    return FoundAccount(
        user=user,
        ownership=judge(register, owner=owner, installation=installation, technician_id=holder.technician_id),
        open_until=read_open_until(keyring, mark, holder.tenant_id, user.id, holder.kind),
        protected=_protected(user),
        kind=holder.kind,
    )


def _protected(user: User) -> str | None:
    if user.on_premises_sync_enabled:
        return "is synchronised from an on-premises directory"
    if user.is_guest:
        return "is a guest"
    if user.is_management_restricted:
        return "is inside a restricted management administrative unit"
    return None
