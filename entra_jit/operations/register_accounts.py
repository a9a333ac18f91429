"""Enter accounts in the register again that a lost ledger has forgotten, by the owner tags that they carry."""

from __future__ import annotations

from uuid import UUID

from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.managed_account import Holder
from entra_jit.app import App
from entra_jit.crypto.marks import OWNER_TAG_ATTRIBUTE, Register, read_owner_tag, tag_prefix
from entra_jit.graph import User
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import accounts, configuration, emergency
from entra_jit.ledger.accounts import NameTakenError
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.marks import EMERGENCY_NAMES, AccountKind
from models.message import Message
from models.messages import ObjectId, TechnicianId, TenantId


class Unregistered(Message):
    """An account that carries our owner tag, and that the register does not have."""

    account_name: str
    object_id: ObjectId
    technician: str | None = None
    """Whose it is, by the tag; None if the configuration does not know that technician."""
    because: str | None = None
    """Why it cannot be registered; None: it can, or was."""


@asks(Verb.REGISTER_ACCOUNTS)
async def register_accounts(actor: Actor, app: App, tenant: str, *, do: bool) -> list[Unregistered]:
    """What the tenant's directory has of ours and the register has not; entered in it only if ``do``. Idempotent.

    An account that is open is not entered: reconcile first, so that it is closed when it counts as ours again.
    Raises ``NotFoundError``.
    """
    async with app.ledger.transaction() as session:
        tenant_id = TenantId(str((await find_tenant(session, tenant)).id))
        registered = await accounts.object_ids(session, tenant_id)
    directory = await app.directories.of(tenant_id, Purpose.REVOKE)
    prefix = tag_prefix(app.settings.installation)
    tagged = [user async for user in directory.users.tagged(OWNER_TAG_ATTRIBUTE, prefix) if user.id not in registered]
    # The list lags; what is registered as closed must be closed.
    users = [await directory.users.get(user.id) for user in tagged]
    return [await _register(actor, app, tenant_id, user, do=do) for user in users]


async def _register(actor: Actor, app: App, tenant_id: TenantId, user: User, *, do: bool) -> Unregistered:
    name = user.user_principal_name
    found = Unregistered(account_name=name, object_id=user.id)
    owner = read_owner_tag(app.keyring, user.extension_attributes.get(OWNER_TAG_ATTRIBUTE), tenant_id, name)
    if owner is None or owner.installation != app.settings.installation:
        return found.model_copy(update={"because": "its owner tag is broken, or belongs to another account"})
    if AccountKind.of(owner.technician_id) is AccountKind.EMERGENCY:
        return await _register_emergency(actor, app, tenant_id, user, owner.technician_id, do=do)
    async with app.ledger.transaction() as session:
        names = await configuration.names_now(session, UUID(tenant_id), UUID(owner.technician_id))
    if names is None:
        because = f"the configuration has no active technician {owner.technician_id}"
        return found.model_copy(update={"because": because})
    found = found.model_copy(update={"technician": names[1]})
    holder = Holder(tenant_id, owner.technician_id, name)
    judged = app.inspect(user, holder, Register.SILENT)
    if judged.protected:
        return found.model_copy(update={"because": f"it {judged.protected}"})
    if user.account_enabled:
        return found.model_copy(update={"because": "it is open; reconcile first"})
    if do:
        try:
            async with app.ledger.transaction() as session:
                await accounts.register(session, tenant_id, owner.technician_id, name, user.id, actor, app.clock())
        except NameTakenError as error:
            return found.model_copy(update={"because": str(error)})
    return found


async def _register_emergency(
    actor: Actor, app: App, tenant_id: TenantId, user: User, technician_id: TechnicianId, *, do: bool
) -> Unregistered:
    """Enter it as it is, open: the account itself is not touched. Its next rotation gives it a key that we have."""
    name = user.user_principal_name
    found = Unregistered(account_name=name, object_id=user.id, technician=EMERGENCY_NAMES[technician_id])
    if refusal := app.inspect(user, Holder(tenant_id, technician_id, name), Register.NAMES_IT).why_not_ours():
        return found.model_copy(update={"because": refusal})
    if do:
        number = list(EMERGENCY_NAMES).index(technician_id) + 1
        try:
            async with app.ledger.transaction() as session:
                await emergency.intend(session, Holder(tenant_id, technician_id, name), number, app.clock())
                await accounts.register(session, tenant_id, technician_id, name, user.id, actor, app.clock())
        except NameTakenError as error:
            return found.model_copy(update={"because": str(error)})
    return found
