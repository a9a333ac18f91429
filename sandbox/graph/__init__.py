"""Microsoft Graph v1.0 over the sandbox's directory: one module a resource."""
