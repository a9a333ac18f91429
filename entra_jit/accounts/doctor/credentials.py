"""How long our applications can still prove themselves, and what the tenant allows them to prove themselves with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_jit.accounts.doctor.examined import (
    Examination,
    ExaminedTenant,
    OurApplication,
    failed,
    ok,
    unknown,
    warning,
)
from entra_jit.accounts.own_applications import end_of
from entra_jit.graph import ClientCertificate, ClientSecret, FederatedAssertion
from entra_jit.graph.applications import ApplicationCredentials
from entra_jit.graph.policies import AppManagementPolicy, CredentialRestriction
from entra_jit.policy.durations import format_duration
from models.checks import Check, Finding

WARN_BEFORE = timedelta(days=30)
FAIL_BEFORE = timedelta(days=7)


@dataclass(frozen=True)
class Lifetime:
    """How long one application's credential lasts."""

    kind: str
    ends_at: datetime | None = None
    """None: it has no end, or ``is_known`` is False."""
    is_known: bool = True


def judge_expiry(lifetimes: Mapping[str, Lifetime], at: datetime) -> Finding:
    """Whether a credential ends soon; ``lifetimes``: by application."""
    ends = {name: one.ends_at for name, one in lifetimes.items() if one.ends_at}
    unread = [name for name, one in lifetimes.items() if not one.is_known]
    read = "; ".join(f"{name}: {_describe(one, at)}" for name, one in lifetimes.items()) + "."
    soonest = min(ends.values(), default=None)
    if soonest is not None and soonest - at <= FAIL_BEFORE:
        return failed(Check.CREDENTIALS, read)
    if soonest is not None and soonest - at <= WARN_BEFORE:
        return warning(Check.CREDENTIALS, read)
    if unread:
        return unknown(
            Check.CREDENTIALS, read, "Note the secret's expiry at home, or use a certificate: its end is known."
        )
    return ok(Check.CREDENTIALS, read)


def judge_app_management(policy: AppManagementPolicy, kinds: Mapping[str, str], at_home: Collection[str]) -> Finding:
    """Whether the policy concerns our credentials. ``kinds``: by application; ``at_home``: those registered here."""
    concerned = [name for name in kinds if name in at_home and kinds[name] != "federated"]
    if not policy.is_enabled or not concerned:
        reason = "The policy is off" if not policy.is_enabled else "The policy does not concern our applications"
        return ok(Check.APP_MANAGEMENT, f"{reason}.")
    restrictions = policy.application_restrictions
    found = [
        f"{name} uses a {kinds[name]}: {_describe_restriction(one)}"
        for name in concerned
        for one in (restrictions.password_credentials if kinds[name] == "secret" else restrictions.key_credentials)
        if one.state != "disabled" and one.kind in _OF_KIND[kinds[name]]
    ]
    if found:
        return warning(Check.APP_MANAGEMENT, f"{'; '.join(found)}.")
    return ok(Check.APP_MANAGEMENT, "It allows our credentials.")


_OF_KIND = {
    "secret": {"passwordAddition", "customPasswordAddition", "passwordLifetime"},
    "certificate": {"asymmetricKeyLifetime"},
}


def _describe_restriction(one: CredentialRestriction) -> str:
    if one.max_lifetime is None:
        return "new ones are forbidden"
    return f"a new one may last {one.max_lifetime.days} days"


def _describe(one: Lifetime, at: datetime) -> str:
    if not one.is_known:
        return f"the {one.kind}'s end is not known here"
    if one.ends_at is None:
        return f"{one.kind}, no end"
    if one.ends_at <= at:
        return f"the {one.kind} ended on {one.ends_at:%Y-%m-%d}"
    return f"the {one.kind} ends on {one.ends_at:%Y-%m-%d}, in {format_duration(one.ends_at - at)}"


async def _expiry(tenant: ExaminedTenant) -> Sequence[Finding]:
    return [judge_expiry({one.name: await _lifetime(tenant, one) for one in tenant.applications}, tenant.at)]


async def _app_management(tenant: ExaminedTenant) -> Sequence[Finding]:
    policy = await tenant.as_seen_by("elevate").policies.app_management()
    kinds = {one.name: one.tenant.connection.credential.kind for one in tenant.applications}
    at_home = [one.name for one in tenant.applications if policy.is_enabled and await _registration(tenant, one)]
    return [judge_app_management(policy, kinds, at_home)]


async def _lifetime(tenant: ExaminedTenant, application: OurApplication) -> Lifetime:
    match application.tenant.connection.credential:
        case ClientCertificate(certificate=pem):
            return Lifetime("certificate", end_of(pem))
        case FederatedAssertion():
            return Lifetime("federated credential")
        case ClientSecret() if ends := tenant.ends.get(application.tenant.connection.client_id):
            return Lifetime("secret", ends)
        case ClientSecret(secret=secret):
            found = await _registration(tenant, application)
            begins = secret.get_secret_value()
            ours = [one for one in (found.secrets if found else ()) if one.hint and begins.startswith(one.hint)]
            # Of several that begin so, the last to end: with it our application signs in until then.
            ends = max((one.ends_at for one in ours if one.ends_at), default=None)
            return Lifetime("secret", ends, is_known=ends is not None)


async def _registration(tenant: ExaminedTenant, application: OurApplication) -> ApplicationCredentials | None:
    reader = tenant.as_seen_by("revoke").applications
    return await reader.credentials(application.tenant.connection.client_id)


EXAMINATIONS = (Examination((Check.CREDENTIALS,), _expiry), Examination((Check.APP_MANAGEMENT,), _app_management))
