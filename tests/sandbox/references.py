"""How one object of a directory is named in a request about another."""

from __future__ import annotations


def reference(object_id: str) -> dict[str, str]:
    """The body that adds this object."""
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{object_id}"}
