"""A person's sign-in: with a password, a Temporary Access Pass or a passkey, against the directory as it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from sandbox import passkeys
from sandbox.audit.sign_ins import PASS, PASSWORD, attempted, passkey_step
from sandbox.clock import seconds
from sandbox.directory.directory import Directory
from sandbox.directory.rows import SignInMethod, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json
from sandbox.identity.errors import tenant_not_found
from sandbox.identity.person_errors import (
    no_such_user,
    pass_not_accepted,
    passkey_not_accepted,
    user_disabled,
    wrong_password,
)

PASSKEY_SIGN_IN = "sign in"
"""What its challenges are for."""
Method = Literal["password", "temporaryAccessPass", "passkey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who signed in where, when and how. ``ends`` limits the session of a pass; None is the usual length."""

    tenant: Tenant
    user: User
    method: Method
    at: datetime
    ends: datetime | None = None
    second_factor: bool = False
    session_id: str = field(default_factory=lambda: str(uuid4()))

    @property
    def must_change_password(self) -> bool:
        """Whether the password was only lent: a person has to choose an own one before anything else."""
        return self.method == "password" and self.user.must_change_password

    @property
    def has_mfa(self) -> bool:
        """Whether this counts as more than one factor; a Temporary Access Pass and a passkey do by themselves."""
        return self.second_factor or self.method != "password"


def with_password(
    directory: Directory,
    username: str,
    password: str,
    now: datetime,
    tenant: Tenant | None = None,
    demand: Callable[[SignedIn], None] = lambda _: None,
) -> SignedIn:
    """Sign in with a password. Raises ``SignInError``; a disabled account is refused whatever the password.

    ``demand`` refuses by raising, where the right password is not enough: the log tells of a sign-in that failed.
    """
    with attempted(directory, username, tenant, now, PASSWORD):
        where, user = account(directory, username, tenant)
        if is_federated(where, user) or user.password is None or not user.password.matches(password):
            raise wrong_password()
        signed_in = SignedIn(tenant=where, user=user, method="password", at=now)
        demand(signed_in)
    return signed_in


def with_temporary_access_pass(
    directory: Directory, username: str, value: str, now: datetime, tenant: Tenant | None = None
) -> SignedIn:
    """Sign in with a pass, which uses up a one-time pass. Raises ``SignInError``."""
    with attempted(directory, username, tenant, now, PASS):
        where, user = account(directory, username, tenant)
        held = user.temporary_access_pass
        if held is None or not held.digest.matches(value) or not has_usable_pass(where, user, now):
            raise pass_not_accepted()
        if now < held.created + timedelta(seconds=where.organization.temporary_access_pass.new_passes_refused):
            raise pass_not_accepted()
    if held.is_usable_once:
        user = replace(user, temporary_access_pass=replace(held, used=True))
        where.users.put(user)
    return SignedIn(tenant=where, user=user, method="temporaryAccessPass", at=now, ends=held.expires)


def with_passkey(directory: Directory, username: str, assertion: Json, origin: str, now: datetime) -> SignedIn:
    """Sign in with a passkey of this account that the tenant's policy lets it use. Raises ``SignInError``."""
    with attempted(directory, username, None, now, passkey_step()) as steps:
        where, user = account(directory, username)
        try:
            used = passkeys.signed_with(PASSKEY_SIGN_IN, user.methods, assertion, origin, now)
        except passkeys.PasskeyError:
            raise passkey_not_accepted() from None
        steps[:] = [passkey_step(used)]
        if not passkeys.may_use(where, user, used):
            raise passkey_not_accepted()
    user = _with_use(user, used, now)
    where.users.put(user)
    return SignedIn(tenant=where, user=user, method="passkey", at=now)


def _with_use(user: User, used: SignInMethod, now: datetime) -> User:
    noted = replace(used, last_used=seconds(now))
    return replace(user, methods=tuple(noted if one.id == used.id else one for one in user.methods))


def has_usable_passkey(tenant: Tenant, user: User) -> bool:
    """Whether the account has a passkey that would open it now."""
    return any(method.public_key and passkeys.may_use(tenant, user, method) for method in user.methods)


def has_usable_pass(tenant: Tenant, user: User, now: datetime) -> bool:
    """Whether a pass would open the account now; then it is what the page asks for first."""
    held = user.temporary_access_pass
    policy = tenant.organization.temporary_access_pass
    return held is not None and held.usability(policy, now) == "EnabledByPolicy"


def is_federated(tenant: Tenant, user: User) -> bool:
    """Whether another identity provider checks this account's password."""
    domain = tenant.organization.domain(user.domain)
    return domain is not None and domain.authentication_type == "Federated"


def account(directory: Directory, username: str, tenant: Tenant | None = None) -> tuple[Tenant, User]:
    """The account of this name, with its tenant. Raises ``SignInError`` if there is none or it is disabled."""
    domain = username.rpartition("@")[2]
    where = tenant or directory.tenant(domain)
    if where is None:
        raise tenant_not_found(domain)
    user = where.user(username)
    if user is None:
        raise no_such_user(where.organization.display_name)
    if not user.enabled:
        raise user_disabled()
    return where, user
