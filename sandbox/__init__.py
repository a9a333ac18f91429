"""A simulated Microsoft Entra tenant: the sign-in service and Microsoft Graph v1.0 on one local port, over TLS.

It runs on its own (``python -m sandbox --help``) and imports nothing of entra-jit. It is for demonstrations, tests and
failure drills; it guards nothing, and no production profile can be pointed at it.
"""
