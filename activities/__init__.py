"""The side effects: each idempotent and retryable, thin, joining a workflow's step to the directory and the ledger."""
