"""Whether accounts may be opened in a tenant's domain, and roles be given there, by what the directory says of it."""

from __future__ import annotations

OTHER_GLOBAL_ADMINISTRATORS = 2
"""How many enabled ones a tenant must have besides: Microsoft refuses to remove the last one."""


def refuse_domain(tenant: str, name: str, *, is_managed: bool | None) -> str | None:
    """The sentence that refuses accounts in the domain; None: they may be opened.

    ``is_managed`` None: the tenant has no such domain, or has never verified that it is theirs. What is federated is
    another identity provider's, which could sign in as any account.
    """
    if is_managed is None:
        return f"The domain {name} is not verified in {tenant}."
    if not is_managed:
        return (
            f"The domain {name} is federated: another identity provider sets its passwords. "
            f"Use a managed domain of {tenant}, best its onmicrosoft.com domain."
        )
    return None


def refuse_global_administrator(tenant: str, others: int) -> str | None:
    """The sentence that refuses the role where too few ``others`` have it; None: it may be given."""
    if others >= OTHER_GLOBAL_ADMINISTRATORS:
        return None
    return (
        f"Global Administrator is not given in {tenant}: it has {others} other enabled holders and needs "
        f"{OTHER_GLOBAL_ADMINISTRATORS}, because Microsoft refuses to remove the last one."
    )
