"""Give an operator what an offline kit is made of: one emergency credential a tenant, kept for the kit."""

from __future__ import annotations

from collections.abc import Sequence

from entra_jit.accounts.emergency.key_pair import usable
from entra_jit.app import App
from entra_jit.emergency_kit import Passkey
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import emergency, emergency_views
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._emergency_accounts import read_reader, reveal_alarm, sealed_to_reader
from entra_jit.operations._reasons import read_reason
from models.actor import Actor
from models.errors import NotFoundError
from models.messages import SealedPasskeys


@asks(Verb.MAKE_EMERGENCY_KIT)
@at_a_worker
async def make_emergency_kit(
    actor: Actor, app: App, tenants: Sequence[str], reason: str, reader: str
) -> SealedPasskeys:
    """The passkeys of the tenants, or of all that have one; sealed to ``reader``. The passphrase is the reader's own.

    Of two accounts the second one is taken, so that the first can be rotated as ever. What is in a kit is rotated only
    when that is asked for. Each is entered and alarmed; all or none. Raises ``BadInputError``, ``NotFoundError`` or
    ``RefusedError``.
    """
    reason = read_reason(reason)
    read_reader(reader)
    passkeys: list[Passkey] = []
    async with app.alarms.recording() as record:
        standing = {one.tenant for one in await emergency_views.listed(record.session) if one.account_name is not None}
        for name in sorted(set(tenants) or standing):
            ref = (await emergency.meant(record.session, name, None))[-1]
            stored, pair = await emergency.put_in_kit(record.session, app.keyring, ref, actor, reason, app.clock())
            passkeys.append(usable(ref, await emergency.find(record.session, ref), stored, pair))
            await record.raise_alarm(reveal_alarm(app, actor, ref, "has put into an offline kit the credential"))
        if not passkeys:
            raise NotFoundError("No tenant has an emergency account.")
    return sealed_to_reader(reader, passkeys, "emergency kit")
