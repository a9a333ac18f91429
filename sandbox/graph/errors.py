"""Graph's refusals, word for word where the words are known (the catalogue of facts 1.3).

Many cases share one code and differ only in message or details; clients have to tell them apart, so they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.exchange import Answer, Exchange


@dataclass(slots=True)
class GraphError(Exception):
    """A refusal: HTTP status, Graph's code and message, details where the service gives them."""

    status: int
    code: str
    message: str
    details: list[dict[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    repeats_message: bool = False
    """Whether ``innerError`` has the message too, as from the authentication methods' workload."""
    names_request: bool = True
    """Whether the inner error has the ids of the request."""

    def answer(self, exchange: Exchange) -> Answer:
        """The error envelope, with the ids and the zoneless date that the service writes."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = self.details
        inner = {"message": self.message} if self.repeats_message else {}
        inner |= {"date": exchange.at.strftime("%Y-%m-%dT%H:%M:%S")}
        if self.names_request:
            inner |= {"request-id": exchange.request_id, "client-request-id": exchange.client_request_id}
        error["innerError"] = inner
        return Answer(self.status, {"error": error}, dict(self.headers))


def bad_request(message: str) -> GraphError:
    """The directory's general 400."""
    return GraphError(400, "Request_BadRequest", message)


def malformed(message: str) -> GraphError:
    """A request that Graph itself cannot read, before any workload has seen it."""
    return GraphError(400, "BadRequest", message)


def invalid_property(name: str, message: str, code: str = "InvalidValue") -> GraphError:
    """A 400 that names the property in its details."""
    return GraphError(400, "Request_BadRequest", message, [{"code": code, "target": name, "message": message}])


def invalid_value(name: str, resource: str = "User") -> GraphError:
    return bad_request(f"Invalid value specified for property '{name}' of resource '{resource}'.")


def value_required(name: str, resource: str = "User") -> GraphError:
    return bad_request(f"A value is required for property '{name}' of resource '{resource}'.")


def name_taken(name: str = "userPrincipalName") -> GraphError:
    """Another live object has the user principal name, or the address (microsoft-graph-docs-contrib#8421)."""
    message = f"Another object with the same value for property {name} already exists."
    return invalid_property(name, message, "ObjectConflict")


def domain_not_verified() -> GraphError:
    message = (
        "The domain portion of the userPrincipalName property is invalid. "
        "You must use one of the verified domain names in your organization."
    )
    return invalid_property("userPrincipalName", message)


def weak_password() -> GraphError:
    return bad_request(
        "The specified password does not comply with password complexity requirements. "
        "Please provide a different password."
    )


def already_assigned() -> GraphError:
    """The same role assignment again."""
    return bad_request(
        "A conflicting object with one or more of the specified property values is present in the directory."
    )


def reference_exists(collection: str = "members") -> GraphError:
    return bad_request(
        f"One or more added object references already exist for the following modified properties: '{collection}'."
    )


def reference_absent(collection: str = "members") -> GraphError:
    return bad_request(
        f"One or more removed object references do not exist for the following modified properties: '{collection}'."
    )


def synced_object() -> GraphError:
    """The object is mastered on premises."""
    return bad_request(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects "
        "or objects currently undergoing migration."
    )


def mail_enabled_group() -> GraphError:
    """Exchange's groups cannot be changed here (microsoft-graph-docs#14827, #14899, #15612; CIPP#1607)."""
    return bad_request("Cannot Update a mail-enabled security groups and or distribution list.")


def mastered_elsewhere() -> GraphError:
    """Exchange masters the properties, as it does the extension attributes of an account with a mailbox.

    Status, code and words as reported in microsoft-graph-docs#12584; for accounts that were never synchronised in
    msgraph-sdk-powershell#1854 and msgraph-sdk-php#292.
    """
    return bad_request(
        "Unable to update the specified properties for objects that have originated within an external service."
    )


def unreadable_payload() -> GraphError:
    """No JSON, or not declared as such."""
    message = (
        "Unable to read JSON request payload. "
        "Please ensure Content-Type header is set and payload is of valid JSON format."
    )
    return malformed(message)


def unknown_segment(segment: str) -> GraphError:
    """An unknown path is a 400, found before the caller is identified."""
    return malformed(f"Resource not found for the segment '{segment}'.")


def wrong_method() -> GraphError:
    return GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def unsupported_query(message: str = "Unsupported Query.") -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def not_found(object_id: str) -> GraphError:
    """Absent, deleted, or not yet replicated: the service does not say which."""
    message = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)


def denied() -> GraphError:
    """A permission or a directory role is missing, or the target stands above the caller."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def restricted() -> GraphError:
    """The target is in a restricted management administrative unit, of which the caller is no administrator."""
    message = (
        "Insufficient privileges to complete the operation. This user is a member of a restricted management "
        "administrative unit. Management rights are limited to administrators scoped on that administrative unit."
    )
    return GraphError(403, "Authorization_RequestDenied", message)


def methods_denied() -> GraphError:
    """The authentication-methods workload says it in its own way."""
    return GraphError(403, "accessDenied", "Request Authorization failed", repeats_message=True)


def methods_refused(message: str) -> GraphError:
    """That workload's general 400 (microsoft-graph-docs#14470, #18091)."""
    return GraphError(400, "badRequest", message, repeats_message=True)


def not_contained() -> GraphError:
    """A member addressed as if the group held the object itself: ``/$ref`` is missing (microsoft-graph-docs#7800)."""
    return malformed("Write requests are only supported on contained entities")


def identity_not_found() -> GraphError:
    """The tenant has no service principal of the caller, or has one that is too new (oauth2-azure#88, psoxy#875)."""
    message = "The identity of the calling application could not be established."
    return unauthenticated(message, "Authorization_IdentityNotFound")


def unauthenticated(message: str, code: str = "InvalidAuthenticationToken") -> GraphError:
    """No token, or none that is good for this."""
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return GraphError(401, code, message, headers={"WWW-Authenticate": challenge})
