"""What every program of ours does: read the settings, work until it is told to stop, and say what prevents it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from entra_jit.logs import configure_logs
from entra_jit.settings import Settings, load_settings
from models.errors import EntraJitError, ExitCode
from models.plain_text import plain


def run_program(work: Callable[[Settings], Coroutine[Any, Any, None]]) -> int:
    """Run ``work`` to its end. Gives its exit code: that of the error that kept it from working, which is written."""
    try:
        settings = load_settings()
        configure_logs(settings.log_format)
        asyncio.run(work(settings))
    except EntraJitError as error:
        sys.stderr.write(f"{plain(str(error))}\n")
        return error.exit_code
    return ExitCode.DONE
