"""Each operation does in the directory what its name says, as the directory itself tells afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from entra_jit.accounts.account_closing import delete_methods
from entra_jit.graph import (
    ClientCertificate,
    ConflictError,
    DefaultMethodError,
    Graph,
    NewUser,
    NotYetVisibleError,
    PermanentError,
    Tenant,
    assignment_id,
)
from models.errors import ReadBackDisagreesError
from models.messages import ObjectId, RoleId
from tests.certificates import Certificate
from tests.graph.conftest import ADELE, CONTOSO, ELEVATE, RETAIL, Sandbox, Signer, contoso

NAME = "msp-alex@contoso.onmicrosoft.com"
PASSWORD = SecretStr("Correct-Horse-7-Battery-Staple")
HELPDESK = RoleId("729827e3-9c14-49f7-bb1b-9608f156bbb8")
GLOBAL_ADMINISTRATOR = RoleId("62e90394-69f5-4237-9190-012177145e10")
UNKNOWN = ObjectId("99999999-9999-4999-8999-999999999999")


@pytest.fixture
async def alex(elevate: Tenant) -> ObjectId:
    """A managed account, just made."""
    wanted = NewUser(
        user_principal_name=NAME,
        display_name="Alex Winter (MSP)",
        mail_nickname="msp-alex",
        extension_attributes={1: "entra-jit:alex", 2: "it's #2 & more"},
    )
    return (await elevate.users.create(wanted, PASSWORD)).id


async def test_an_account_is_made_closed_and_marked(elevate: Tenant, alex: ObjectId, sign_in: Signer) -> None:
    """An account that is open before it has an owner's tag cannot be closed as ours."""
    user = await elevate.users.get(alex)
    assert (user.user_principal_name, user.display_name) == (NAME, "Alex Winter (MSP)")
    assert not user.account_enabled
    assert user.extension_attributes == {1: "entra-jit:alex", 2: "it's #2 & more"}
    assert (user.user_type, user.on_premises_sync_enabled) == ("Member", None)
    assert sign_in(PASSWORD.get_secret_value()) == 401


async def test_a_name_that_is_taken_is_told_apart_from_a_failure(elevate: Tenant, alex: ObjectId) -> None:
    """A creation that is repeated after a lost answer must lead to a look, not to a parked grant."""
    again = NewUser(user_principal_name=NAME, display_name="Namesake", mail_nickname="namesake")
    with pytest.raises(ConflictError):
        await elevate.users.create(again, PASSWORD)
    found = await elevate.users.find(NAME.upper())
    assert found is not None
    assert found.id == alex


async def test_nobody_is_found_as_nobody(elevate: Tenant) -> None:
    """An unknown name is the ordinary case of a first grant; an unknown id never is."""
    assert await elevate.users.find("nobody@contoso.onmicrosoft.com") is None
    with pytest.raises(NotYetVisibleError):
        await elevate.users.get(UNKNOWN)


async def test_a_guests_name_is_found_whole(elevate: Tenant) -> None:
    """The # in a guest's name would cut the request down to its beginning."""
    guest = await elevate.users.find("guest_example.net#EXT#@contoso.onmicrosoft.com")
    assert guest is not None
    assert guest.is_guest


async def test_an_old_member_has_no_user_type(sandbox: Sandbox, elevate: Tenant) -> None:
    """Taken for a guest, it did not count as an administrator, and an account of ours would not be opened."""
    sandbox.control.patch(f"/tenants/contoso/users/{ADELE}", json={"properties": {"userType": None}}).raise_for_status()
    assert not (await elevate.users.get(ADELE)).is_guest


async def test_opening_and_marking_are_one_write(
    sandbox: Sandbox, elevate: Tenant, alex: ObjectId, sign_in: Signer
) -> None:
    """An account opened without its open-until mark would stay open if the ledger were lost."""
    sandbox.control.delete("/journal")
    evidence = await elevate.users.enable(alex, {2: "until", 1: None})
    user = await elevate.users.get(alex)
    assert (user.account_enabled, user.extension_attributes) == (True, {2: "until"})
    assert sign_in(PASSWORD.get_secret_value()) == 200
    (written,) = sandbox.journal(method="PATCH")
    assert evidence.request_id == written["request_id"]


