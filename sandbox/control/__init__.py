"""The control interface under ``/sandbox/``: for tests and demonstrations, unauthenticated by design."""
