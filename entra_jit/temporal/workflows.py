"""Every workflow of ours, once: what workers run is what a rehearsal replays."""

from workflows.access_grant import AccessGrant
from workflows.reconciliation import Reconciliation

ALL: tuple[type, ...] = (AccessGrant, Reconciliation)
