"""``/directoryObjects/getByIds``: objects of any kind, whole, by their ids."""

from __future__ import annotations

from sandbox.exchange import Answer
from sandbox.graph import permissions
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import shown
from sandbox.graph.errors import bad_request, value_required
from sandbox.graph.operations import Operations

operations = Operations()
_MOST = 1000


@operations.post(
    "/directoryObjects/getByIds",
    permissions.READ_MEMBERSHIPS | permissions.READ_APPLICATIONS,
    lacks="kinds other than users, groups and service principals",
)
def get_by_ids(call: Call) -> Answer:
    """What is not there is left out."""
    body = call.json_object()
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or not ids:
        raise value_required("ids", "DirectoryObject")
    if len(ids) > _MOST:
        raise bad_request(f"The number of ids exceeds the maximum of {_MOST}.")
    wanted = None if not types or "directoryObject" in types else {f"#microsoft.graph.{one}".lower() for one in types}
    found = [item for one in dict.fromkeys(str(one).lower() for one in ids) if (item := shown(call.tenant, one))]
    value = [item for item in found if wanted is None or item["@odata.type"].lower() in wanted]
    return Answer(200, {"@odata.context": f"{call.context_base}directoryObjects", "value": value})
