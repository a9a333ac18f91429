"""What is examined of a tenant: each check's code, in this one place, and what an examination found.

The codes stand in the runbook, on pages and in the ledger: a code keeps its meaning for ever and is never used again.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Self

from pydantic import AwareDatetime

from models.message import Message


class CheckState(StrEnum):
    """What a check has come to."""

    OK = "ok"
    UNKNOWN = "unknown"
    """It could not be tried; the finding says why."""
    WARNING = "warning"
    """Grants work; something about them will not be as wanted."""
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """The higher, the worse. What is unknown is no worse than what is good: it says nothing."""
        return {CheckState.WARNING: 1, CheckState.FAILED: 2}.get(self, 0)


class Check(Enum):
    """One thing that is examined, by its code; in the order in which they are shown."""

    title: str
    meaning: str
    """What it means for grants that the check fails."""
    remedy: str
    """What to do, where the finding has no better advice."""
    is_necessary: bool
    """Without it no grant can be opened, or none be closed."""

    def __new__(cls, code: str, title: str, meaning: str, remedy: str, is_necessary: bool = False) -> Self:  # noqa: FBT001, FBT002
        """A code that knows what it stands for."""
        member = object.__new__(cls)
        member._value_ = code
        member.title, member.meaning, member.remedy, member.is_necessary = title, meaning, remedy, is_necessary
        return member

    @property
    def code(self) -> str:
        """``D101``."""
        return str(self.value)

    SIGN_IN = (
        "D101",
        "sign-in",
        "Our application cannot sign in to the tenant: nothing opens there, and nothing closes.",
        "Correct the tenant's id, the client id or the credential, then `starter.py apply`.",
        True,
    )
    ORGANIZATION = (
        "D102",
        "organization",
        "The credential opens another tenant than the one that is configured.",
        "Correct the tenant's `id` in the configuration, then `starter.py apply`.",
        True,
    )
    PERMISSIONS_MISSING = (
        "D103",
        "permissions missing",
        "Microsoft refuses a step of opening or closing.",
        "Add the permissions to the application and grant admin consent.",
        True,
    )
    PERMISSIONS_IN_EXCESS = (
        "D104",
        "permissions in excess",
        "The application may do what entra-jit never does.",
        "Remove the permissions from the application.",
    )
    DIRECTORY_ROLE = (
        "D105",
        "directory role",
        "Accounts with administrator roles can be neither opened nor closed.",
        "Assign Privileged Authentication Administrator to it: `starter.py tenant doctor TENANT --fix`.",
        True,
    )
    CREDENTIALS = (
        "D106",
        "credential expiry",
        "After the expiry our application cannot sign in: nothing opens, and nothing closes.",
        "Add a new credential to the application, change its source, `starter.py apply`, remove the old one.",
    )
    APP_MANAGEMENT = (
        "D107",
        "app management policy",
        "The tenant forbids, or limits the lifetime of, the kind of credential that our application uses.",
        "Use a certificate or a federated credential, or have the application excluded from the policy.",
    )
    CLOCK = (
        "D108",
        "clock",
        "Expiries and signed marks are wrong by the difference.",
        "Synchronise this machine's clock.",
    )
    THROTTLING = (
        "D109",
        "throttling",
        "Microsoft is about to answer 429: opening and closing slow down.",
        "Find what else uses the application in this tenant; give each program its own.",
    )
    DOMAIN = (
        "D201",
        "account domain",
        "Accounts cannot be made in the domain, or cannot sign in to Microsoft itself.",
        "Use the tenant's `*.onmicrosoft.com` domain as `account_domain`.",
        True,
    )
    ROLES = (
        "D202",
        "mapped roles",
        "A grant that maps to the role is parked.",
        "Correct the role mapping, then `starter.py apply`.",
    )
    GROUPS = (
        "D203",
        "mapped groups",
        "A grant that maps to the group is parked.",
        "Map a security group with assigned members, then `starter.py apply`.",
    )
    ATTRIBUTES = (
        "D204",
        "extension attributes",
        "Something else writes extension attributes 14 or 15 of our accounts: our marks are lost.",
        "Exclude our account prefix from whatever writes these attributes.",
    )
    FOREIGN_ACCOUNTS = (
        "D205",
        "foreign accounts",
        "Accounts that are not ours have names with our prefix: a technician of that name gets no access.",
        "Rename them, choose another `account_prefix`, or `starter.py register TENANT` if they are ours.",
    )
    GLOBAL_ADMINISTRATORS = (
        "D206",
        "Global Administrators",
        "Without two others the tenant can be lost with our account; more than four are a risk.",
        "Keep two to four enabled Global Administrators besides our accounts.",
    )
    PASS_POLICY = (
        "D301",
        "pass policy",
        "Our accounts cannot have a Temporary Access Pass.",
        "Enable the method for all users or for a group of our accounts, or set `credential: password`.",
    )
    PASS_LIFETIME = (
        "D302",
        "pass lifetime",
        "A pass ends before its grant does, and the technician needs a new one.",
        "Raise the policy's maximum lifetime to `max_hours`.",
    )
    PASS_ONCE = (
        "D303",
        "one-time passes",
        "A pass works once: each further sign-in of a grant needs a new one.",
        "Allow passes that can be used more than once.",
    )
    SECURITY_DEFAULTS = (
        "D304",
        "security defaults",
        "Every sign-in with a password alone asks to register a second factor, which closing deletes.",
        "Use passes: enable the Temporary Access Pass policy.",
    )
    CONDITIONAL_ACCESS = (
        "D305",
        "Conditional Access",
        "Policies may keep technicians out: they demand what a pass or a password does not satisfy.",
        "Exclude a group of our accounts from the policies, and grant it as a security group.",
    )
    LICENCES = (
        "D306",
        "licences",
        "Without Entra ID P1 there is no Conditional Access and no sign-in log; without P2 no eligible roles.",
        "Nothing, unless you need these.",
    )
    PASSKEYS = (
        "D307",
        "passkey policy",
        "Our accounts could not have passkeys, which emergency accounts need, and phishing-resistant sign-in demands.",
        "Enable passkeys with self-service set-up, without attestation, for a group of our accounts.",
    )
    CANARY = (
        "D401",
        "canary",
        "The last canary was not opened, not let in, or not proven closed: so may be a grant.",
        "Read its receipt; `starter.py tenant canary TENANT` runs another.",
    )
    EMERGENCY = (
        "D402",
        "emergency accounts",
        "An emergency account is not made, or its sealed credential was not seen to sign in for six weeks.",
        "`starter.py emergency list` says why; `starter.py emergency drill TENANT` tries it again.",
    )


class Finding(Message):
    """What one check has come to in one tenant."""

    check: Check
    state: CheckState
    read: str
    """What was read, a sentence."""
    advice: str = ""
    """What to do about it, where it is more than the check's own remedy."""

    @property
    def to_do(self) -> str:
        """What to do; empty where nothing is."""
        if self.state is CheckState.OK:
            return ""
        return self.advice or ("" if self.state is CheckState.UNKNOWN else self.check.remedy)


class Examination(Message):
    """What was found in one tenant, once."""

    tenant: str
    examined_at: AwareDatetime
    findings: tuple[Finding, ...]

    @property
    def is_usable(self) -> bool:
        """Every necessary check is good: grants can be opened and closed."""
        return all(one.state is CheckState.OK for one in self.findings if one.check.is_necessary)

    @property
    def has_failed(self) -> bool:
        """Some check has failed, or a necessary one could not be tried."""
        return not self.is_usable or any(one.state is CheckState.FAILED for one in self.findings)


class Repaired(Message):
    """One repair: proposed, made, or refused."""

    check: Check
    change: str
    by_hand: bool
    """An administrator has to do it."""
    done: bool = False
    refused: str | None = None
    """Why it could not be made."""
