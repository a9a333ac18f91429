"""The embedded default: PostgreSQL, Temporal, the simulated tenant and a worker on this machine, nothing installed.

``LocalStack`` runs them as child processes and keeps all state in one directory; ``running_stack`` finds the stack
that another terminal started.
"""

from entra_jit.local_stack.addresses import DEFAULT_STATE_DIR, StackAddresses, running_stack
from entra_jit.local_stack.child import StackError
from entra_jit.local_stack.stack import LocalStack, Programs
from entra_jit.local_stack.temporal import NAMESPACE, SEARCH_ATTRIBUTES, temporal_program

__all__ = [
    "DEFAULT_STATE_DIR",
    "NAMESPACE",
    "SEARCH_ATTRIBUTES",
    "LocalStack",
    "Programs",
    "StackAddresses",
    "StackError",
    "running_stack",
    "temporal_program",
]
