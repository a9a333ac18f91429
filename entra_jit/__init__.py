"""entra-jit: just-in-time administrator access to customers' Microsoft Entra ID tenants, closed on time and proven."""
