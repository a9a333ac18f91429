"""The two marks on a managed account, and what they allow.

The *owner tag* says that this deployment made the account for this technician; it never changes. The *open-until
mark* says which grant opened it and until when; it is written with the enabling and cleared after the read-back.
Both are extension attributes, so a technician who is administrator can tamper with them and a stranger can copy
them: they are signed over tenant, account and kind of account, and believed only together with the register. The tag is
written at the creation, before the account has an object id, so it is bound to the name; the mark to the object id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from entra_jit.crypto.keyring import Keyring, Purpose
from models.marks import AccountKind, OpenUntil
from models.messages import ObjectId, TechnicianId, TenantId

OWNER_TAG_ATTRIBUTE = 14
OPEN_UNTIL_ATTRIBUTE = 15
"""Numbers of the extension attributes: the last ones, which HR and Exchange habits use least."""

TAG_PREFIX = "entra-jit"


@dataclass(frozen=True)
class Owner:
    """Whom an owner tag names."""

    installation: str
    technician_id: TechnicianId


def tag_prefix(installation: str) -> str:
    """What every owner tag of this installation starts with, to list the accounts that carry one."""
    return f"{TAG_PREFIX};{installation};"


def write_owner_tag(keyring: Keyring, owner: Owner, tenant_id: TenantId, account_name: str) -> str:
    """The owner tag of one account, at most 200 characters."""
    kind = AccountKind.of(owner.technician_id)
    body = f"{tag_prefix(owner.installation)}{owner.technician_id};{keyring.active_id}"
    return f"{body};{keyring.sign(Purpose.OWNER_TAG, _tagged(body, tenant_id, account_name, kind))}"


def read_owner_tag(keyring: Keyring, tag: str | None, tenant_id: TenantId, account_name: str) -> Owner | None:
    """The owner that ``tag`` proves for this very account; None where it is missing, broken or another account's."""
    body, _, signature = (tag or "").rpartition(";")
    parts = body.split(";")
    if len(parts) != 4 or parts[0] != TAG_PREFIX:
        return None
    _, installation, technician_id, key_id = parts
    owner = Owner(installation, TechnicianId(technician_id))
    signed = _tagged(body, tenant_id, account_name, AccountKind.of(owner.technician_id))
    return owner if keyring.verify(key_id, Purpose.OWNER_TAG, signed, signature) else None


def write_open_until(
    keyring: Keyring, mark: OpenUntil, tenant_id: TenantId, account: ObjectId, kind: AccountKind
) -> str:
    """The open-until mark of one account, at most 256 characters; times are kept to the microsecond."""
    expires_at, written_at = (time.astimezone(UTC).isoformat() for time in (mark.expires_at, mark.written_at))
    body = f"{mark.request_id};{expires_at};{written_at};{keyring.active_id}"
    return f"{body};{keyring.sign(Purpose.OPEN_UNTIL, _tagged(body, tenant_id, account, kind))}"


def read_open_until(
    keyring: Keyring, mark: str | None, tenant_id: TenantId, account: ObjectId, kind: AccountKind
) -> OpenUntil | None:
    """The grant that ``mark`` proves to have opened this very account; None where it is missing, broken or copied."""
    body, _, signature = (mark or "").rpartition(";")
    parts = body.split(";")
    if len(parts) != 4 or not keyring.verify(
        parts[3], Purpose.OPEN_UNTIL, _tagged(body, tenant_id, account, kind), signature
    ):
        return None
    request_id, expires_at, written_at, _ = parts
    return OpenUntil(request_id, datetime.fromisoformat(expires_at), datetime.fromisoformat(written_at))


def _tagged(body: str, tenant_id: TenantId, account: str, kind: AccountKind) -> str:
    return "\n".join((body, tenant_id, account.lower(), kind))


class Ownership(StrEnum):
    """What the register and the owner tag together say of an account."""

    OURS = "ours"
    """In the register and validly tagged: everything may be done."""
    TAG_BROKEN = "tag broken"
    """In the register, the tag missing or broken: may be closed, with an alarm; never opened."""
    UNREGISTERED = "unregistered"
    """Validly tagged, not in the register (the ledger was lost): may be closed; opened only when re-registered."""
    FOREIGN = "foreign"
    """Neither: reported, never touched."""

    @property
    def may_be_closed(self) -> bool:
        """Disabling it and taking its roles is ours to do."""
        return self is not Ownership.FOREIGN

    @property
    def may_be_opened(self) -> bool:
        """Enabling it, giving it roles and deleting it is ours to do."""
        return self is Ownership.OURS


class Register(StrEnum):
    """What the register says of the account that was found."""

    NAMES_IT = "names it"
    """By its object id."""
    INTENDS_IT = "intends it"
    """The creation under this name was tried, and its answer never seen."""
    SILENT = "silent"


def judge(register: Register, *, owner: Owner | None, installation: str, technician_id: TechnicianId) -> Ownership:
    """Which row of the table an account is in, from the register and what its tag proves.

    A valid tag of another installation or another technician is no tag of this account's. An intention alone claims
    nothing: only with the tag that goes with the creation is the account the one that was tried.
    """
    tagged = owner == Owner(installation, technician_id)
    if register is Register.NAMES_IT:
        return Ownership.OURS if tagged else Ownership.TAG_BROKEN
    if not tagged:
        return Ownership.FOREIGN
    return Ownership.OURS if register is Register.INTENDS_IT else Ownership.UNREGISTERED
