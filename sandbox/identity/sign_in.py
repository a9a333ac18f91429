"""A person's sign-in: with a password or a Temporary Access Pass, against the directory as it is now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sandbox.directory.directory import Directory
from sandbox.directory.rows import User
from sandbox.directory.tenant import Tenant
from sandbox.identity.errors import (
    no_such_user,
    pass_not_accepted,
    tenant_not_found,
    user_disabled,
    wrong_password,
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in where and how. ``ends`` limits the session of a pass; None is the usual length."""

    tenant: Tenant
    user: User
    method: Literal["password", "temporaryAccessPass"]
    ends: datetime | None
    must_change_password: bool


def with_password(directory: Directory, username: str, password: str, tenant: Tenant | None = None) -> SignedIn:
    """Sign in with a password. Raises ``SignInError``; a disabled account is refused whatever the password."""
    where, user = _account(directory, username, tenant)
    domain = where.organization.domain(user.domain)
    federated = domain is not None and domain.authentication_type == "Federated"
    if federated or user.password is None or not user.password.matches(password):
        raise wrong_password()
    return SignedIn(where, user, "password", None, user.must_change_password)


def with_temporary_access_pass(directory: Directory, username: str, value: str, now: datetime) -> SignedIn:
    """Sign in with a pass, which uses up a one-time pass. Raises ``SignInError``."""
    tenant, user = _account(directory, username, None)
    held = user.temporary_access_pass
    if held is None or not held.digest.matches(value):
        raise pass_not_accepted()
    if held.usability(tenant.organization.temporary_access_pass, now) != "EnabledByPolicy":
        raise pass_not_accepted()
    if held.is_usable_once:
        tenant.users.put(replace(user, temporary_access_pass=replace(held, used=True)))
    return SignedIn(tenant, user, "temporaryAccessPass", held.expires, must_change_password=False)


def _account(directory: Directory, username: str, tenant: Tenant | None) -> tuple[Tenant, User]:
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
