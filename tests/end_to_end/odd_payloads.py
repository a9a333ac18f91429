"""What can come with a signal besides what its handler expects, as it goes over the wire."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client


def payload(encoding: str | bytes | None, data: bytes = b"", **metadata: bytes) -> Payload:
    """One input; ``encoding`` None: it does not say how it is encoded."""
    named = {} if encoding is None else {"encoding": encoding.encode() if isinstance(encoding, str) else encoding}
    return Payload(metadata={**named, **metadata}, data=data)


def said(data: str) -> Payload:
    """An input as the CLI and the UI send it."""
    return payload("json/plain", data.encode())


ODD: dict[str, Sequence[Payload]] = {
    "nothing": (),
    "null": (payload("binary/null"),),
    "a sentence": (said('"done by bob"'),),
    "a sentence without quotes": (said("done by bob"),),
    "a number": (said("7"),),
    "a list": (said('["by", "kim"]'),),
    "fields of other types": (said('{"by": 7, "reason": ["done"]}'),),
    "several": (said('"done"'), said('{"by": "kim"}'), said("3")),
    "several, some unreadable": (said('"done"'), payload("binary/encrypted", b"\x00\xff"), payload(None)),
    "much": (said('"' + "x" * 1_000_000 + '"'),),
    "much in one field": (said('{"reason": "' + "x" * 100_000 + '", "by": "' + "y" * 100_000 + '"}'),),
    "many": tuple(said('"done"') for _ in range(500)),
    "deep": (said("[" * 100_000 + "]" * 100_000),),
    "control characters": (said('"done\\u0000\\u001b[2J\\u202e\\ud800"'),),
    "not UTF-8": (payload("json/plain", b'"\xff\xfe"'),),
    "plain bytes": (payload("binary/plain", b"done by bob"),),
    "bytes that say nothing": (payload("binary/plain", bytes(range(256))),),
    "encrypted": (payload("binary/encrypted", b"\x00\xff" * 50),),
    "an unknown encoding": (payload("text/x-unheard-of", b"done"),),
    "an encoding that is no text": (payload(b"\xff\xfe", b"done"),),
    "no encoding": (payload(None, b"done"),),
    "a protobuf of an unknown type": (payload("json/protobuf", b"{}", messageType=b"no.such.Type"),),
    "a broken protobuf": (
        payload("binary/protobuf", b"\xff\xff", messageType=b"temporal.api.common.v1.WorkflowExecution"),
    ),
    "a protobuf": (payload("json/protobuf", b"{}", messageType=b"temporal.api.common.v1.WorkflowExecution"),),
    "sealed with a lost key": (payload("binary/entra-jit-sealed", b"x" * 60, **{"entra-jit-key-id": b"lost"}),),
    "sealed with no key": (payload("binary/entra-jit-sealed", b"x" * 60),),
    "sealed with a key that is no text": (
        payload("binary/entra-jit-sealed", b"x" * 60, **{"entra-jit-key-id": b"\xff"}),
    ),
    "a broken seal": (payload("binary/entra-jit-sealed", b"", **{"entra-jit-key-id": b"test-1"}),),
    "kept elsewhere": (payload("json/external-storage-reference", b"{}"),),
    "kept elsewhere, as it says": (payload("binary/encrypted", b"{}", __temporal_external_storage_reference=b"true"),),
}
"""By what is odd about it."""


async def send(client: Client, workflow_id: str, signal: str, inputs: Sequence[Payload]) -> None:
    """Send a signal with exactly these inputs: nothing of ours converts or encodes them."""
    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=signal,
            input=Payloads(payloads=inputs),
            identity="tests",
        ),
        retry=True,  # as the SDK's own signals: a workflow that is just being carried over takes none
    )
