"""Reconciliation as Temporal has it done: a share of the tenants at a time."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.signatures import Reconciling
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.accounts.reconciliation.review_tenant import Reviewing
from entra_jit.ledger import reconciliation, reviews
from models.messages import TenantReport, TenantReview, TenantToReconcile


class ReconcilingActivities(Reconciling):
    """See ``activities.signatures.Reconciling``."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger
        self._clock = backend.clock
        self._reconciliation = TenantReconciliation(backend)
        self._reviewing = Reviewing(backend)

    @activity.defn
    async def list_tenants(self, only: str | None) -> list[TenantToReconcile]:
        """From the ledger, inactive ones too."""
        async with self._ledger.transaction() as session:
            found = await reconciliation.tenants(session)
        return [tenant for tenant in found if only in (None, tenant.name)]

    @activity.defn
    async def reconcile_tenants(self, tenants: list[TenantToReconcile]) -> list[TenantReport]:
        """All of the share at the same time."""
        return await asyncio.gather(*(self._reconciliation.reconcile(tenant.id, tenant.name) for tenant in tenants))

    @activity.defn
    async def list_reviews(self, only: str | None) -> list[TenantToReconcile]:
        """The ledger alone."""
        async with self._ledger.transaction() as session:
            found = await reviews.tenants(session, self._clock())
        return [tenant for tenant in found if only in (None, tenant.name)]

    @activity.defn
    async def review_tenant(self, tenant: TenantToReconcile) -> TenantReview:
        """One grant after the other: what is written stays, whatever becomes of the next."""
        return await self._reviewing.review(tenant.id, tenant.name)
