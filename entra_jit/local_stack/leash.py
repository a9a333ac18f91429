"""Become another program, on a leash: when the process that started us dies, however it dies, so do we.

A killed stack cannot stop its children, so the kernel is asked to (``PR_SET_PDEATHSIG``). The request has to be made
between fork and exec; doing that in Python there is unsafe in a process with threads, hence this program in between.
It replaces itself, so the process id stays the one that was started. Linux only: elsewhere it merely executes, and
the next start of the stack ends what it finds left over.

Usage: ``leash.py PARENT SIGNAL UID:GID PROGRAM [ARGUMENT ...]``, where an empty ``UID:GID`` changes no user.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def _main(parent: str, signal: str, owner: str, *command: str) -> None:
    if owner:
        user, group = (int(part) for part in owner.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        # After the change of user: the kernel forgets the request when credentials change.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal))
        if os.getppid() != int(parent):  # it died before the request was made
            return
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    _main(*sys.argv[1:])
