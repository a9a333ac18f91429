"""The one plugin that configures client, worker and replayer alike, so that a replay sees what a worker saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from entra_jit.temporal.codec import SealingCodec
from entra_jit.temporal.signals_that_fit import SignalsThatFit

PASSED_THROUGH = ("activities", "entra_jit", "models")
"""What workflows import besides the standard library. It is all pure, so every cached workflow may share it."""


class QuietPayloadConverter(PydanticPayloadConverter):
    """Reads payloads as pydantic's own does, but never quotes an unreadable one: errors are logged and shown."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """As in ``PydanticPayloadConverter``; raises a ``ValueError`` that names the expected types and no more."""
        try:
            return super().from_payloads(payloads, type_hints)
        except ValueError:
            names = ", ".join(getattr(hint, "__name__", "a value") for hint in type_hints or ())
            raise ValueError(f"a message could not be read as {names or 'what was expected'}") from None


def entra_jit_plugin(codec: SealingCodec | None = None) -> SimplePlugin:
    """Converter, codec and sandbox of this deployment, and what keeps a misshapen signal from its workflows."""
    converter = dataclasses.replace(pydantic_data_converter, payload_converter_class=QuietPayloadConverter)
    if codec is not None:
        converter = dataclasses.replace(
            converter,
            payload_codec=codec,
            failure_converter_class=DefaultFailureConverterWithEncodedAttributes
            if codec.seals
            else DefaultFailureConverter,
        )
    return SimplePlugin(
        "entra-jit",
        data_converter=converter,
        workflow_runner=_runner,
        interceptors=[SignalsThatFit()],
    )


def _runner(_given: WorkflowRunner | None) -> WorkflowRunner:
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
