"""Give a person what opens an emergency account, for an hour."""

from __future__ import annotations

from pydantic import SecretStr

from entra_jit.accounts.emergency.key_pair import usable
from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize
from entra_jit.ledger import emergency
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._emergency_accounts import asked_in_person, read_reader, reveal_alarm, sealed_to_reader
from entra_jit.operations._reasons import read_reason
from models.actor import Actor
from models.messages import RevealRequest, SealedPasskeys
from models.moments import format_moment


@asks(Verb.REVEAL_EMERGENCY_ACCOUNT)
@at_a_worker
async def reveal_emergency_account(
    actor: Actor, app: App, request: RevealRequest, sign_in: SecretStr | None = None
) -> SealedPasskeys:
    """The account's passkey, sealed to the reader.

    ``sign_in``: of a person at the portal, the id token of the sign-in that they have just made for this request: the
    portal's word alone opens nothing. It is entered and alarmed before it is given, and the account is rotated an hour
    later. Where two persons are to agree to it, this is the place to ask for the second one. Raises ``BadInputError``,
    ``NotFoundError`` or ``RefusedError``.
    """
    reason = read_reason(request.reason)
    code = read_reader(request.reader)
    authorize(await asked_in_person(actor, app, request.about, sign_in), Verb.REVEAL_EMERGENCY_ACCOUNT)
    async with app.alarms.recording() as record:
        [ref] = await emergency.meant(record.session, request.tenant, request.number)
        stored, pair, until = await emergency.reveal(
            record.session, app.keyring, ref, actor, reason, app.clock(), reader=code
        )
        passkey = usable(ref, await emergency.find(record.session, ref), stored, pair)
        what = f"was given, until {format_moment(until)} and to the key {code}, the credential"
        await record.raise_alarm(reveal_alarm(app, actor, ref, what))
    sealed = sealed_to_reader(request.reader, [passkey], f"emergency reveal {ref.tenant_id} {ref.number}")
    return sealed.model_copy(update={"account": ref, "code": code, "usable_until": until})
