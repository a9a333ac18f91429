"""The embedded default: PostgreSQL, Temporal, the simulated tenants, worker and portal on this machine.

``LocalStack`` runs them as child processes and keeps all state in one directory; ``running_stack`` finds the stack
that another terminal started, without the rest being imported.
"""
