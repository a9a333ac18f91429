"""How our processes log: structlog for our own lines and the standard library's alike, one line an event."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog

from models.plain_text import printable

TRACEBACKS = frozenset({"exception", "stack"})


def configure_logs(form: Literal["json", "console"], level: int = logging.INFO) -> None:
    """Send every log line of the process to standard error in one form. Call once, before anything logs."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _keep_lines_apart,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # httpx tells every address at info level; ours tells the same with Microsoft's request-id.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _keep_lines_apart(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """No text that is logged begins a line, or controls the terminal that shows it; tracebacks are indented."""
    for name, value in event.items():
        if isinstance(value, str):
            lines = [f"    {line}" for line in value.split("\n")] if name in TRACEBACKS else [value]
            event[name] = "\n".join(map(printable, lines))
    return event
