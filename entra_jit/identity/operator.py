"""Who types at the command line."""

from __future__ import annotations

import getpass
import socket

from models.actor import Actor, ActorKind, Via


def operator_here() -> Actor:
    """The user of this machine, as far as the machine knows."""
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return Actor(kind=ActorKind.OPERATOR, id=who, name=who, via=Via.COMMAND_LINE)