async def test_a_closed_account_lets_nobody_in(elevate: Tenant, alex: ObjectId, sign_in: Signer) -> None:
    """The one thing that the product promises."""
    await elevate.users.enable(alex)
    await elevate.users.disable(alex)
    await elevate.users.disable(alex)
    assert not (await elevate.users.get(alex)).account_enabled
    assert sign_in(PASSWORD.get_secret_value()) == 401


async def test_a_scrambled_password_opens_nothing(elevate: Tenant, alex: ObjectId, sign_in: Signer) -> None:
    """The technician knows the old one."""
    await elevate.users.enable(alex)
    await elevate.users.set_password(alex, SecretStr("Another-Horse-8-Battery"), force_change=False)
    assert [sign_in(PASSWORD.get_secret_value()), sign_in("Another-Horse-8-Battery")] == [401, 200]


async def test_a_weak_password_is_refused_as_such(elevate: Tenant, alex: ObjectId) -> None:
    """All but the words is the same as in any other refusal."""
    with pytest.raises(PermanentError, match="Choose another password"):
        await elevate.users.set_password(alex, SecretStr("short"), force_change=False)


async def test_attributes_not_named_stay(elevate: Tenant, alex: ObjectId) -> None:
    """Clearing the open-until mark must not take the owner tag along."""
    await elevate.users.set_attributes(alex, {2: None, 15: "x"})
    assert (await elevate.users.get(alex)).extension_attributes == {1: "entra-jit:alex", 15: "x"}


async def test_sessions_are_revoked(revoke: Tenant, alex: ObjectId) -> None:
    """A disabled account with a live refresh token is closed in name only."""
    began = datetime.now(UTC).replace(microsecond=0)
    evidence = await revoke.users.revoke_sessions(alex)
    valid_from = (await revoke.users.get(alex)).sign_in_sessions_valid_from
    assert valid_from is not None
    assert valid_from >= began
    assert evidence.path == f"/users/{alex}/revokeSignInSessions"


async def test_every_account_of_ours_is_listed(sandbox: Sandbox, elevate: Tenant, alex: ObjectId) -> None:
    """The reconciler closes what it is shown; one missing page leaves accounts open for good."""
    attributes = {"onPremisesExtensionAttributes": {"extensionAttribute1": "entra-jit:other"}}
    for number in range(3):
        sandbox.change("/users", user_principal_name=f"msp-{number}@contoso.onmicrosoft.com", properties=attributes)
    found = [user async for user in elevate.users.tagged(1, "entra-jit:")]
    assert len(found) == 4
    assert [user.id async for user in elevate.users.tagged(1, "entra-jit:alex")] == [alex]
    assert [user async for user in elevate.users.tagged(1, "x') or startsWith(displayName,'")] == []


async def test_the_groups_of_an_account_are_told(
    sandbox: Sandbox, elevate: Tenant, revoke: Tenant, alex: ObjectId
) -> None:
    """A group joined during a grant is a way back in after it."""
    assert not (await revoke.users.memberships(alex)).groups
    sandbox.change(f"/users/{alex}/groups", name="Retail")
    await elevate.roles.assign(HELPDESK, to=alex)
    held = await revoke.users.memberships(alex)
    assert [(group.id, group.is_dynamic) for group in held.groups] == [(RETAIL, False)], "roles are listed elsewhere"
    with pytest.raises(ConflictError):
        await revoke.groups.add_member(alex, group=RETAIL)
    await revoke.groups.remove_member(alex, group=RETAIL)
    assert not (await revoke.users.memberships(alex)).groups
    with pytest.raises(ConflictError):
        await revoke.groups.remove_member(alex, group=RETAIL)
    assert await revoke.users.find(NAME), "removing a membership must not remove the member"


