"""The one plugin that configures client, worker and replayer alike, so that a replay sees what a worker saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from entra_jit.temporal.codec import SealingCodec, StillSealedError, is_sealed

PASSED_THROUGH = ("activities", "entra_jit", "models")
"""What workflows import besides the standard library. It is all pure, so every cached workflow may share it."""


class QuietPayloadConverter(PydanticPayloadConverter):
    """Reads payloads as pydantic's own does, but never quotes an unreadable one: errors are logged and shown."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """As in ``PydanticPayloadConverter``; raises a ``ValueError`` that names the expected types and no more.

        Where no types are expected nothing is raised: what cannot be read is a ``RawValue``. The inputs of handlers
        that take anything come so, and the details of failures.
        """
        if not type_hints:
            return [self._read(payload) for payload in payloads]
        try:
            return super().from_payloads(payloads, type_hints)
        except Exception:
            if sealed := next(filter(is_sealed, payloads), None):
                raise StillSealedError(sealed) from None
            names = ", ".join(getattr(hint, "__name__", "a value") for hint in type_hints)
            raise ValueError(f"a message could not be read as {names}") from None

    def _read(self, payload: Payload) -> object:
        try:
            return super().from_payloads([payload])[0]
        except Exception:
            return RawValue(payload)


class TolerantDataConverter(DataConverter):
    """Lets no payload fail a workflow's task before it is known whether anything needs it.

    The SDK refuses a payload that claims to lie in an external store before codec and converter see it, and fails the
    task with it, for ever (TMPRL1105). We have no such store: a payload that says so is one that cannot be read.
    """

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


def entra_jit_plugin(codec: SealingCodec | None = None) -> SimplePlugin:
    """Converter, codec and sandbox of this deployment."""
    encodes_failures = codec is not None and codec.seals
    converter = TolerantDataConverter(
        payload_converter_class=QuietPayloadConverter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes
        if encodes_failures
        else DefaultFailureConverter,
    )
    return SimplePlugin("entra-jit", data_converter=converter, workflow_runner=_runner)


def _runner(_given: WorkflowRunner | None) -> WorkflowRunner:
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
