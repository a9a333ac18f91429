"""Which accounts are ours: every row of design's table "The mark on the account", and every way to cheat in it.

The attributes lie in the customer's directory. Its administrators, our technicians among them while their grant lasts,
can write, copy and delete them. A mark that can be forged opens a stranger's account; one that breaks under tampering
keeps ours from being closed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.marks import (
    Owner,
    Ownership,
    Register,
    judge,
    read_open_until,
    read_owner_tag,
    tag_prefix,
    write_open_until,
    write_owner_tag,
)
from models.marks import AccountKind, OpenUntil, newest
from models.messages import ObjectId, TechnicianId, TenantId

KEYRING = Keyring.parse("k0:" + "A" * 43 + "=")
STRANGERS = Keyring.parse("k0:" + "B" * 43 + "=")
CONTOSO, FABRIKAM = TenantId("c0c0c0c0-2222-4222-8222-000000000002"), TenantId("fab0fab0-3333-4333-8333-000000000003")
ALEX, ROBIN = (
    TechnicianId("0a0a0a0a-1111-4111-8111-0000000000a1"),
    TechnicianId("0a0a0a0a-1111-4111-8111-0000000000a2"),
)
OURS = Owner("entra-jit", ALEX)
KIND = AccountKind.TECHNICIAN
ACCOUNT = "msp-alex@contoso.onmicrosoft.com"
OTHER_ACCOUNT = "first.admin@contoso.onmicrosoft.com"
OBJECT, OTHER_OBJECT = (
    ObjectId("0b1ec700-4444-4444-8444-0000000000b1"),
    ObjectId("0b1ec700-4444-4444-8444-0000000000b2"),
)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OPEN = OpenUntil("r-1", NOON, NOON)
TAG = write_owner_tag(KEYRING, OURS, CONTOSO, ACCOUNT)

NO_TAG_OF_OURS = {
    "missing": None,
    "empty": "",
    "a stranger's text": "HR-4711",
    "of another installation": write_owner_tag(KEYRING, Owner("other", ALEX), CONTOSO, ACCOUNT),
    "of another technician": write_owner_tag(KEYRING, Owner("entra-jit", ROBIN), CONTOSO, ACCOUNT),
    "of another account": write_owner_tag(KEYRING, OURS, CONTOSO, OTHER_ACCOUNT),
    "of another tenant": write_owner_tag(KEYRING, OURS, FABRIKAM, ACCOUNT),
    "signed by a stranger": write_owner_tag(STRANGERS, OURS, CONTOSO, ACCOUNT),
    "the open-until mark": write_open_until(KEYRING, OPEN, CONTOSO, OBJECT, KIND),
    "unsigned": TAG.rpartition(";")[0],
    "with another signature": TAG.rpartition(";")[0] + ";AAAA",
    "with a signature that is no text": TAG.rpartition(";")[0] + ";\ud800",
    "under a key that is gone": TAG.replace(";k0;", ";k9;"),
    "cut": TAG[:-1],
}


def judged(register: Register, tag: str | None) -> Ownership:
    owner = read_owner_tag(KEYRING, tag, CONTOSO, ACCOUNT)
    return judge(register, owner=owner, installation="entra-jit", technician_id=ALEX)


def test_registered_and_validly_tagged_may_be_closed_and_opened() -> None:
    assert judged(Register.NAMES_IT, TAG) is Ownership.OURS
    assert Ownership.OURS.may_be_closed
    assert Ownership.OURS.may_be_opened


@pytest.mark.parametrize("tag", NO_TAG_OF_OURS.values(), ids=NO_TAG_OF_OURS)
def test_registered_with_no_valid_tag_may_be_closed_and_not_opened(tag: str | None) -> None:
    assert judged(Register.NAMES_IT, tag) is Ownership.TAG_BROKEN
    assert Ownership.TAG_BROKEN.may_be_closed
    assert not Ownership.TAG_BROKEN.may_be_opened


def test_unregistered_and_validly_tagged_may_be_closed_and_not_opened() -> None:
    """The ledger was lost, or restored from before the account was made."""
    assert judged(Register.SILENT, TAG) is Ownership.UNREGISTERED
    assert Ownership.UNREGISTERED.may_be_closed
    assert not Ownership.UNREGISTERED.may_be_opened


@pytest.mark.parametrize("register", [Register.SILENT, Register.INTENDS_IT])
@pytest.mark.parametrize("tag", NO_TAG_OF_OURS.values(), ids=NO_TAG_OF_OURS)
def test_unregistered_with_no_valid_tag_is_a_strangers_and_is_not_touched(register: Register, tag: str | None) -> None:
    """Having meant to make an account of this name claims nothing: another creator may have been first."""
    assert judged(register, tag) is Ownership.FOREIGN
    assert not Ownership.FOREIGN.may_be_closed
    assert not Ownership.FOREIGN.may_be_opened


def test_a_creation_whose_answer_was_lost_is_known_by_the_tag_it_was_made_with() -> None:
    assert judged(Register.INTENDS_IT, TAG) is Ownership.OURS


def test_directories_that_change_the_case_of_a_name_do_not_break_the_tag() -> None:
    assert read_owner_tag(KEYRING, TAG, CONTOSO, ACCOUNT.upper()) == OURS


@given(st.data(), st.characters())
def test_any_character_changed_breaks_the_tag(data: st.DataObject, character: str) -> None:
    place = data.draw(st.integers(0, len(TAG) - 1))
    changed = TAG[:place] + character + TAG[place + 1 :]
    assert (read_owner_tag(KEYRING, changed, CONTOSO, ACCOUNT) is None) == (changed != TAG)


@given(st.text(st.characters()) | st.text("entra-ji;t0k123=T:-", max_size=80))
def test_whatever_somebody_writes_there_is_read_without_an_error(text: str) -> None:
    """What raised here would let its writer keep the account from being closed."""
    assert read_owner_tag(KEYRING, text, CONTOSO, ACCOUNT) is None
    assert read_open_until(KEYRING, text, CONTOSO, OBJECT, KIND) is None


installations = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
request_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", fullmatch=True)
moments = st.timedeltas(timedelta(0), timedelta(days=20_000)).map(lambda since: NOON + since)


@given(installations, st.uuids())
def test_a_tag_is_read_as_written_and_found_by_its_beginning(installation: str, technician: object) -> None:
    owner = Owner(installation, TechnicianId(str(technician)))
    tag = write_owner_tag(KEYRING, owner, CONTOSO, ACCOUNT)
    assert read_owner_tag(KEYRING, tag, CONTOSO, ACCOUNT) == owner
    assert tag.startswith(tag_prefix(installation))
    assert len(tag) <= 200


@given(request_ids, moments, st.integers(-12, 12))
def test_a_mark_is_read_as_written_whatever_the_time_zone(request_id: str, expires_at: datetime, hours: int) -> None:
    there = expires_at.astimezone(timezone(timedelta(hours=hours)))
    mark = write_open_until(KEYRING, OpenUntil(request_id, there, there), CONTOSO, OBJECT, KIND)

    assert read_open_until(KEYRING, mark, CONTOSO, OBJECT, KIND) == OpenUntil(request_id, expires_at, expires_at)
    assert len(mark) <= 256, "what an extension attribute may hold"


@given(st.data(), st.characters())
def test_any_character_changed_breaks_the_mark(data: st.DataObject, character: str) -> None:
    """A technician who could write a later hour into it would keep the account from being closed on time."""
    mark = write_open_until(KEYRING, OPEN, CONTOSO, OBJECT, KIND)
    place = data.draw(st.integers(0, len(mark) - 1))
    changed = mark[:place] + character + mark[place + 1 :]
    assert (read_open_until(KEYRING, changed, CONTOSO, OBJECT, KIND) is None) == (changed != mark)


@pytest.mark.parametrize(
    ("keyring", "tenant", "account", "kind"),
    [
        (KEYRING, FABRIKAM, OBJECT, KIND),
        (KEYRING, CONTOSO, OTHER_OBJECT, KIND),
        (STRANGERS, CONTOSO, OBJECT, KIND),
        (KEYRING, CONTOSO, OBJECT, AccountKind.CANARY),
    ],
)
def test_a_mark_holds_for_the_account_it_was_written_for_alone(
    keyring: Keyring, tenant: TenantId, account: ObjectId, kind: AccountKind
) -> None:
    mark = write_open_until(keyring, OPEN, tenant, account, kind)
    assert read_open_until(KEYRING, mark, CONTOSO, OBJECT, KIND) is None


def test_after_a_rotation_old_marks_hold_until_their_key_is_removed() -> None:
    old, new = "k0:" + "A" * 43 + "=", "k1:" + "C" * 43 + "="
    both, only_new = Keyring.parse(f"{new},{old}"), Keyring.parse(new)
    mark = write_open_until(KEYRING, OPEN, CONTOSO, OBJECT, KIND)
    assert read_owner_tag(both, TAG, CONTOSO, ACCOUNT) == OURS
    assert read_open_until(both, mark, CONTOSO, OBJECT, KIND) == OPEN
    assert read_owner_tag(only_new, TAG, CONTOSO, ACCOUNT) is None
    assert read_open_until(only_new, mark, CONTOSO, OBJECT, KIND) is None


def test_of_several_marks_the_newest_decides_wherever_it_stands() -> None:
    older, newer = (
        OpenUntil("r-1", NOON + timedelta(hours=9), NOON),
        OpenUntil("r-2", NOON, NOON + timedelta(seconds=1)),
    )
    assert newest(older, None, newer) == newest(newer, older) == newer
    assert newest(None, None) is None
