"""What the tenant's own logs say: audit entries composed from what really changed, and sign-ins as they happened."""
