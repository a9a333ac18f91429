"""Every workflow of ours, once: what workers run is what ``check-upgrade`` replays.

Not in the package itself, which Temporal's sandbox imports anew for each workflow.
"""

from workflows.access_grant import AccessGrant
from workflows.emergency_accounts import EmergencyAccounts, EmergencyRounds
from workflows.errands import PortalErrand
from workflows.examinations import Examinations
from workflows.reconciliation import Reconciliation
from workflows.reviews import Reviews

WORKFLOWS: tuple[type, ...] = (
    AccessGrant,
    Reconciliation,
    Reviews,
    Examinations,
    PortalErrand,
    EmergencyAccounts,
    EmergencyRounds,
)
