"""What the activities are called, what they take and what they give. Imports nothing that a workflow may not have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from temporalio import activity

from models.alarms import Alarm
from models.messages import (
    AccessGiven,
    AccountReady,
    AccountToClose,
    Armed,
    Closed,
    Decision,
    EmergencyCredentialRef,
    EmergencyRef,
    EmergencyTenant,
    EmergencyWork,
    Fence,
    GrantRef,
    PassId,
    Receipt,
    Settlement,
    SignedAccessRequest,
    SignedErrand,
    SignInAttempt,
    TenantReport,
    TenantReview,
    TenantToReconcile,
    TenantVerdict,
    ToExtend,
    ToGive,
    ToPark,
    ToRenew,
    ToUnpark,
)


class Deciding(ABC):
    """The ledger's part in letting a grant begin and go on."""

    @activity.defn
    @abstractmethod
    async def decide(self, signed: SignedAccessRequest) -> Decision:
        """Verify who asks, decide, and take the lock. Repeated: the same answer."""

    @activity.defn
    @abstractmethod
    async def arm(self, ref: GrantRef) -> Armed:
        """Fix the expiry and sign its mark, once, before anything is opened. Repeated: the same answer."""

    @activity.defn
    @abstractmethod
    async def park(self, to_park: ToPark) -> None:
        """Record that provisioning waits for an operator."""

    @activity.defn
    @abstractmethod
    async def unpark(self, to_unpark: ToUnpark) -> GrantRef:
        """Begin the next attempt of a parked grant."""


class Provisioning(ABC):
    """What widens access. Each is told a grant's id and reads access, name and hours from the ledger."""

    @activity.defn
    @abstractmethod
    async def ready(self, ref: GrantRef) -> AccountReady:
        """The domain is verified and managed, and the technician's account is there, ours, and closed."""

    @activity.defn
    @abstractmethod
    async def give(self, to_give: ToGive) -> AccessGiven:
        """The account holds the granted access and no other, and has a fresh credential, sealed in the ledger.

        What it had already is noted.
        """

    @activity.defn
    @abstractmethod
    async def open(self, ref: GrantRef) -> datetime:
        """Enable the account, behind the admission check. Gives the time at which it was opened."""

    @activity.defn
    @abstractmethod
    async def renew_credential(self, to_renew: ToRenew) -> PassId | None:
        """Put a new credential, sealed in the ledger, in the place of the one before. Gives a pass's id."""

    @activity.defn
    @abstractmethod
    async def extend_grant(self, to_extend: ToExtend) -> datetime:
        """Move the expiry in ledger and mark. Gives the new expiry."""


class Alarming(ABC):
    """Telling people."""

    @activity.defn
    @abstractmethod
    async def raise_alarm(self, alarm: Alarm) -> None:
        """Raise it; what stands already is not announced again."""


class Reconciling(ABC):
    """Holding directories against the ledger, whatever became of the grants' workflows."""

    @activity.defn
    @abstractmethod
    async def list_tenants(self, only: str | None) -> list[TenantToReconcile]:
        """Every tenant that may hold accounts of ours, or only the one of this name."""

    @activity.defn
    @abstractmethod
    async def reconcile_tenants(self, tenants: list[TenantToReconcile]) -> list[TenantReport]:
        """Close what is open there without a reason. One tenant's failure is in its report and stops no other."""

    @activity.defn
    @abstractmethod
    async def list_reviews(self, only: str | None) -> list[TenantToReconcile]:
        """The tenants whose audit is due to be read for a grant that has ended, or only the one of this name."""

    @activity.defn
    @abstractmethod
    async def review_tenant(self, tenant: TenantToReconcile) -> TenantReview:
        """Read it, and write the addenda. What fails is in the review."""


class Examining(ABC):
    """Finding out whether tenants are set up for grants. Changes nothing in them."""

    @activity.defn
    @abstractmethod
    async def list_tenants_in_turn(self, only: str | None) -> list[str]:
        """The names of the active tenants, in the order in which they are to be examined; or only this one."""

    @activity.defn
    @abstractmethod
    async def examine_tenant(self, tenant: str) -> TenantVerdict:
        """Run every check in it and keep the results. What fails is in the verdict."""

    @activity.defn
    @abstractmethod
    async def try_canary(self, canary: GrantRef) -> SignInAttempt:
        """Sign in as the doctor's canary, whose grant is open, and enter how that went. Harmless when repeated."""


class Emergency(ABC):
    """The work on emergency accounts. Keys stay in the ledger, sealed: credentials travel by their handles."""

    @activity.defn
    @abstractmethod
    async def list_emergency_tenants(self, only: str | None) -> list[EmergencyTenant]:
        """The tenants in which something is due, or only the one of this id."""

    @activity.defn
    @abstractmethod
    async def list_emergency_work(self, tenant: EmergencyTenant) -> list[EmergencyWork]:
        """What is due in one tenant."""

    @activity.defn
    @abstractmethod
    async def watch_emergency_use(self, only: str | None) -> list[str]:
        """Alarm every sign-in that nothing explains, and every policy that keeps an account out. Gives sentences."""

    @activity.defn
    @abstractmethod
    async def ensure_emergency_account(self, account: EmergencyRef) -> None:
        """The account exists and is ours; a new one is disabled and holds nothing."""

    @activity.defn
    @abstractmethod
    async def make_passkey(self, account: EmergencyRef) -> EmergencyCredentialRef:
        """A key pair is made and sealed. Repeated, or after a rotation that was cut short: the same one."""

    @activity.defn
    @abstractmethod
    async def register_passkey(self, credential: EmergencyCredentialRef) -> None:
        """The directory has the passkey."""

    @activity.defn
    @abstractmethod
    async def complete_emergency_account(self, account: EmergencyRef) -> None:
        """The account is Global Administrator and enabled: done once, and left alone later."""

    @activity.defn
    @abstractmethod
    async def prove_passkey(self, credential: EmergencyCredentialRef) -> SignInAttempt:
        """The passkey has signed in."""

    @activity.defn
    @abstractmethod
    async def retire_other_passkeys(self, credential: EmergencyCredentialRef) -> bool:
        """The account's other passkeys of ours are deleted. False: one of them may still be used for a while."""

    @activity.defn
    @abstractmethod
    async def drill_emergency_account(self, account: EmergencyRef) -> SignInAttempt:
        """Try the credential that the account has. How that went is kept, and told where it failed."""


class Errands(ABC):
    """What the portal has a worker do."""

    @activity.defn
    @abstractmethod
    async def carry_out(self, signed: SignedErrand) -> None:
        """Verify who asks, do it, and keep what came of it in the ledger. What is refused is such an outcome."""


class Closing(ABC):
    """What ends access. None needs the ledger but ``fence`` and ``settle``."""

    @activity.defn
    @abstractmethod
    async def fence(self, request_id: str) -> Fence:
        """No opening of this grant can begin any more. For a ledger that was away when the account was closed."""

    @activity.defn
    @abstractmethod
    async def close(self, account: AccountToClose) -> Closed:
        """Fence, disable and strip at the same time, and read back; raises until the directory says it is closed."""

    @activity.defn
    @abstractmethod
    async def settle(self, settlement: Settlement) -> Receipt | None:
        """Look at what stays behind, write the receipt, forget the credential, release the lock."""
