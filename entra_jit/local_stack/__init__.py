"""The embedded default: PostgreSQL, Temporal, the simulated tenant and a worker on this machine, nothing installed.

``LocalStack`` runs them as child processes and keeps all state in one directory; ``running_stack`` finds the stack
that another terminal started, without the rest being imported.
"""
