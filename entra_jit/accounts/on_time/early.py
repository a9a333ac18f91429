"""Telling that an account was disabled before its time: only a ledger that was restored from a backup does so.

It has lost an extension, or a newer grant, which the account's own mark still names.
"""

from __future__ import annotations

from entra_jit.accounts.backend import Backend
from entra_jit.crypto.marks import OPEN_UNTIL_ATTRIBUTE, read_open_until
from entra_jit.ledger.due import Due
from models.alarms import Alarm, AlarmKind
from models.marks import newest
from models.messages import DirectoryCall
from models.moments import format_moment


async def tell_if_early(backend: Backend, grant: Due, disabling: DirectoryCall) -> None:
    """Raise an alarm where a mark that the ledger does not know says so. Raises what reading the account raises."""
    tenant = await backend.directories.to_close(grant.tenant_id)
    user = await tenant.users.get(grant.object_id)
    written, carried = (
        read_open_until(backend.keyring, text, grant.tenant_id, grant.object_id, grant.kind)
        for text in (grant.mark, user.extension_attributes.get(OPEN_UNTIL_ATTRIBUTE))
    )
    if carried is None or newest(written, carried) == written:
        return
    if not carried.written_at < disabling.answered_at < carried.expires_at:
        return  # it was over, or the account was opened again since
    sentence = (
        f"{grant.account_name} was disabled for the grant {grant.request_id}, as the ledger has it. By its mark it was "
        f"open under the grant {carried.request_id} until {format_moment(carried.expires_at)}: the ledger was restored?"
    )
    await backend.alarms.raise_alarm(
        Alarm(
            kind=AlarmKind.CLOSED_EARLY,
            subject=grant.request_id,
            sentence=sentence,
            tenant=grant.tenant,
            request_id=grant.request_id,
            raised_at=disabling.answered_at,
        )
    )