async def test_a_role_is_given_once_and_taken_by_its_computed_id(elevate: Tenant, alex: ObjectId) -> None:
    """If the answer to the assignment is lost, the computed id is all there is to take the role away with."""
    assert not await elevate.roles.assignments_of(alex)
    given = await elevate.roles.assign(HELPDESK, to=alex)
    assert (given.id, given.role, given.principal, given.scope) == (assignment_id(HELPDESK, alex), HELPDESK, alex, "/")
    with pytest.raises(ConflictError):
        await elevate.roles.assign(HELPDESK, to=alex)
    (held,) = await elevate.roles.assignments_of(alex)
    assert held.id == given.id
    await elevate.roles.unassign(assignment_id(HELPDESK, alex))
    with pytest.raises(ConflictError):
        await elevate.roles.unassign(given.id)
    gone = await elevate.roles.assignments_of(alex)
    assert len(gone) == 0
    assert gone.evidence.status == 200


async def test_a_role_is_not_given_to_somebody_too_new_to_be_seen(elevate: Tenant) -> None:
    """Another replica may know the account in a moment; parking the grant would be wrong."""
    with pytest.raises(NotYetVisibleError):
        await elevate.roles.assign(HELPDESK, to=UNKNOWN)


async def test_holders_of_a_role_are_told(elevate: Tenant) -> None:
    """Whether Global Administrator may be given depends on who else has it."""
    held = await elevate.roles.holders(GLOBAL_ADMINISTRATOR)
    assert {holder.holder and holder.holder.display_name for holder in held} == {
        "Contoso Administrator",
        "Contoso Second Administrator",
    }


async def test_roles_are_defined(elevate: Tenant) -> None:
    """A role mapping names a role; a misspelt one must be found before it is requested."""
    names = {role.template_id: role.display_name for role in await elevate.roles.definitions()}
    assert names[HELPDESK] == "Helpdesk Administrator"


async def test_a_pass_is_made_listed_and_deleted(
    sandbox: Sandbox, elevate: Tenant, alex: ObjectId, sign_in: Signer
) -> None:
    """A pass outlives the disabling: an account that is enabled again would let the old pass in."""
    policy = await elevate.access_passes.policy()
    assert (policy.state, policy.minimum_lifetime, policy.covers_everyone) == ("enabled", 60, True)
    await elevate.users.enable(alex)
    made = await elevate.access_passes.create(alex, lifetime_minutes=60, usable_once=False)
    body = {"username": NAME, "temporary_access_pass": made.value.get_secret_value()}
    assert sandbox.control.post("/sign-in", json=body).status_code == 200
    (listed,) = [method for method in await elevate.sign_in_methods.list(alex) if not method.is_password]
    assert (listed.id, listed.kind) == (made.id, "temporaryAccessPass")
    await elevate.sign_in_methods.delete(listed, of=alex)
    assert sandbox.control.post("/sign-in", json=body).status_code == 401
    with pytest.raises(ConflictError):
        await elevate.sign_in_methods.delete(listed, of=alex)


async def test_a_pass_that_the_policy_forbids_is_refused_as_such(
    sandbox: Sandbox, elevate: Tenant, alex: ObjectId
) -> None:
    """The operator must hear "policy", not "invalid"."""
    sandbox.change("", temporary_access_pass={"enabled": False})
    assert (await elevate.access_passes.policy()).state == "disabled"
    with pytest.raises(PermanentError, match="authentication methods policy"):
        await elevate.access_passes.create(alex, lifetime_minutes=60, usable_once=False)


@pytest.mark.parametrize(
    "kind",
    [
        "fido2",
        "phone",
        "email",
        "softwareOath",
        "microsoftAuthenticator",
        "windowsHelloForBusiness",
        "qrCodePin",
        "hardwareOath",
    ],
)
async def test_a_method_registered_during_a_grant_can_be_deleted(
    sandbox: Sandbox, revoke: Tenant, alex: ObjectId, kind: str
) -> None:
    """A passkey registered on Monday would open the account at every later grant, or be sold."""
    sandbox.change(f"/users/{alex}/methods", kind=kind)
    (method,) = [each for each in await revoke.sign_in_methods.list(alex) if not each.is_password]
    assert method.kind == kind
    await revoke.sign_in_methods.delete(method, of=alex)
    assert [each.kind for each in await revoke.sign_in_methods.list(alex)] == ["password"]


