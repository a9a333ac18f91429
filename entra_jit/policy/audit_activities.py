"""Microsoft's audit activities, and what each of them leaves behind.

From the *audit log activity reference* (``reference-audit-activities.md`` of MicrosoftDocs/entra-docs at 092dd5c1),
with names that the reference lacks and live logs or published detections show: ``Create application - Certificates and
secrets management``, ``Update PasswordProfile``, ``Add Passkey (device-bound)``, elevated access to Azure, and others.
The reference says of itself that it may lag behind, so some names will be missing here: ``find`` gives None for them.

A name is compared without regard to capitals, dashes and spaces. One that ends with ``*`` stands for all that begin so;
of several that fit, the longest decides, and one without ``*`` before all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from models.display_text import comparable
from models.sweep import FindingKind


@dataclass(frozen=True)
class Row:
    """Activities that are judged alike."""

    kind: FindingKind | None
    """The way back that it opens; None: everyday work, which is counted."""
    words: str
    """``{who}`` is who gains by it or what is changed, ``{what}`` what is gained."""
    names: str
    """One a line."""
    usual: bool = False
    """Work brings it along day by day, done to others: listed, not alarmed."""
    stays: bool = False
    """The closing does not take it, also where it was done to the account itself."""


ROWS = (
    # An eligible role is activated at will, and no list of assignments shows it.
    Row(
        FindingKind.ROLE,
        "made {who} eligible for {what}",
        """
        Add eligible member to role*
        Add EligibleRoleAssignment to RoleDefinition
        Restore eligible member from role in PIM completed
        Restore permanent eligible role assignment
        Update eligible member in PIM requested (extend)
        """,
        stays=True,
    ),
    # It may begin tomorrow, and be in no list before; then the reconciler takes it, or the closing of the next grant.
    # Privileged Identity Management for groups uses the same names; the role is then Member or Owner of a group.
    Row(
        FindingKind.ROLE,
        "scheduled {what} for {who}",
        """
        Add member to role in PIM*
        Update member in PIM requested (extend)
        Update member in PIM approved by admin (extend/renew)
        """,
        stays=True,
    ),
    Row(
        FindingKind.ROLE,
        "gave {what} to {who}",
        """
        Add member to role*
        Add scoped member to role*
        Add role assignment*
        Approve request - direct role assignment
        Restore member from role*
        Restore permanent direct role assignment
        """,
    ),
    # A role in Azure's own access control: the closing sees the directory alone.
    Row(
        FindingKind.ROLE,
        "made itself User Access Administrator of all of the tenant's Azure resources",
        "User has elevated their access to User Access Administrator*",
        stays=True,
    ),
    Row(
        FindingKind.ROLE,
        "gave a role in entitlement management to {who}",
        "Add Entitlement Management role assignment",
        stays=True,
    ),
    Row(
        FindingKind.ROLE,
        "changed what the role {who} allows",
        """
        Add role definition
        Update role definition
        Role definition created
        Update role
        """,
    ),
    Row(
        FindingKind.POLICY,
        "changed how roles are given: {who}",
        """
        Update role setting*
        PIM policy removed
        Update PIM*
        Disable PIM alert
        Deactivate PIM alert
        Offboarded resource from PIM
        Tenant offboarded from PIM
        """,
    ),
    Row(
        FindingKind.MEMBERSHIP,
        "put {who} into the group {what}",
        """
        Add member to group
        Group_AddMember
        Approve a pending request to join a group
        Bulk import group members - finished (bulk)
        """,
        usual=True,
    ),
    # An access package gives its groups and roles back to whom they were taken from.
    Row(
        FindingKind.MEMBERSHIP,
        "assigned an access package: {who}",
        """
        Administrator directly assigns user to access package
        Approve access package assignment request
        Extend access package assignment
        Schedule a future access package assignment
        User requests access package assignment
        User requests an access package assignment on behalf of service principal
        User requests to extend access package assignment
        """,
        usual=True,
        stays=True,
    ),
    Row(
        FindingKind.SIGN_IN_METHOD,
        "registered a sign-in method for {who}",
        """
        Admin registered security info
        Admin updated security info
        Admin registered temporary access pass*
        User registered security info
        User registered all required security info
        User updated security info
        User changed default security info
        Security info saved for self-service password reset
        User Password Registration
        Add FIDO2*
        Add Passkey*
        Add Windows Hello*
        Add passwordless phone sign-in credential
        Add platform credential
        Add users strong authentication phone app detail
        Register TOTP secret
        Create application password for user
        Create Hardware Oath Token
        Assign Hardware Oath Token
        Update Hardware Oath Token
        Bulk upload Hardware Oath Token
        """,
    ),
    # Resetting passwords is what a service desk does all day.
    Row(
        FindingKind.SIGN_IN_METHOD,
        "set a password for {who}",
        """
        Reset password*
        Reset user password
        Change password (self-service)
        Change user password
        Update PasswordProfile
        User Password Reset
        Convert federated user to managed
        """,
        usual=True,
    ),
    Row(
        FindingKind.CREDENTIAL,
        "changed the credentials of {who}",
        """
        Create application - Certificates and secrets management
        Update application - Certificates and secrets management
        Add service principal credentials
        Update service principal credentials
        Add policy credentials
        Update provisioning setting or credentials
        Update external secrets
        POST Tenant.GenerateNewActivationCredentials
        Create policy key
        Generate key
        Restore policy key
        Update policy key
        Update certificate to policy key
        Update secret into policy key
        Upload certificate to policy key
        Upload key to policy key
        Upload secret into policy key
        """,
    ),
    Row(
        FindingKind.OWNERSHIP,
        "made {who} an owner of {what}",
        """
        Add owner to*
        Group_AddOwner
        Set group to be managed by user
        """,
    ),
    Row(
        FindingKind.CONSENT,
        "gave permissions to {who}",
        """
        Consent to application
        Grant contextual consent to application
        Restore consent
        Add OAuth2PermissionGrant
        Add delegated permission grant
        Update delegated permission grant
        Add app role assignment*
        Add V2 application permissions
        Update V2 application permission grant
        """,
    ),
    Row(
        FindingKind.APPLICATION,
        "brought in the application {who}",
        """
        Add application
        Add service principal
        Create V2 application
        Restore application
        Restore service principal
        """,
    ),
    # Federated credentials and reply addresses come under these names.
    Row(
        FindingKind.APPLICATION,
        "changed the application {who}",
        """
        Update application
        Update application with safe rollout
        Complete application update after safe rollout
        Update service principal
        Update V2 application
        Set verified publisher
        Add application SSL certificate
        """,
    ),
    Row(
        FindingKind.POLICY,
        "changed the policy {who}",
        """
        Add Conditional Access policy
        Update Conditional Access policy
        Delete Conditional Access policy
        Add named location
        Update named location
        Delete named location
        Add AuthenticationContextClassReference
        Update AuthenticationContextClassReference
        Delete AuthenticationContextClassReference
        Add policy
        Update policy
        Delete policy
        Add policy to application
        Add policy to service principal
        Remove policy from application
        Remove policy from service principal
        Add permission grant policy
        Update permission grant policy
        Delete permission grant policy
        Update mobility management policy
        Create Filtering Policy*
        Update Filtering Policy*
        Delete Filtering Policy*
        Update Filtering Profile
        Create Forwarding Policy
        Update Forwarding*
        Update Adaptive Access Policy
        """,
    ),
    Row(
        FindingKind.POLICY,
        "changed how people sign in: {who}",
        """
        Authentication Methods Policy*
        Authentication Strength*
        MFA Service Policy Update
        Update authorization policy
        Update security defaults
        Update continuous access evaluation
        Enable security defaults
        Disable security defaults
        Disable Strong Authentication
        Update per-user multifactor authentication state
        Add bypass user
        POST Tenant.CreateBypassedUser
        Update IdentityProtectionPolicy
        Update Sign-In Risk Policy
        Update User Risk and MFA Registration Policy
        Set password policy
        Set device registration policies
        Create company settings
        Update company settings
        Delete company settings
        Create rollout policy for feature
        Update rollout policy of feature
        Add a group to feature rollout
        Add user to feature rollout
        Create customAuthenticationExtension
        Update customAuthenticationExtension
        Create authenticationEventListener
        Update authenticationEventListener
        Create API connector
        Update API connector
        Create custom policy
        Update custom policy
        Create user flow
        Update user flow
        Create authenticationEventsFlow
        Update authenticationEventsFlow
        Update authenticationEventsPolicy
        Update authentication flows policy
        Update OnAttributeCollectionStartCustomExtension
        Update OnAttributeCollectionSubmitCustomExtension
        Update OnPageRenderStartCustomExtension
        """,
    ),
    # What a restricted unit holds only its own administrators may change.
    Row(
        FindingKind.POLICY,
        "changed what a restricted administrative unit protects: {who}",
        """
        Add member to restricted management administrative unit
        Remove member from restricted management administrative unit
        Delete administrative unit
        Hard Delete administrative unit
        """,
    ),
    # These give access later, by themselves.
    Row(
        FindingKind.POLICY,
        "set up what gives access by itself: {who}",
        """
        Create access package
        Create access package assignment policy
        Update access package
        Update access package assignment policy
        Update access package catalog resource
        Create resource request
        Assign user as external sponsor
        Assign user as internal sponsor
        Create custom extension
        Update custom extension
        Create custom task extension
        Update custom task extension
        Create workflow
        Update workflow
        Restore workflow
        Enable workflow
        Enable workflow schedule
        Add workflow version
        Add task to workflow
        Enable task
        Update task
        Add execution conditions
        Update execution conditions
        Set workflow for on-demand execution
        """,
    ),
    # Conditional Access and roles can be bound to them.
    Row(
        FindingKind.POLICY,
        "changed security attributes of {who}",
        "Update attribute values assigned to*",
        usual=True,
    ),
    Row(
        FindingKind.TRUST,
        "changed whom the tenant trusts: {who}",
        """
        Set domain authentication
        Set federation settings on domain
        Set domain federation settings
        Add domain to company
        Add unverified domain
        Add verified domain
        Verify domain
        Verify email verified domain
        Update domain
        Promote sub domain to root domain
        Add sharedEmailDomainInvitation
        Schedule Add sharedEmailDomain
        Add partner to company
        Set Partnership
        Set partner information on company
        Promote company to partner
        Demote partner
        Remove partner from company
        Update partner directory settings
        Add a partner to cross-tenant access setting
        Update a partner cross-tenant access setting
        Delete partner specific cross-tenant access setting
        Migrated partner cross-tenant access settings to the scalable model
        Reset the cross-tenant access default setting
        Update the company default cross-tenant access setting
        Create a partner cross-tenant identity sync setting
        Update a partner cross-tenant identity sync setting
        Delete a partner cross-tenant identity sync setting
        Create a MultiTenantOrg
        Update a MultiTenantOrg
        Add MultiTenantOrg tenant
        Update MultiTenantOrg tenant
        Tenant joining MultiTenantOrg tenant
        Update a multitenant org*
        Reset a multitenant org*
        Create connected organization
        Update connected organization
        Create Identity Provider
        Create custom identity provider
        Update Identity Provider
        Update custom identity provider
        Update local identity provider
        Add CertificationBasedAuthConfiguration
        Delete CertificationBasedAuthConfiguration
        Add PublicKeyInfrastructure
        Update PublicKeyInfrastructure
        Restore PublicKeyInfrastructure
        Add CertificateAuthorityEntity
        Update CertificateAuthorityEntity
        Restore CertificateAuthorityEntity
        Add kerberos domain
        Update kerberos domain
        Restore kerberos domain
        Create authority
        Update authority
        Create contract
        Update contract
        Create issuance policy
        Update issuance policy
        Rotate signing key
        Update linked domains
        """,
    ),
    # The other end decides who can sign in here.
    Row(
        FindingKind.TRUST,
        "connected the directory to something outside: {who}",
        """
        Register connector
        Update connector
        Add connector Group
        Update Connector Group
        Add a Connector to Connector Group
        Enable application proxy
        Enable passthrough authentication
        Enable Desktop Sso*
        Enable password writeback for directory
        Set DirSync*
        Set Company DirSync*
        Set directory feature on tenant
        Add SOA policy
        Add provisioning configuration
        Enable/restart provisioning configuration
        Enable/start provisioning configuration
        Update attribute mappings or scope
        Add PrivateEndpoint
        Add PrivateLinkResource
        Update PrivateLinkResource
        """,
    ),
    Row(
        FindingKind.ACCOUNT,
        "made the account {who}",
        """
        Add user
        User_Create
        Bulk create users - finished (bulk)
        Invite external user*
        Invite internal user to B2B collaboration
        Bulk invite users - finished (bulk)
        Viral user creation
        Create ExternalUserProfile
        Create PendingExternalUserProfile
        """,
        usual=True,
    ),
    Row(FindingKind.ACCOUNT, "enabled the account {who}", "Enable account", usual=True),
    Row(
        FindingKind.ACCOUNT,
        "brought back the deleted account {who}",
        """
        Restore user
        Restore ExternalUserProfile
        Bulk restore deleted users - finished (bulk)
        """,
    ),
    Row(
        FindingKind.DEVICE,
        "registered a device: {who}",
        """
        Add device
        Add device from DeviceTemplate
        Add registered owner to device
        Add registered users to device
        Device_Create
        pre-create device
        Register device
        Bulk add authentication devices - finished (bulk)
        """,
        usual=True,
    ),
    # What was read is known for as long as the device keeps it.
    Row(
        FindingKind.DEVICE,
        "read a secret of the device {who}",
        """
        Read BitLocker key
        Reveal local administrator password
        """,
        usual=True,
    ),
    Row(
        None,
        "",
        """
        Add eligible member to role in PIM canceled*
        Add member to role in PIM canceled*
        Add member to role canceled*
        Add member to role request denied*
        Update eligible member in PIM canceled (extend)
        Update member in PIM canceled (extend)
        Update member in PIM denied by admin (extend/renew)
        Add role from template
        Delete role definition
        Remove eligible member from role*
        Remove EligibleRoleAssignment from RoleDefinition
        Remove member from role*
        Remove permanent direct role assignment
        Remove permanent eligible role assignment
        Remove role assignment from role definition
        Remove scoped member from role*
        Remove Entitlement Management role assignment
        The role assignment of User Access Administrator has been removed from the user
        Cancel request*
        Process request
        Process role removal request
        Process role update request
        Remove request
        Resource updated
        PIM activation request expired
        Onboarded resource from PIM
        Onboarded resource to PIM
        Enable PIM alert
        Refresh PIM alert
        Resolve PIM alert
        Triggered PIM alert

        Update user
        Delete user
        Hard Delete user
        User_Delete
        Bulk delete users - finished (bulk)
        Delete external user
        Disable account
        Change user license
        Set user manager
        Add user sponsor
        Remove user sponsor
        Set force change user password
        Set user oath token metadata enabled
        Update StsRefreshTokenValidFrom Timestamp
        Unlock user account (self-service)
        Enable Strong Authentication
        Admin deleted security info
        Admin started password reset
        User canceled security info registration
        User deleted security info
        User reviewed security info
        User started password change
        User started password reset
        User started security info registration
        Self-service password reset flow activity progress
        Blocked from self-service password reset
        Remove users strong authentication phone app detail
        Delete application password for user
        Delete FIDO2*
        Delete Passkey*
        Delete Windows Hello*
        Delete Hardware Oath Token
        Delete passwordless phone sign-in credential
        Delete platform credential
        PATCH UserAuthMethod.PatchSignInPreferencesAsync
        Remove app role assignment from*
        Redeem extern user invite
        Redeem external user invite
        Email not sent, user unsubscribed
        Email subscribed
        Email unsubscribed
        Delete ExternalUserProfile
        Hard Delete ExternalUserProfile
        Update ExternalUserProfile
        Delete PendingExternalUserProfile
        Hard Delete PendingExternalUserProfile
        Update PendingExternalUserProfile

        Add group
        Update group
        Delete group
        Hard Delete group
        Restore group
        Renew group
        Autorenew group
        Group_Create
        Group_Delete
        Group_RemoveMember
        Group_RemoveOwner
        Group_Restore
        Group_Update
        Remove member from group
        Remove owner from group
        Bulk remove group members - finished (bulk)
        Assign label to group
        Remove label from group
        Create group settings
        Update group settings
        Delete group settings
        Set group license
        Start applying group based license to users
        Finish applying group based license to user
        Trigger group license recalculation
        Create lifecycle management policy
        Update lifecycle management policy
        Delete lifecycle management policy
        GroupLifecyclePolicies_addGroup
        GroupLifecyclePolicies_removeGroup
        LcmPolicy_RenewGroup
        Request to join a group
        Cancel a pending request to join a group
        Delete a pending request to join a group
        Reject a pending request to join a group
        ApprovalNotification_Create
        Approval_Act
        Approvals_ActOnApproval
        Approvals_Post
        Features_UpdateFeaturesAsync
        Groups_CreateLink

        Add administrative unit
        Update administrative unit
        Restore administrative unit
        Add member to administrative unit
        Remove member from administrative unit
        Bulk add members to administrative unit - finished (bulk)
        Bulk remove members to administrative unit - finished (bulk)

        Delete application
        Hard Delete application
        Remove service principal
        Hard delete service principal
        Remove service principal credentials
        Remove owner from application
        Remove owner from service principal
        Remove owner from policy
        Remove policy credentials
        Remove delegated permission grant
        Unset verified publisher
        Cancel application update with safe rollout
        Delete V2 application
        Delete V2 application permission grant
        Delete policy key
        Create application collection
        Update application collection
        Update application collection order
        Delete application collection
        Update preview settings

        Update device
        Delete device
        Delete pre-created device
        Device_Delete
        Device no longer compliant
        Device no longer managed
        Unregister device
        Remove registered owner from device
        Remove registered users from device
        Add device configuration
        Update device configuration
        Delete device configuration
        Update DeviceTemplate
        Delete DeviceTemplate
        Add BitLocker key
        Delete BitLocker key
        Update local administrator password

        Remove unverified domain
        Remove verified domain
        Remove domain from company
        Schedule Remove sharedEmailDomain
        Update sharedEmailDomain
        Update sharedEmailDomainInvitation
        Update company
        Set Company Information
        Set accidental deletion threshold
        Set company allowed data location
        Set company multinational feature enabled
        Delete company allowed data location
        Delete subscription
        Directory deleted*
        Directory scheduled for deletion*
        Create Company
        Disable application proxy
        Disable passthrough authentication
        Disable Desktop Sso*
        Disable password writeback for directory
        Delete Connector Group
        Delete SSL binding
        Delete provisioning configuration
        Disable/pause provisioning configuration
        Delete rollout policy of feature
        Remove a group from feature rollout
        Remove user from feature rollout
        Delete Identity Provider
        Delete API connector
        Delete custom policy
        Delete user flow
        Delete customAuthenticationExtension
        Delete authenticationEventListener
        Delete connected organization
        Delete kerberos domain
        Delete PrivateEndpoint
        Delete PrivateLinkResource
        Delete MultiTenantOrg tenant
        Hard Delete MultiTenantOrg*
        Delete PublicKeyInfrastructure
        Delete CertificateAuthorityEntity
        Export
        Import
        Other
        Process escrow
        Quarantine
        Synchronization rule action
        User Provisioning

        Add blocked user
        Clear block on user
        Remove bypassed user
        POST Tenant.CreateBlockedUser
        POST Tenant.RemoveBlockedUser
        POST Tenant.RemoveBypassedUser
        ConfirmAccountCompromised
        ConfirmCompromised
        ConfirmSafe
        ConfirmServicePrincipalCompromised
        DismissServicePrincipal
        DismissUser
        Update NotificationSettings
        Fraud reported*
        Suspicious activity reported
        Add agreement
        Update agreement
        Delete agreement
        Hard delete agreement
        Accept Terms Of Use
        Create Terms Of Use
        Decline Terms Of Use
        Delete Consent
        Delete Terms Of Use
        Edit Terms Of Use
        Publish Terms Of Use
        Add contact
        Update contact
        Delete contact
        Add label
        Update label
        Delete label
        Add an attribute set
        Update an attribute set
        Add custom security attribute definition in an attribute set
        Update custom security attribute definition in an attribute set
        Dismiss recommendation
        Mark recommendation as complete
        Postpone recommendation

        Access review ended
        Apply decision
        Apply review
        Approve decision
        Auto apply review
        Auto review
        Bulk Approve decisions
        Bulk Deny decisions
        Bulk Reset decisions
        Bulk mark decisions as don't know
        Create access review
        Create request
        Delete access review
        Delete approvals
        Deny decision
        Don't know decision
        Request expired
        Reset decision
        Update access review
        Update request
        Create program
        Link program control
        Unlink program control
        Approve all requests in business flow
        Deny all decisions
        Deny all requests in business flow
        Create business flow
        Update business flow
        Delete business flow
        Create governance policy template
        Update governance policy template
        Delete governance policy template
        Approval approved
        Approval removed
        Request approved
        Request canceled
        Request created
        Request denied
        Request rejected

        Administrator directly removes user access package assignment
        Approval stage completed for access package assignment request
        Auto approve access package assignment request
        Cancel access package assignment request
        Create access package assignment user update request
        Create access package catalog
        Create incompatible access package
        Create incompatible group
        Create resource environment
        Create resource remove request
        Delete access package*
        Delete custom extension
        Delete custom task extension
        Delete incompatible access package
        Delete incompatible group
        Deny access package assignment request
        Entitlement Management creates access package assignment request for user
        Entitlement Management removes access package assignment request for user
        Execute custom extension
        Failed access package assignment request
        Fulfill access package assignment request
        Fulfill access package resource assignment
        Partially fulfill access package assignment request
        Ready to fulfill access package assignment request
        Remove access package resource assignment
        Remove user as external sponsor
        Remove user as internal sponsor
        Update access package assignment request
        Update access package catalog
        Update request answers by approver
        Update tenant setting
        Update tenant settings
        User requests to remove access package assignment
        Delete workflow
        Hard delete workflow
        Disable workflow
        Disable workflow schedule
        Disable task
        Remove task from workflow
        On-demand workflow execution completed
        Schedule workflow execution completed
        Schedule workflow execution started

        DELETE Subscription.DeleteProviders
        DELETE Tenant.DeleteAgentStatuses
        DELETE Tenant.DeleteCaches
        DELETE Tenant.DeleteGreetings
        PATCH Tenant.Patch
        PATCH Tenant.PatchCaches
        POST SoundFile.Post
        POST Subscription.CreateProvider
        POST Subscription.CreateSubscription
        POST Tenant.CreateCacheConfig
        POST Tenant.CreateGreeting
        POST Tenant.CreateOemTenant
        POST Tenant.CreateTenant
        POST TenantRemoveBypassedUser
        Subscription.CreateProvider
        Subscription.CreateSubscription
        Update MyStaff feature value
        Updated ConvergedUXV2 feature value
        Updated MyApps feature value
        Updated SSPRConvergence feature value
        Updated SignInReports feature value
        Onboarding Process Started
        Update Enriched Audit Logs Settings
        Create Branch
        Update Branch

        A self-service sign-up request was completed
        An API was called as part of a user flow
        Check whether the resource name is available
        Create or update *
        Create starter pack
        Create user attribute
        Update user attribute
        Delete user attribute
        Delete all available strong authentication devices
        Delete authenticationEventsFlow
        Delete B2C*
        Delete CIAM*
        Delete Guest Usages resource
        Delete localized resource
        Evaluate Conditional Access policies
        Exchange token
        Federate with an identity provider
        Generate one time password
        Initialize tenant
        Issue a SAML assertion to the application
        Issue an access token to the application
        Issue an authorization code to the application
        Issue an id_token to the application
        Make phone call to verify phone number
        Move resources
        Remediate user
        Retrieve V2 application permissions grants
        Retrieve V2 application service principals
        Send SMS to verify phone number
        Send verification email
        Update a B2C directory resource
        Update B2C directory resource
        Update a CIAM directory resource
        Update CIAM directory resource
        Update a Guest Usages resource
        Update Guest Usages resource
        Update age gating configuration
        Update subscription status
        Validate *
        Verify email address
        Verify one time password
        Verify phone number
        Delete issuance policy
        Process POST /authorities*
        Revoke credential
        Tenant onboarding
        Tenant opt-out
        Update MyAccount settings

        Get *
        Download *
        Export summary data*
        started (bulk)
        Approval_Get*
        Device_Get*
        Features_Get*
        Features_IsFeatureEnabledAsync
        GroupLifecyclePolicies_Get
        GroupsODataV4_*
        Group_Get*
        Group_BatchValidateDynamicMembership
        Group_ValidateDynamicMembership
        Groups_Get
        LcmPolicy_Get
        Settings_GetSettingsAsync
        User_Get*
        DSR Delete:*
        DSR Export:*
        """,
    ),
)


def find(activity: str) -> Row | None:
    """How an activity of this name is judged; None: the name is not known."""
    name = comparable(activity)
    exact, beginnings = _index()
    if name in exact:
        return exact[name]
    return next((row for beginning, row in beginnings if name.startswith(beginning)), None)


@cache
def _index() -> tuple[dict[str, Row], tuple[tuple[str, Row], ...]]:
    exact: dict[str, Row] = {}
    beginnings: dict[str, Row] = {}
    for row in ROWS:
        for line in filter(None, map(str.strip, row.names.splitlines())):
            is_beginning = line.endswith("*")
            of_kind, name = (beginnings, comparable(line[:-1])) if is_beginning else (exact, comparable(line))
            if name in of_kind:
                raise ValueError(f"{line!r} stands twice")
            of_kind[name] = row
    return exact, tuple(sorted(beginnings.items(), key=lambda one: len(one[0]), reverse=True))
