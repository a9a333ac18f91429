"""What workflows and their messages are called in Temporal.

Clients send by these names and do not import the workflows: a client and a worker meet in the names and in the messages
alone.
"""

ACCESS_GRANT = "AccessGrant"
RECONCILIATION = "Reconciliation"
REVIEWS = "Reviews"
EXAMINATIONS = "Examinations"
PORTAL_ERRAND = "PortalErrand"
EMERGENCY_ACCOUNTS = "EmergencyAccounts"
EMERGENCY_ROUNDS = "EmergencyRounds"

# of AccessGrant
REQUEST_ACCESS = "request_access"
END = "end"
RETRY = "retry"
EXTEND = "extend"
RENEW = "renew"
DECISION = "decision"
STATUS = "status"

_GRANT = "grant/"

GRANT_DETAILS = (
    "A technician's just-in-time access to a customer's tenant, from asking to receipt. "
    "While a worker runs, the current details say where it stands.\n\n"
    "**Request Cancellation** closes the account. **Terminate** would leave it open."
)
"""What Temporal's UI shows of a grant also where no worker lives."""


EMERGENCY_DETAILS = (
    "What a tenant's emergency accounts need now: made, rotated, tried. Whatever ends this workflow, at every moment a "
    "credential that has signed in stays registered, and the next round goes on from there."
)
"""What Temporal's UI shows of the work on a tenant's emergency accounts."""


def emergency_workflow_id(tenant_id: str) -> str:
    """The id of the work on a tenant's emergency accounts: at most one at a time."""
    return f"emergency/{tenant_id}"


def request_id(tenant: str, technician: str, key: str) -> str:
    """The id of a request: ``contoso/alex/7f3a9c21d4``. ``key`` is the caller's, or drawn.

    The names are for people to read: they are what tenant and technician were called when the request was made, and a
    key counts within them.
    """
    return f"{tenant}/{technician}/{key}"


def technician_named_in(request_id: str) -> str | None:
    """Whom the request was made for, as they were called then; for one that the ledger does not know yet."""
    parts = request_id.split("/")
    return parts[1] if len(parts) == 3 else None


def workflow_id(request_id: str) -> str:
    """The id of a request's workflow, ``grant/contoso/alex/7f3a9c21d4``.

    It follows from the request's id alone, so that a grant can be ended while the ledger is away or has lost it.
    """
    return f"{_GRANT}{request_id}"


def request_id_of(workflow_id: str) -> str:
    """The id of the request that a workflow of this id lives."""
    return workflow_id.removeprefix(_GRANT)
