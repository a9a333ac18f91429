"""A connected tenant in a terminal."""

from __future__ import annotations

from rich.console import Console

from entra_jit.cli.views.formatting import moment, say
from models.connections import TenantConnection


def show_connection(console: Console, connection: TenantConnection) -> None:
    """What was proven, and how the tenant goes into the configuration file."""
    say(console, f"{connection.display_name} is connected.")
    say(console, f"Authorized by {connection.authorized_by} at {moment(connection.authorized_at)}.")
    for one in connection.applications:
        count = len(one.permissions)
        say(console, f"{one.purpose}: {one.client_id}, {count} permissions, Privileged Authentication Administrator.")
    say(console, "Use it in your configuration file, without elevate and revoke:")
    say(console, f"  id: {connection.tenant_id}")
