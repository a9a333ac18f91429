"""Whether our accounts could have passkeys: what the policy, and each account's part of it, stand in the way with.

What can be put right is confined to a group of our emergency accounts: nothing of it lets another account in. What
would (leaving the tenant's exclusions, opting in to profiles, from which there is no way back) is an administrator's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

from pydantic import JsonValue

from entra_jit.accounts.doctor.examined import ExaminedTenant, failed, listed, ok, warning
from entra_jit.accounts.emergency.group import GROUP_NAME, is_ours
from entra_jit.graph import Group, Tenant
from entra_jit.graph.passkey_policy import MOST_PROFILES, PasskeyPolicy, PasskeyProfile
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.emergency import AAGUID
from models.checks import Check, Finding
from models.messages import DirectoryCall, ObjectId

_NICKNAME = "entra-jit-emergency"
_MODEL = str(AAGUID)
_OUR_TYPE = "synced"
"""What Microsoft takes our passkeys for: they say that they are kept in more than one place."""


def hindrances(policy: PasskeyPolicy, groups: Collection[str] = ()) -> tuple[str, ...]:
    """Why an account in these groups could not have a passkey of ours, in words of a list; empty: it could."""
    found = [
        *(["disabled"] if not policy.is_enabled else []),
        *(["self-service set-up is off"] if not policy.is_self_service_registration_allowed else []),
    ]
    if policy.leaves_out(groups):
        return (*found, "a group of theirs is excluded")
    profiles = policy.profiles_for(groups)
    if not profiles:
        return (*found, "they are not targeted")
    # One profile that takes it is enough.
    return (*found, *min((_of_profile(profile) for profile in profiles), key=len))


def _of_profile(profile: PasskeyProfile) -> list[str]:
    is_attested = profile.attestation_enforcement != "disabled"
    is_ours = _OUR_TYPE in profile.passkey_types.replace(" ", "").split(",")
    return [
        *(["attestation is enforced"] if is_attested else []),
        *(["synced passkeys are not allowed"] if not is_ours and not is_attested else []),
        *(["only some models"] if not profile.key_restrictions.take(_MODEL) else []),
    ]


async def groups_of(tenant: ExaminedTenant) -> dict[ObjectId, tuple[Group, ...]]:
    """The groups that each emergency account is in. Those of groups are not among them. Raises ``GraphError``."""
    reader, accounts = tenant.as_seen_by("revoke"), sorted(tenant.configured.emergency)
    found = await asyncio.gather(*map(reader.users.memberships, accounts))
    return {account: one.groups for account, one in zip(accounts, found, strict=True)}


def judge_passkeys(
    policy: PasskeyPolicy,
    groups: Mapping[ObjectId, Sequence[Group]],
    demanding: Collection[str],
    configured: ConfiguredTenant,
) -> Finding:
    """Whether our accounts could have passkeys. Emergency accounts always need one, others where it is demanded.

    ``groups``: of each emergency account. ``demanding``: the names of policies that demand it of grants' accounts.
    """
    each = [[group.id for group in held] for held in groups.values()] or [[]]
    found = dict.fromkeys(one for ids in each for one in hindrances(policy, ids))
    if not found:
        return ok(Check.PASSKEYS, "Our accounts could have passkeys.")
    read = f"Our accounts could not have passkeys: {', '.join(found)}."
    if configured.emergency_accounts:
        return failed(Check.PASSKEYS, f"{read} Emergency accounts sign in with nothing else.")
    if demanding:
        return warning(Check.PASSKEYS, f"{read} Demanded by {listed(demanding)}.")
    return ok(Check.PASSKEYS, f"{read} No policy demands them.")


@dataclass(frozen=True)
class Opening:
    """How the policy is opened to a group of our accounts alone."""

    group: ObjectId | None
    """The group that there is; None: it is made."""
    new_members: tuple[ObjectId, ...]
    settings: Mapping[str, JsonValue]
    """Of the policy, without the target. Empty: only members are missing."""
    is_target: bool
    """The group is to become a target."""
    profile: str | None
    """The id of the profile that the target is given; None: the tenant has no profiles."""
    words: str
    """What is changed, a sentence in the imperative."""

    async def make(self, directory: Tenant, policy: PasskeyPolicy) -> DirectoryCall:
        """Change it. Raises ``GraphError``."""
        group, call = self.group, policy.evidence
        if group is None:
            created = await directory.groups.create(GROUP_NAME, _NICKNAME, self.new_members)
            group, call = created.id, created.evidence
        else:
            for account in self.new_members:
                call = await directory.groups.add_member(account, group=group)
        settings = dict(self.settings)
        if self.is_target:
            others = [one.written() for one in policy.include_targets if policy.is_enabled and one.id != group]
            settings["includeTargets"] = [*others, _target(group, self.profile)]
        return await directory.passkey_policy.change(**settings) if settings else call


def _target(group: ObjectId, profile: str | None) -> dict[str, JsonValue]:
    target: dict[str, JsonValue] = {"targetType": "group", "id": group, "isRegistrationRequired": False}
    return target | {"allowedPasskeyProfiles": [profile]} if profile else target


def plan_opening(
    policy: PasskeyPolicy, groups: Mapping[ObjectId, Sequence[Group]], names: Mapping[ObjectId, str]
) -> Opening | str | None:
    """How the policy is opened to these accounts; a sentence: an administrator has to do that; None: nothing is to do.

    ``groups``: by account, those that it is in. ``names``: of the accounts.
    """
    ids = {account: frozenset(group.id for group in held) for account, held in groups.items()}
    lacking = [account for account in groups if hindrances(policy, ids[account])]
    if not lacking:
        return None
    if left_out := sorted(names[account] for account in lacking if policy.leaves_out(ids[account])):
        return f"Take the group of {', '.join(left_out)} out of the exclusions of the passkey policy."
    ours = next((group for held in groups.values() for group in held if is_ours(group)), None)
    profile = _our_profile(ours, policy)
    if isinstance(profile, str):
        return profile
    members = tuple(account for account in groups if ours is None or ours.id not in ids[account])
    return _opening(policy, ours, members, profile, names)


def _our_profile(ours: Group | None, policy: PasskeyPolicy) -> PasskeyProfile | str | None:
    """The profile that our group needs, new or as it is; None: the policy's own settings do; a sentence: by hand."""
    if not policy.passkey_profiles:
        reasons = _of_profile(policy.profiles_for([target.id for target in policy.include_targets])[0])
        if reasons:
            return (
                f"Opt in to passkey profiles, which cannot be undone: {' and '.join(reasons)}, for everyone. "
                "Then run this again: it adds a profile for our accounts alone."
            )
        return None
    fitting = [one for one in policy.passkey_profiles if not _of_profile(one)]
    if fitting:
        return fitting[0]
    if len(policy.passkey_profiles) >= MOST_PROFILES:
        return (
            f"There are {MOST_PROFILES} passkey profiles, the most that a tenant can have. Have one allow synced "
            f"passkeys of the model {_MODEL} without attestation, and give it to a group of our accounts."
        )
    return PasskeyProfile.model_validate(
        {
            "id": str(uuid5(NAMESPACE_URL, f"entra-jit/{GROUP_NAME}")),
            "name": GROUP_NAME,
            "passkeyTypes": "deviceBound,synced",
            "attestationEnforcement": "disabled",
            "keyRestrictions": {"isEnforced": True, "enforcementType": "allow", "aaGuids": [_MODEL]},
        }
    )


