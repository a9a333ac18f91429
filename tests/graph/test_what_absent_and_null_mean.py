"""A property that nothing here needs was required: a grant failed because Microsoft left it out, or null.

What decides over an account must be told; everything else may be absent or null, in every model.
"""

from __future__ import annotations

import pytest
from pydantic import BaseModel, JsonValue, ValidationError

import entra_jit.graph
from entra_jit.graph.access_passes import AccessPass, AccessPassPolicy, PolicyTarget
from entra_jit.graph.answers import Description, Resource
from entra_jit.graph.applications import ApplicationCredentials, ApplicationObject
from entra_jit.graph.audit_logs import AuditEntry
from entra_jit.graph.deleted_items import DeletedUser
from entra_jit.graph.domains import Domain
from entra_jit.graph.groups import CreatedGroup, Group, GroupRead
from entra_jit.graph.licences import Subscription
from entra_jit.graph.organization import Organization
from entra_jit.graph.owned_objects import Consent, OwnedObject
from entra_jit.graph.passkey_policy import PasskeyPolicy
from entra_jit.graph.passkeys import CreationOptions, PasskeyUse, RegisteredPasskey
from entra_jit.graph.policies import AppManagementPolicy, ConditionalAccessPolicy, SecurityDefaults
from entra_jit.graph.roles import Eligibility, RoleAssignment, RoleDefinition, RoleHolder
from entra_jit.graph.sign_in_logs import SignInEntry
from entra_jit.graph.sign_in_methods import SignInMethod
from entra_jit.graph.users import CreatedUser, Memberships, User
from models.messages import DirectoryCall

EVIDENCE = "evidence"
AT = "2026-11-23T12:00:00Z"
MUST_BE_TOLD: dict[type[BaseModel], dict[str, JsonValue]] = {
    AccessPass: {"id": "x", "temporaryAccessPass": "x", "startDateTime": AT, "lifetimeInMinutes": 60},
    AccessPassPolicy: {"state": "enabled", "minimumLifetimeInMinutes": 60, "maximumLifetimeInMinutes": 480},
    AppManagementPolicy: {"isEnabled": True},
    ApplicationCredentials: {},
    ApplicationObject: {"id": "x"},
    AuditEntry: {"id": "x", "activityDateTime": AT},
    ConditionalAccessPolicy: {"id": "x", "state": "enabled"},
    Consent: {"id": "x", "clientId": "x"},
    CreatedGroup: {"id": "x"},
    CreatedUser: {"id": "x"},
    CreationOptions: {"publicKey": {"challenge": "x", "rp": {"id": "x"}, "user": {"id": "x"}}},
    DeletedUser: {"id": "x"},
    Domain: {"id": "contoso.com", "isVerified": True, "authenticationType": "Managed"},
    Eligibility: {"id": "x", "roleDefinitionId": "x", "principalId": "x"},
    Group: {"id": "x"},
    GroupRead: {"id": "x"},
    Memberships: {"groups": []},
    Organization: {"id": "x"},
    OwnedObject: {"id": "x"},
    PolicyTarget: {},
    RoleAssignment: {"id": "x", "roleDefinitionId": "x", "principalId": "x"},
    RoleDefinition: {"templateId": "x"},
    RoleHolder: {"id": "x", "roleDefinitionId": "x", "principalId": "x"},
    PasskeyPolicy: {"state": "enabled"},
    PasskeyUse: {"id": "x"},
    RegisteredPasskey: {"id": "x"},
    SecurityDefaults: {"isEnabled": True},
    SignInEntry: {"id": "x", "createdDateTime": AT},
    SignInMethod: {"id": "x", "@odata.type": "#microsoft.graph.fido2AuthenticationMethod"},
    Subscription: {},
    User: {"id": "x", "userPrincipalName": "x", "accountEnabled": False},
}
"""By model, with a value: what decides, and identifies."""
MUST_BE_THERE = {
    GroupRead: {"securityEnabled", "mailEnabled", "groupTypes", "isAssignableToRole", "onPremisesSyncEnabled"},
    User: {"userType", "onPremisesSyncEnabled", "onPremisesExtensionAttributes"},
}
"""What may be null, and would be absent only had it not been asked for."""


def names(model: type[BaseModel]) -> set[str]:
    """The properties of a model as Graph calls them."""
    found = set()
    for name, field in model.model_fields.items():
        choices = getattr(field.validation_alias, "choices", None) or [field.validation_alias or field.alias or name]
        found |= {str(choice) for choice in choices} - {EVIDENCE}
    return found


def document(model: type[BaseModel], *, null: bool) -> dict[str, object]:
    """A description with what must be told; the rest is null, or absent."""
    there = MUST_BE_TOLD[model] | dict.fromkeys(MUST_BE_THERE.get(model, ()))
    call = DirectoryCall(method="GET", path="/x", status=200, client_request_id="c", answered_at=AT)
    known = {EVIDENCE: call} if issubclass(model, Resource) else {}
    return known | (dict.fromkeys(names(model)) if null else {}) | there


def all_models() -> set[type[BaseModel]]:
    """Every model of an answer that is read by itself."""

    def below(kind: type[BaseModel]) -> set[type[BaseModel]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    return {one for one in below(Description) if issubclass(one, Resource) and one is not Resource}


def test_every_model_is_judged() -> None:
    assert all_models() <= MUST_BE_TOLD.keys()
    assert entra_jit.graph.User in all_models()


@pytest.mark.parametrize("null", [False, True], ids=["absent", "null"])
@pytest.mark.parametrize("model", MUST_BE_TOLD, ids=lambda model: model.__name__)
def test_what_decides_nothing_may_be(model: type[BaseModel], *, null: bool) -> None:
    read = model.model_validate(document(model, null=null))
    for name in ("group_types", "scope", "include_targets", "exclude_targets"):
        assert not hasattr(read, name) or isinstance(getattr(read, name), (tuple, str, type(None)))


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model, told in MUST_BE_TOLD.items() for name in [*told, *sorted(MUST_BE_THERE.get(model, ()))]],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_what_decides_must_be_told(model: type[BaseModel], name: str) -> None:
    without = {key: value for key, value in document(model, null=False).items() if key != name}
    with pytest.raises(ValidationError):
        model.model_validate(without)
