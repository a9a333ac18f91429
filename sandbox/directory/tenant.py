"""One tenant: its tables, and the questions about them that more than one part of the sandbox asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sandbox.directory.history import History
from sandbox.directory.records import (
    ActivatedRole,
    AdministrativeUnit,
    ConditionalAccessPolicy,
    DelegatedAdminCustomer,
    DelegatedGrant,
    LogRecord,
    Schedule,
    ScheduleRequest,
)
from sandbox.directory.roles import GLOBAL_ADMINISTRATOR, assignment_id
from sandbox.directory.rows import TENANT_SCOPE, Group, Organization, RoleAssignment, ServicePrincipal, User
from sandbox.directory.table import Changed, Identified, Table

_FALLING_DUE = frozenset({"schedule", "deletedUser"})
"""Tables whose rows end by themselves."""


def _attributes_of(user: User) -> Iterable[str]:
    """The extension attributes that are set: few accounts have any, and sweeps ask for exactly those."""
    held = user.properties.get("onPremisesExtensionAttributes")
    return [name for name, value in held.items() if value is not None] if isinstance(held, dict) else ()


class Tenant:
    """The rows of one tenant. Callers keep the rules of Graph; this class keeps rows consistent."""

    def __init__(self, tenant_id: str, changed: Changed) -> None:
        self.id = tenant_id
        self.history = History()
        self.next_due: datetime | None = None
        """Nothing falls due before this moment; None: not known (see ``passing_time``)."""
        changed = self._noting(changed)
        self.organizations: Table[Organization] = Table("organization", changed)
        self.users: Table[User] = Table(
            "user", changed, {"upn": lambda user: (user.user_principal_name.lower(),), "attribute": _attributes_of}
        )
        self.deleted_users: Table[User] = Table("deletedUser", changed)
        self.groups: Table[Group] = Table(
            "group", changed, {"member": lambda group: group.members, "owner": lambda group: group.owners}
        )
        self.service_principals: Table[ServicePrincipal] = Table(
            "servicePrincipal", changed, {"app": lambda principal: (principal.app_id,)}
        )
        self.role_assignments: Table[RoleAssignment] = Table(
            "roleAssignment",
            changed,
            {"principal": lambda held: (held.principal_id,), "role": lambda held: (held.role_id,)},
        )
        self.activated_roles: Table[ActivatedRole] = Table("activatedRole", changed)
        self.administrative_units: Table[AdministrativeUnit] = Table(
            "administrativeUnit", changed, {"member": lambda unit: unit.members}
        )
        self.schedules: Table[Schedule] = Table(
            "schedule", changed, {"principal": lambda schedule: (schedule.principal_id,)}
        )
        self.schedule_requests: Table[ScheduleRequest] = Table("scheduleRequest", changed)
        self.conditional_access: Table[ConditionalAccessPolicy] = Table("conditionalAccessPolicy", changed)
        self.delegated_grants: Table[DelegatedGrant] = Table("delegatedGrant", changed)
        self.customers: Table[DelegatedAdminCustomer] = Table("delegatedAdminCustomer", changed)
        self.audits: Table[LogRecord] = Table("audit", changed)
        self.sign_ins: Table[LogRecord] = Table("signIn", changed)
        self.tables: dict[str, Table] = {  # type: ignore[type-arg]  # rows of every kind
            table.name: table for table in vars(self).values() if isinstance(table, Table)
        }

    def _noting(self, changed: Changed) -> Changed:
        def note(table: str, row_id: str, before: Identified | None, after: Identified | None) -> None:
            self.history.note(table, row_id, before, after)
            if table in _FALLING_DUE:
                self.next_due = None
            changed(table, row_id, before, after)

        return note

    @property
    def organization(self) -> Organization:
        """The tenant's own row."""
        organization = self.organizations.get(self.id)
        assert organization is not None, "a tenant without an organization was loaded"  # noqa: S101 - cannot happen
        return organization

    def user(self, key: str) -> User | None:
        """The live user with this id or user principal name."""
        return self.users.get(key.lower()) or self.users.one("upn", key.lower())

    def roles_of(self, principal_id: str) -> set[str]:
        """Role ids that a principal holds at tenant scope, directly or through role-assignable groups."""
        holders = [principal_id, *(group.id for group in self.groups.find("member", principal_id))]
        return {
            held.role_id
            for holder in holders
            for held in self.role_assignments.find("principal", holder)
            if held.scope == TENANT_SCOPE
        }

    def app_roles_of(self, user_id: str, principal: ServicePrincipal) -> set[str]:
        """The values of an application's roles that a person holds: directly, or as a direct member of a group."""
        holders = {user_id, *(group.id for group in self.groups.find("member", user_id))}
        held = {one.role_id for one in principal.assigned if one.principal_id in holders}
        return {role.value for role in principal.app_roles if role.id in held and role.enabled}

    def holders_of(self, role_id: str, *, without: str | None = None, lasting: bool = False) -> list[User]:
        """Live users who hold a role at tenant scope, directly or through groups; as if one assignment were gone.

        With ``lasting``, only those who hold it without an end.
        """
        ids: dict[str, None] = {}
        for held in self.role_assignments.find("role", role_id):
            if held.scope == TENANT_SCOPE and held.id != without and not (lasting and self._ends(held)):
                group = self.groups.get(held.principal_id)
                ids.update(dict.fromkeys(sorted(group.members) if group else [held.principal_id]))
        return [user for user_id in ids if (user := self.users.get(user_id))]

    def is_last_global_administrator(self, user_id: str) -> bool:
        """Whether the tenant would be without a Global Administrator if this user were not one."""
        holders = [user.id for user in self.holders_of(GLOBAL_ADMINISTRATOR, lasting=True)]
        return holders == [user_id]

    def _ends(self, held: RoleAssignment) -> bool:
        """Whether an assignment stands on a schedule that will end."""
        return any(
            schedule.expiration.ends is not None
            for schedule in self.schedules.find("principal", held.principal_id)
            if (schedule.kind, schedule.role_id, schedule.scope) == ("assignment", held.role_id, held.scope)
        )

    def assign_role(self, role_id: str, principal_id: str, scope: str = TENANT_SCOPE) -> RoleAssignment:
        """Give a principal a role; the same assignment again is the same row."""
        held = RoleAssignment(
            id=assignment_id(role_id, principal_id, scope), role_id=role_id, principal_id=principal_id, scope=scope
        )
        self.role_assignments.put(held)
        if role_id not in self.activated_roles:
            self.activated_roles.put(ActivatedRole(id=role_id))
        return held

    def take_role(self, assignment: str) -> RoleAssignment | None:
        """Take an assignment away, and with it the schedule that it stands on; None if there is none."""
        held = self.role_assignments.remove(assignment)
        if held is not None:
            for schedule in self.schedules.find("principal", held.principal_id):
                if (schedule.kind, schedule.role_id, schedule.scope) == ("assignment", held.role_id, held.scope):
                    self.schedules.remove(schedule.id)
        return held

    def end_schedule(self, schedule: Schedule) -> None:
        """Remove a schedule and, if it is one of assignments, what its principal held by it."""
        self.schedules.remove(schedule.id)
        if schedule.kind == "assignment":
            self.role_assignments.remove(assignment_id(schedule.role_id, schedule.principal_id, schedule.scope))

    def soft_delete(self, user: User, now: datetime) -> None:
        """Move a user to the deleted items; role assignments go with it, memberships wait for a restore."""
        groups = self.groups.find("member", user.id)
        self.users.remove(user.id)
        self.deleted_users.put(
            replace(user, deleted=now, groups_when_deleted=tuple(group.id for group in groups), sessions_valid_from=now)
        )
        for group in groups:
            self.groups.put(replace(group, members=group.members - {user.id}))
        for unit in self.administrative_units.find("member", user.id):
            self.administrative_units.put(replace(unit, members=unit.members - {user.id}))
        for schedule in self.schedules.find("principal", user.id):
            self.schedules.remove(schedule.id)
        for held in self.role_assignments.find("principal", user.id):
            self.role_assignments.remove(held.id)

    def restore(self, user: User) -> None:
        """Bring a deleted user back, with its memberships and without its roles."""
        self.deleted_users.remove(user.id)
        self.users.put(replace(user, deleted=None, groups_when_deleted=()))
        for group_id in user.groups_when_deleted:
            if group := self.groups.get(group_id):
                self.groups.put(replace(group, members=group.members | {user.id}))
