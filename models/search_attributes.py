"""What a grant shows in Temporal's lists and can be found by. Plain text on the server: never a secret, never a name
of a person beyond the technician's short one."""

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from models.messages import AccessRequest, GrantState

TENANT = SearchAttributeKey.for_keyword("Tenant")
TECHNICIAN = SearchAttributeKey.for_keyword("Technician")
GRANT_STATE = SearchAttributeKey.for_keyword("GrantState")
EXPIRES_AT = SearchAttributeKey.for_datetime("ExpiresAt")
TICKET = SearchAttributeKey.for_keyword("Ticket")
ALARM = SearchAttributeKey.for_keyword("Alarm")
"""The kind of the alarm that a grant has raised last, for as long as it is not over."""

REPORTED_PROBLEMS = SearchAttributeKey.for_keyword_list("TemporalReportedProblems")
"""Temporal's own: why it cannot carry a workflow on."""

ALL = (TENANT, TECHNICIAN, GRANT_STATE, EXPIRES_AT, TICKET, ALARM)


def at_start(request: AccessRequest) -> TypedSearchAttributes:
    """What a grant can be found by before any worker has taken it."""
    pairs = (
        SearchAttributePair(GRANT_STATE, GrantState.ASKED.value),
        SearchAttributePair(TENANT, request.tenant),
        SearchAttributePair(TECHNICIAN, request.technician),
        *([SearchAttributePair(TICKET, request.ticket)] if request.ticket else []),
    )
    return TypedSearchAttributes(pairs)
