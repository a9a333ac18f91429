"""Dropping signals that do not fit their handlers.

Temporal's SDK drops a signal whose content cannot be read, but calls the handler with too few or too many arguments.
That fails the workflow's task, which is then repeated for ever: a grant that anybody sent such a signal would stay open
past its expiry, deaf to Cancel.
"""

from __future__ import annotations

import inspect

from temporalio import workflow
from temporalio.worker import (
    HandleSignalInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class SignalsThatFit(Interceptor):
    """Gives every workflow only signals whose handlers take what was sent."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Temporal's hook."""
        return _Dropping


class _Dropping(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        handler = workflow.get_signal_handler(input.signal)
        try:
            if handler is not None:
                inspect.signature(handler).bind(*input.args)
        except TypeError:
            workflow.logger.warning("a signal that does not fit was dropped", extra={"signal": input.signal})
            return
        await super().handle_signal(input)
