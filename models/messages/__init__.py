"""Everything that crosses a Temporal boundary.

Messages are frozen and ignore fields they do not know, so that a rolling upgrade never loses a signal. No message
ever carries a password, a pass, a token or a client secret: credentials travel as the grant's id alone.
"""

from models.messages.access import AccessItem, AccessKind
from models.messages.asking import (
    AccessRequest,
    Assertion,
    EndAccess,
    Extension,
    RetryProvisioning,
    SignedAccessRequest,
    SignedExtension,
)
from models.messages.closing import AccountToClose, Carried, Closed, Closure, Ending, Fence, Settlement, Sweep, ToSweep
from models.messages.evidence import DirectoryCall, Standing, Step
from models.messages.granting import (
    ALARM_AFTER,
    AccountFound,
    Armed,
    Decision,
    EarlierRun,
    Grant,
    GrantRef,
    GrantStatus,
    ToExtend,
    ToPark,
)
from models.messages.ids import (
    LONGEST_SENTENCE,
    Name,
    ObjectId,
    PassId,
    RequestId,
    RequestKey,
    RoleId,
    Sentence,
    TechnicianId,
    TenantId,
)
from models.messages.receipts import Addendum, AddendumKind, Receipt, later
from models.messages.reconciling import ReconciliationReport, TenantReport, TenantReview, TenantToReconcile
from models.messages.states import (
    FINAL_STATES,
    NOTHING_GIVEN,
    ClosingStep,
    CredentialKind,
    FailureType,
    GrantState,
    Proof,
    Verdict,
)

__all__ = [
    "ALARM_AFTER",
    "FINAL_STATES",
    "LONGEST_SENTENCE",
    "NOTHING_GIVEN",
    "AccessItem",
    "AccessKind",
    "AccessRequest",
    "AccountFound",
    "AccountToClose",
    "Addendum",
    "AddendumKind",
    "Armed",
    "Assertion",
    "Carried",
    "Closed",
    "ClosingStep",
    "Closure",
    "CredentialKind",
    "Decision",
    "DirectoryCall",
    "EarlierRun",
    "EndAccess",
    "Ending",
    "Extension",
    "FailureType",
    "Fence",
    "Grant",
    "GrantRef",
    "GrantState",
    "GrantStatus",
    "Name",
    "ObjectId",
    "PassId",
    "Proof",
    "Receipt",
    "ReconciliationReport",
    "RequestId",
    "RequestKey",
    "RetryProvisioning",
    "RoleId",
    "Sentence",
    "Settlement",
    "SignedAccessRequest",
    "SignedExtension",
    "Standing",
    "Step",
    "Sweep",
    "TechnicianId",
    "TenantId",
    "TenantReport",
    "TenantReview",
    "TenantToReconcile",
    "ToExtend",
    "ToPark",
    "ToSweep",
    "Verdict",
    "later",
]