def _opening(
    policy: PasskeyPolicy,
    ours: Group | None,
    members: tuple[ObjectId, ...],
    profile: PasskeyProfile | None,
    names: Mapping[ObjectId, str],
) -> Opening:
    settings: dict[str, JsonValue] = {}
    words: list[str] = []
    who = ", ".join(sorted(names[account] for account in members))
    if ours is None:
        words.append(f"make a security group, {GROUP_NAME}, of {who}")
    elif members:
        words.append(f"put {who} into the group {GROUP_NAME}, {ours.id}")
    if profile and profile.id not in {one.id for one in policy.passkey_profiles}:
        settings["passkeyProfiles"] = [*(one.written() for one in policy.passkey_profiles), profile.written()]
        words.append(f"add a passkey profile without attestation, for the model {_MODEL} alone")
    is_target = ours is None or _is_to_be_target(policy, ours.id, profile)
    if is_target:
        words.append(f"let the group have passkeys{f' by the profile {profile.name}' if profile else ''}")
    if not policy.is_enabled:
        settings["state"] = "enabled"
        words.append("enable passkeys, for this group alone")
    if not policy.is_self_service_registration_allowed:
        settings["isSelfServiceRegistrationAllowed"] = True
        words.append("allow self-service set-up, which is for all who are targeted")
    sentence = "; ".join(words)
    return Opening(
        group=ours.id if ours else None,
        new_members=members,
        settings=settings,
        is_target=is_target,
        profile=profile.id if profile else None,
        words=f"{sentence[0].upper()}{sentence[1:]}.",
    )


def _is_to_be_target(policy: PasskeyPolicy, group: str, profile: PasskeyProfile | None) -> bool:
    """Whether the group is not given what our accounts need yet."""
    if not policy.is_enabled:
        return True
    held = policy.profiles_for([group])
    return not held if profile is None else profile.id not in {one.id for one in held}
