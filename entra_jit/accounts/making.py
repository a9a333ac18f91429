"""Making an account of ours: disabled, with the owner tag that says whose it is, and a password that opens nothing."""

from __future__ import annotations

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.managed_account import Holder
from entra_jit.crypto.marks import OWNER_TAG_ATTRIBUTE, Owner, write_owner_tag
from entra_jit.crypto.passwords import new_password
from entra_jit.graph import ConflictError, CreatedUser, NewUser, Tenant
from models.errors import ReadBackDisagreesError


async def make_account(backend: Backend, tenant: Tenant, holder: Holder, display_name: str) -> CreatedUser:
    """Raises ``ReadBackDisagreesError`` where the name is taken, perhaps by our own lost write: look, and try again."""
    owner = Owner(backend.settings.installation, holder.technician_id)
    tag = write_owner_tag(backend.keyring, owner, holder.tenant_id, holder.account_name)
    new = NewUser(
        user_principal_name=holder.account_name,
        display_name=display_name,
        mail_nickname=holder.account_name.partition("@")[0],
        extension_attributes={OWNER_TAG_ATTRIBUTE: tag},
    )
    try:
        # This password is kept nowhere, so it is no way in.
        return await tenant.users.create(new, new_password())
    except ConflictError:
        raise ReadBackDisagreesError(f"{holder.account_name} exists already; looking whose it is.") from None
