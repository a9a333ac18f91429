"""A write to an account that a grant holds: behind the admission check, and through when its lease ends.

The closing waits for the lease before its last read-back. A lease that is not given back is one that may be under way.
"""

from __future__ import annotations

from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import Purpose
from entra_jit.graph import Tenant
from entra_jit.ledger import admission
from entra_jit.ledger.admission import Admitted
from entra_jit.policy.leases import LEASE_MARGIN
from models.errors import ReadBackDisagreesError
from models.messages import GrantRef
from models.moments import steady_seconds


async def take_lease(backend: Backend, ref: GrantRef) -> tuple[Admitted, Tenant]:
    """Admit one write for the grant. Raises as ``admission.take_lease`` and ``time_to_open`` do."""
    asked = steady_seconds()
    async with backend.ledger.transaction() as session:
        at = await backend.time_to_open(session)
        admitted = await admission.take_lease(session, backend.keyring, ref, at, backend.lease)
    return admitted, await tenant_in_time(backend, admitted, asked)


async def tenant_in_time(backend: Backend, admitted: Admitted, asked: float) -> Tenant:
    """Where to write under the lease that was asked for when ``steady_seconds`` was ``asked``.

    Raises ``ReadBackDisagreesError``.
    """
    tenant = await backend.directories.of(admitted.grant.tenant_id, Purpose.ELEVATE)
    if steady_seconds() - asked > LEASE_MARGIN.total_seconds():
        # The rest of the lease is what the call itself may take; begun now, it could outlast the lease.
        raise ReadBackDisagreesError("The ledger was too slow for a write's lease.")
    return tenant
