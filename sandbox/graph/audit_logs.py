"""``/auditLogs``: what happened in the tenant, newest first, for as long as its licence lets Microsoft keep it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sandbox.directory.records import LogRecord
from sandbox.directory.table import Table
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, not_found
from sandbox.graph.licences import has_premium
from sandbox.graph.operations import Operations


def _denied(allowed: frozenset[str]) -> GraphError:
    """In this workload's words (many programs expect the code; the message names the permission)."""
    words = f"The principal does not have required Microsoft Graph permission(s): {', '.join(sorted(allowed))}"
    return GraphError(403, "Authentication_MSGraphPermissionMissing", words)


operations = Operations(_denied)
_KEPT_FREE, _KEPT_WITH_PREMIUM = timedelta(days=7), timedelta(days=30)
_LARGEST_PAGE = 1000

_AUDIT = (
    "id",
    "category",
    "correlationId",
    "result",
    "resultReason",
    "activityDisplayName",
    "activityDateTime",
    "loggedByService",
    "operationType",
    "initiatedBy",
    "targetResources",
    "additionalDetails",
)
_SIGN_IN = (
    "id",
    "createdDateTime",
    "userDisplayName",
    "userPrincipalName",
    "userId",
    "appId",
    "appDisplayName",
    "ipAddress",
    "clientAppUsed",
    "correlationId",
    "conditionalAccessStatus",
    "isInteractive",
    "riskDetail",
    "riskLevelAggregated",
    "riskLevelDuringSignIn",
    "riskState",
    "riskEventTypes",
    "riskEventTypes_v2",
    "resourceDisplayName",
    "resourceId",
    "status",
    "deviceDetail",
    "location",
    "appliedConditionalAccessPolicies",
)
_SIGN_IN_IN_BETA = (
    "authenticationDetails",
    "authenticationMethodsUsed",
    "authenticationRequirement",
    "signInEventTypes",
)


def _value_of(row: LogRecord, name: str) -> Json:
    return row.content.get(name)


def _shape(entity_set: str, resource: str, properties: tuple[str, ...]) -> odata.Shape[LogRecord]:
    return odata.Shape(
        entity_set=entity_set,
        resource=resource,
        properties=frozenset(properties),
        default=properties,
        value_of=_value_of,
    )


AUDITS = _shape("auditLogs/directoryAudits", "DirectoryAudit", _AUDIT)
SIGN_INS = _shape("auditLogs/signIns", "SignIn", _SIGN_IN)
SIGN_INS_IN_BETA = _shape("auditLogs/signIns", "SignIn", (*_SIGN_IN, *_SIGN_IN_IN_BETA))


@operations.get("/auditLogs/directoryAudits", permissions.READ_LOGS, lacks="entries about what was refused")
def list_audits(call: Call) -> Answer:
    return _listed(call, AUDITS, call.tenant.audits, "activityDateTime")


@operations.get("/auditLogs/directoryAudits/{entry}", permissions.READ_LOGS)
def get_audit(call: Call) -> Answer:
    return odata.entity(call, AUDITS, _entry(call, call.tenant.audits))


@operations.get("/auditLogs/signIns", permissions.READ_LOGS, lacks="risk, devices and applied policies: always empty")
def list_sign_ins(call: Call) -> Answer:
    """Interactive sign-ins of people; those of applications are in the beta only."""
    _require_premium(call)
    return _listed(call, SIGN_INS, call.tenant.sign_ins, "createdDateTime")


@operations.get(
    "/beta/auditLogs/signIns",
    permissions.READ_LOGS,
    lacks="other kinds of sign-in, and all that is not about credentials or in v1.0 as well",
)
def list_sign_ins_in_beta(call: Call) -> Answer:
    """The same sign-ins, with the credentials that were shown."""
    _require_premium(call)
    return _listed(call, SIGN_INS_IN_BETA, call.tenant.sign_ins, "createdDateTime")


@operations.get("/auditLogs/signIns/{entry}", permissions.READ_LOGS)
def get_sign_in(call: Call) -> Answer:
    _require_premium(call)
    return odata.entity(call, SIGN_INS, _entry(call, call.tenant.sign_ins))


def _kept(call: Call, table: Table[LogRecord]) -> list[LogRecord]:
    since = call.exchange.at - (_KEPT_WITH_PREMIUM if has_premium(call.tenant) else _KEPT_FREE)
    return [row for row in table if row.at >= since]


def _listed(call: Call, shape: odata.Shape[LogRecord], table: Table[LogRecord], time: str) -> Answer:
    # Entries of one request bear one time: of those, too, the later ones come first.
    rows = list(reversed(_kept(call, table)))
    in_order = replace(call, query={"$orderby": f"{time} desc", **call.query})
    if "$orderby" not in call.query:
        rows.sort(key=lambda row: row.at, reverse=True)
    answer = odata.collection(in_order, shape, rows, page=_LARGEST_PAGE, largest=_LARGEST_PAGE)
    return _broken_off(answer, call) if shape is AUDITS else answer


def _broken_off(answer: Answer, call: Call) -> Answer:
    """The answer, or what comes of one with an entry that Graph cannot write (microsoft-graph-docs#3648).

    The status has been sent by then, so the error stands in the middle of the JSON, where the entry was begun.
    """
    entries = answer.body["value"]
    bad = next((place for place, one in enumerate(entries) if one.get("category", "") is None), None)
    if bad is None:
        return answer
    words = "The property 'category[Nullable=False]' of type 'Edm.String' has a null value, which is not allowed."
    refusal = GraphError(400, "BadRequest", words).answer(call.exchange).payload()
    whole = Answer(200, {"value": [*entries[:bad], {"id": entries[bad]["id"]}]}).payload()
    return replace(answer, body=whole.removesuffix(b"}]}") + refusal)


def _entry(call: Call, table: Table[LogRecord]) -> LogRecord:
    row = table.get(call.args["entry"])
    if row is None or row not in _kept(call, table):
        raise not_found(call.args["entry"])
    return row


def _require_premium(call: Call) -> None:
    if not has_premium(call.tenant):
        raise GraphError(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )
