"""What workflows and their messages are called in Temporal.

Clients send by these names and do not import the workflows: a client and a worker meet in the names and in the messages
alone.
"""

ACCESS_GRANT = "AccessGrant"
RECONCILIATION = "Reconciliation"

# of AccessGrant
REQUEST_ACCESS = "request_access"
END = "end"
RETRY = "retry"
EXTEND = "extend"
DECISION = "decision"
STATUS = "status"
