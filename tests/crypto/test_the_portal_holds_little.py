"""The portal is the part that strangers can reach, so an intruder in it must not have the deployment.

It opens technicians' credentials and signs for people who signed in at it. All else it can only seal, for workers.
"""

from __future__ import annotations

import base64
import traceback
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from entra_jit.crypto.assertions import ForgedAssertionError, assert_actor, is_ours, verify_actor
from entra_jit.crypto.keyring import KEY_BYTES, Keyring, Purpose, UnknownKeyError
from entra_jit.crypto.narrow_keyring import KeyNotHeldError, PortalKeyring
from entra_jit.crypto.sealing import SealBrokenError, seal, unseal
from models.actor import Actor, ActorKind, Via
from models.errors import SettingsError
from models.messages import Assertion, Renewal
from tests.actors import TESTER

OLD, NEW = "old:" + "A" * 43 + "=", "new:" + "B" * 43 + "="
WORKERS = Keyring.parse(OLD)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RENEWAL = Renewal(request_id="r-1")
ALEX = Actor(kind=ActorKind.PERSON, id="a1e0", name="alex", via=Via.PORTAL)
HELD = {Purpose.PORTAL_ASSERTION, Purpose.TECHNICIAN_CREDENTIAL}
SEALED_FOR_WORKERS = {Purpose.TENANT_CREDENTIAL, Purpose.EMERGENCY_CREDENTIAL, Purpose.HISTORY}


def portal_of(keyring: Keyring) -> PortalKeyring:
    return PortalKeyring.parse(PortalKeyring.derived(keyring).get_secret_value())


PORTAL = portal_of(WORKERS)


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - HELD))
def test_no_private_key_of_the_workers_is_in_what_the_portal_is_given(purpose: Purpose) -> None:
    given = PortalKeyring.derived(WORKERS).get_secret_value()
    content = base64.b64decode(given.partition(":")[2])
    assert WORKERS.private("old", purpose) not in content
    assert b"\0" * KEY_BYTES not in content, "nor the key from which they all derive"
    with pytest.raises(KeyNotHeldError, match=purpose):
        PORTAL.private("old", purpose)


@pytest.mark.parametrize("purpose", sorted(SEALED_FOR_WORKERS))
def test_it_seals_for_workers_what_it_cannot_open(purpose: Purpose) -> None:
    sealed = seal(PORTAL, purpose, SecretStr("unmistakable"), "tenant t-1")
    assert unseal(WORKERS, purpose, sealed, "tenant t-1").get_secret_value() == "unmistakable"
    for tried in Purpose:
        if not tried.signs:
            with pytest.raises((KeyNotHeldError, SealBrokenError)):
                unseal(PORTAL, tried, sealed, "tenant t-1")


def test_it_opens_a_technicians_credential() -> None:
    sealed = seal(WORKERS, Purpose.TECHNICIAN_CREDENTIAL, SecretStr("unmistakable"), "grant r-1")
    assert unseal(PORTAL, Purpose.TECHNICIAN_CREDENTIAL, sealed, "grant r-1").get_secret_value() == "unmistakable"


def test_it_speaks_for_people_who_came_there_and_for_no_other() -> None:
    honest = assert_actor(PORTAL, ALEX, RENEWAL, NOON)
    assert verify_actor(WORKERS, honest, RENEWAL, NOON) == ALEX
    assert honest.signature == _signed_with_all_that_it_has(ALEX), "a forger gets the content right"
    elsewhere = [ALEX.model_copy(update={"via": via}) for via in Via if via is not Via.PORTAL]
    unknown = ALEX.model_copy(update={"kind": ActorKind.UNKNOWN})  # who follows an invitation, and may do no more
    assert verify_actor(WORKERS, assert_actor(PORTAL, unknown, RENEWAL, NOON), RENEWAL, NOON) == unknown
    kinds = set(ActorKind) - {ActorKind.PERSON, ActorKind.UNKNOWN}
    others = [ALEX.model_copy(update={"kind": kind}) for kind in kinds]
    for actor in (TESTER, *elsewhere, *others):
        with pytest.raises(KeyNotHeldError):
            assert_actor(PORTAL, actor, RENEWAL, NOON)
        for signature in (honest.signature, _signed_with_all_that_it_has(actor)):
            forged = Assertion(actor=actor, issued_at=NOON, key_id="old", signature=signature)
            assert not is_ours(WORKERS, forged, RENEWAL)
            with pytest.raises(ForgedAssertionError):
                verify_actor(WORKERS, forged, RENEWAL, NOON)


def _signed_with_all_that_it_has(actor: Actor) -> str:
    """The right content under the only key that the portal signs with."""
    said = (message.model_dump_json(exclude_defaults=True) for message in (actor, RENEWAL))
    content = "\n".join(("Renewal", next(said), NOON.isoformat(), next(said)))
    return PORTAL.sign(Purpose.PORTAL_ASSERTION, content)


def test_a_rotation_reaches_the_portal_by_the_same_steps() -> None:
    """As docs/operations.md has it: behind the old one everywhere, then to the front everywhere."""
    behind, front = Keyring.parse(f"{OLD},{NEW}"), Keyring.parse(f"{NEW},{OLD}")
    for workers, portal in ((behind, PORTAL), (behind, portal_of(behind)), (front, portal_of(behind))):
        assertion = assert_actor(portal, ALEX, RENEWAL, NOON)
        assert verify_actor(workers, assertion, RENEWAL, NOON) == ALEX
        sealed = seal(portal, Purpose.HISTORY, SecretStr("s"), "payload")
        assert unseal(workers, Purpose.HISTORY, sealed, "payload").get_secret_value() == "s"
        credential = seal(workers, Purpose.TECHNICIAN_CREDENTIAL, SecretStr("s"), "grant r-1")
        if workers is behind or "new" in portal.ids:
            assert unseal(portal, Purpose.TECHNICIAN_CREDENTIAL, credential, "grant r-1").get_secret_value() == "s"
    assert assert_actor(portal_of(front), ALEX, RENEWAL, NOON).key_id == "new"
    with pytest.raises(UnknownKeyError, match="no key 'new'; add it to ENTRA_JIT_PORTAL_KEYS"):
        unseal(PORTAL, Purpose.TECHNICIAN_CREDENTIAL, credential, "grant r-1")
    only_new = Keyring.parse(NEW)
    assert not is_ours(only_new, assert_actor(PORTAL, ALEX, RENEWAL, NOON), RENEWAL), "a dropped key is dropped"


def test_neither_half_of_a_wrong_setting_is_quoted() -> None:
    given = PortalKeyring.derived(WORKERS).get_secret_value()
    for wrong in (OLD, given[:-8], f"{given},{given}"):
        with pytest.raises(SettingsError, match=r"^ENTRA_JIT_PORTAL_KEYS: entry \d") as refused:
            PortalKeyring.parse(wrong)
        assert given[4:12] not in "".join(traceback.format_exception(refused.value))
    assert given[4:12] not in repr(PORTAL)
    with pytest.raises(SettingsError, match=r"^ENTRA_JIT_KEYS: entry \d"):
        Keyring.parse(given)