async def test_the_default_method_is_deleted_once_the_others_are_gone(
    sandbox: Sandbox, revoke: Tenant, alex: ObjectId
) -> None:
    """Deleted with the others it is refused: closing took a second round, and an opening parked."""
    for kind in ("phone", "fido2", "softwareOath"):
        sandbox.change(f"/users/{alex}/methods", kind=kind)
    registered = [method for method in await revoke.sign_in_methods.list(alex) if not method.is_password]
    with pytest.raises(DefaultMethodError, match="delete the others first"):
        await revoke.sign_in_methods.delete(registered[0], of=alex)

    calls = await delete_methods(revoke, registered, alex)

    assert len(calls) == 3
    assert [method.kind for method in await revoke.sign_in_methods.list(alex)] == ["password"]


async def test_a_default_method_that_never_goes_is_told(sandbox: Sandbox, revoke: Tenant, alex: ObjectId) -> None:
    """One report says so. The account stays unproven, and the operator hears what to do."""
    words = "Cannot delete default method with other methods configured. Please change default method before deletion."
    sandbox.fault(method="DELETE", path="/users/*/authentication/phoneMethods/*", status=400, message=words)
    for kind in ("phone", "fido2"):
        sandbox.change(f"/users/{alex}/methods", kind=kind)

    for expected in (ReadBackDisagreesError, DefaultMethodError):
        registered = [method for method in await revoke.sign_in_methods.list(alex) if not method.is_password]
        with pytest.raises(expected, match="Entra admin center"):
            await delete_methods(revoke, registered, alex)


async def test_the_password_is_not_deleted_but_reset(revoke: Tenant, alex: ObjectId) -> None:
    """A loop over all methods must not stop at the one that always stays."""
    (password,) = await revoke.sign_in_methods.list(alex)
    with pytest.raises(PermanentError, match="reset the password"):
        await revoke.sign_in_methods.delete(password, of=alex)


async def test_a_deleted_account_is_found_in_the_bin_until_it_is_purged(
    sandbox: Sandbox, revoke: Tenant, alex: ObjectId
) -> None:
    """A vanished account can be restored with its roles; only a purged one is closed for good."""
    assert await revoke.deleted_items.find(alex) is None
    sandbox.control.delete(f"/tenants/contoso/users/{alex}").raise_for_status()
    binned = await revoke.deleted_items.find(alex)
    assert binned is not None
    assert binned.id == alex
    assert binned.deleted_at is not None, "it is told only where it is selected"
    assert await revoke.users.find(NAME) is None
    sandbox.control.delete(f"/tenants/contoso/users/{alex}", params={"purge": "true"}).raise_for_status()
    assert await revoke.deleted_items.find(alex) is None


async def test_a_tenant_says_who_it_is(elevate: Tenant) -> None:
    """A tenant id typed wrong may be another customer's."""
    organization = await elevate.organization.get()
    assert (organization.id, organization.display_name) == (CONTOSO, "Contoso")


async def test_a_domain_is_read_as_it_is_now(sandbox: Sandbox, elevate: Tenant) -> None:
    """A domain that was federated yesterday makes every password that we set worthless."""
    before = await elevate.domains.find("Contoso.com")
    sandbox.change("/domains/contoso.com", authentication_type="Federated", is_verified=False)
    after = await elevate.domains.find("contoso.com")
    assert before is not None
    assert after is not None
    assert (before.is_managed, before.is_verified) == (True, True)
    assert (after.is_managed, after.is_verified) == (False, False)
    assert await elevate.domains.find("fabrikam.com") is None


async def test_a_certificate_signs_in(sandbox: Sandbox, graph: Graph) -> None:
    """Microsoft and we both advise against secrets; the other way must work."""
    key, certificate = Certificate().both
    sandbox.change(f"/applications/{ELEVATE}/certificates", pem=certificate)
    credential = ClientCertificate(private_key=SecretStr(key), certificate=certificate)
    user = await graph.tenant(contoso(ELEVATE, credential)).users.get(ADELE)
    assert user.display_name == "Adele Vance"
